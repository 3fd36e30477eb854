#include "policy/keys.h"

#include <string.h>

/* clang-format off */
#define AT(type, field)		.offset = offsetof(type, field), .size = sizeof(((type *)0)->field)
#define P(field)		AT(struct policy, field)
#define LIST(type, list, n)	AT(type, list), .count = offsetof(type, n), .elem = sizeof(*((type *)0)->list)
#define KEY(n, h, d, t, ...)	{ .name = n, .help = h, .fallback = d, .type = t, __VA_ARGS__ }
#define END			{ .name = NULL }
#define MANY			1e9

static const struct word directions[] = { { "minimize", MINIMIZE }, { "maximize", MAXIMIZE }, { NULL, 0 } };
static const struct word violations[] = { { "reject", ON_REJECT }, { "drop", ON_DROP }, { "escalate", ON_ESCALATE }, { NULL, 0 } };
static const struct word guard_violations[] = { { "reject", ON_REJECT }, { "escalate", ON_ESCALATE }, { NULL, 0 } };
static const struct word agent_networks[] = { { "off", NETWORK_OFF }, { "provider", NETWORK_PROVIDER }, { "on", NETWORK_ON }, { NULL, 0 } };
static const struct word networks[] = { { "off", NETWORK_OFF }, { "on", NETWORK_ON }, { NULL, 0 } };
static const struct word devices[] = { { "auto", true }, { "off", false }, { NULL, 0 } };
static const struct word homes[] = { { "private", false }, { "keep", true }, { NULL, 0 } };
static const struct word param_types[] = {
	{ "linear", PARAM_LINEAR }, { "log", PARAM_LOG }, { "int", PARAM_INT }, { "categorical", PARAM_CATEGORICAL }, { NULL, 0 }
};
static const struct word blocks[] = { { "candidate", BLOCK_CANDIDATE }, { "loop", BLOCK_LOOP }, { NULL, 0 } };
static const struct word enforcements[] = { { "auto", false }, { "require", true }, { NULL, 0 } };
const struct word agent_words[] = {
	{ "command", AGENT_COMMAND }, { "tune", AGENT_TUNE }, { "patches", AGENT_PATCHES }, { "llm", AGENT_LLM },
	{ "claude", AGENT_CLAUDE }, { "codex", AGENT_CODEX }, { "gemini", AGENT_GEMINI }, { "opencode", AGENT_OPENCODE },
	{ "pi", AGENT_PI }, { NULL, 0 }
};

#define B(field) AT(struct proc_budget, field)
#define PROCESS_LIMITS \
	KEY("wall", "time that it may take", "10m", KEY_DURATION, B(wall)), \
	KEY("output", "bytes of output kept in the log", "4M", KEY_SIZE, B(output)), \
	KEY("memory", "memory of all its processes", NULL, KEY_SIZE, B(memory)), \
	KEY("processes", "how many processes and threads at once", NULL, KEY_COUNT, B(processes), .min = 1, .max = MANY), \
	KEY("disk", "bytes that it may write", NULL, KEY_SIZE, B(disk)), \
	KEY("cpu", "processor time of all its processes", NULL, KEY_DURATION, B(cpu))

static const struct key process_keys[] = { PROCESS_LIMITS, END };
static const struct key agent_budget_keys[] = {
	PROCESS_LIMITS,
	KEY("tokens", "tokens of one proposal, where the agent can be metered", NULL, KEY_COUNT, B(tokens), .min = 1),
	KEY("usd", "money of one proposal, where the agent can be metered", NULL, KEY_NUMBER, B(usd), .min = 0, .max = MANY,
	  .flags = KEY_NONE_IS_MINUS | KEY_ABOVE_MIN),
	END
};

static const struct key goal_keys[] = {
	KEY("metric", "the number to improve", NULL, KEY_STRING, P(goal.metric), .flags = KEY_REQUIRED, .rule = &rule_metric),
	KEY("direction", "which way is better", NULL, KEY_WORD, P(goal.direction), .flags = KEY_REQUIRED, .words = directions),
	KEY("min_delta", "the gain must exceed this: a number, or a share of best such as 0.1%", "0", KEY_AMOUNT, P(goal.min_delta)),
	KEY("target", "the campaign ends when best reaches it", NULL, KEY_NUMBER, P(goal.target)),
	KEY("prefer_simpler", "accept what gains nothing but has fewer lines", "false", KEY_BOOL, P(goal.prefer_simpler)),
	END
};

static const struct key surface_keys[] = {
	KEY("allow", "globs of the paths that an experiment may change, anchored at the root", NULL, KEY_STRINGS, P(surface.allow),
	  .flags = KEY_REQUIRED | KEY_NOT_EMPTY, .rule = &rule_glob),
	KEY("deny", "globs of paths that it may not change; these win", NULL, KEY_STRINGS, P(surface.deny), .rule = &rule_glob),
	KEY("max_files", "changed files of one experiment", NULL, KEY_COUNT, P(surface.max_files), .min = 1),
	KEY("max_lines", "added and deleted lines of one experiment", NULL, KEY_COUNT, P(surface.max_lines), .min = 1),
	KEY("max_bytes", "bytes of all changed files of one experiment", NULL, KEY_SIZE, P(surface.max_bytes)),
	KEY("on_violation", "what a change outside leads to", "reject", KEY_WORD, P(surface.on_violation), .words = violations),
	END
};

static const struct key workspace_keys[] = {
	KEY("include", "untracked paths of the checkout, present in every workspace", NULL, KEY_STRINGS, P(workspace.include), .rule = &rule_path),
	KEY("read", "places under HOME that the processes need", NULL, KEY_STRINGS, P(workspace.read), .rule = &rule_home_path),
	KEY("hide", "places outside HOME that they must not see", NULL, KEY_STRINGS, P(workspace.hide), .rule = &rule_abs_path),
	KEY("prepare", "command run once a campaign in the pristine workspace", NULL, KEY_TEXT, P(workspace.prepare)),
	KEY("devices", "GPU devices for execute and evaluate", "auto", KEY_WORD, P(workspace.devices), .words = devices),
	END
};

#define R(field) AT(struct param, field)
static const struct key param_keys[] = {
	KEY("name", "what the parameter is called", NULL, KEY_STRING, R(name), .flags = KEY_REQUIRED, .rule = &rule_param),
	KEY("file", "the file that holds it", NULL, KEY_STRING, R(file), .flags = KEY_REQUIRED, .rule = &rule_path),
	KEY("pattern", "POSIX extended expression with one group, around the value", NULL, KEY_STRING, R(pattern),
	  .flags = KEY_REQUIRED, .rule = &rule_pattern),
	KEY("type", "how the range is searched", NULL, KEY_WORD, R(type), .flags = KEY_REQUIRED, .words = param_types),
	KEY("min", "least value", NULL, KEY_NUMBER, R(min)),
	KEY("max", "greatest value", NULL, KEY_NUMBER, R(max)),
	KEY("choices", "the values of a categorical parameter", NULL, KEY_STRINGS, R(choices), .flags = KEY_ANY_SCALAR | KEY_NOT_EMPTY),
	END
};

static const struct key agent_keys[] = {
	KEY("use", "who proposes", NULL, KEY_WORD, P(agent.use), .flags = KEY_REQUIRED, .words = agent_words),
	KEY("command", "for `command`: run by /bin/sh -c at the workspace's root", NULL, KEY_TEXT, P(agent.command)),
	KEY("brief", "a file with the people's instructions, added to the brief", NULL, KEY_STRING, P(agent.brief), .rule = &rule_path),
	KEY("author", "author of the experiment commits, `Name <mail>`", NULL, KEY_STRING, P(agent.author), .rule = &rule_author),
	KEY("budget", "limits of one proposal", NULL, KEY_MAP, P(agent.budget), .sub = agent_budget_keys),
	KEY("env", "names of environment variables passed through", NULL, KEY_STRINGS, P(agent.env), .rule = &rule_env),
	KEY("network", "what the agent can reach", "off", KEY_WORD, P(agent.network), .words = agent_networks),
	KEY("home", "a HOME of its own each time, or one a campaign", "private", KEY_WORD, P(agent.home_keep), .words = homes),
	KEY("parameters", "for `tune`: what is searched", NULL, KEY_MAPS, LIST(struct policy, agent.params, agent.n_params),
	  .sub = param_keys, .flags = KEY_NOT_EMPTY),
	KEY("seed", "for `tune`: what its random numbers start from", "1", KEY_INT, P(agent.seed), .min = 0, .max = 2147483647),
	KEY("from", "for `patches`: a glob of patch files, or of branches (refs/heads/...)", NULL, KEY_STRING, P(agent.from)),
	END
};

static const struct key execute_keys[] = {
	KEY("command", "runs the candidate: /bin/sh -c at the workspace's root", NULL, KEY_TEXT, P(execute.command), .flags = KEY_REQUIRED),
	KEY("artifacts", "what evaluation may see of its output, read-only", NULL, KEY_STRINGS, P(execute.artifacts), .rule = &rule_path),
	KEY("state", "output that is versioned with best", NULL, KEY_STRINGS, P(execute.state), .rule = &rule_path),
	KEY("budget", "limits of one run", NULL, KEY_MAP, P(execute.budget), .sub = process_keys),
	KEY("env", "names of environment variables passed through", NULL, KEY_STRINGS, P(execute.env), .rule = &rule_env),
	KEY("network", "what the run can reach", "off", KEY_WORD, P(execute.network), .words = networks),
	KEY("shm", "size of /dev/shm", NULL, KEY_SIZE, P(execute.shm)),
	END
};

#define S(field) AT(struct stage, field)
static const struct key stage_keys[] = {
	KEY("name", "what the stage is called in records", NULL, KEY_STRING, S(name), .rule = &rule_stage),
	KEY("command", "measures: /bin/sh -c at the workspace's root", NULL, KEY_TEXT, S(command), .flags = KEY_REQUIRED),
	KEY("samples", "how often it is run; the value is the median", "1", KEY_SAMPLES, S(samples_min), .min = 1, .max = 1000),
	KEY("metrics", "where its numbers are read: stdout, fd, or a JSON file's path", "stdout", KEY_METRICS, S(metrics)),
	KEY("exclusive", "nothing else is measured meanwhile", "false", KEY_BOOL, S(exclusive)),
	KEY("budget", "limits of one sample", NULL, KEY_MAP, S(budget), .sub = process_keys),
	END
};

#define G(field) AT(struct guard, field)
static const char *const guard_bounds[] = { "min", "max", "max_regression", NULL };
static const struct key guard_keys[] = {
	KEY("metric", "the number that must stay within its bound", NULL, KEY_STRING, G(metric), .flags = KEY_REQUIRED, .rule = &rule_metric),
	KEY("direction", "which way is better, for max_regression", NULL, KEY_WORD, G(direction), .words = directions),
	KEY("min", "least value", NULL, KEY_NUMBER, G(min)),
	KEY("max", "greatest value", NULL, KEY_NUMBER, G(max)),
	KEY("max_regression", "how much worse than best and than the baseline: a number, or a share such as 0.5%", NULL, KEY_AMOUNT, G(max_regression)),
	KEY("owner", "who answers for it", NULL, KEY_STRING, G(owner)),
	KEY("on_violation", "what leaving the bound leads to", "reject", KEY_WORD, G(on_violation), .words = guard_violations),
	END
};

static const struct key holdout_keys[] = {
	KEY("command", "measures on data that nobody else sees", NULL, KEY_TEXT, P(holdout.command), .flags = KEY_REQUIRED),
	KEY("data", "places that only this command sees", NULL, KEY_STRINGS, P(holdout.data), .rule = &rule_abs_path),
	KEY("metric", "the number it prints", NULL, KEY_STRING, P(holdout.metric), .flags = KEY_REQUIRED, .rule = &rule_metric),
	KEY("direction", "which way is better", NULL, KEY_WORD, P(holdout.direction), .flags = KEY_REQUIRED, .words = directions),
	KEY("max_regression", "how much worse it may be", NULL, KEY_AMOUNT, P(holdout.max_regression)),
	KEY("looks", "how often it may be asked in a campaign", NULL, KEY_COUNT, P(holdout.looks), .min = 1),
	KEY("budget", "limits of one run", NULL, KEY_MAP, P(holdout.budget), .sub = process_keys),
	END
};

static const struct key decide_keys[] = {
	KEY("calibrate", "how often the baseline is measured", "1", KEY_INT, P(decide.calibrate), .min = 1, .max = 1000),
	KEY("confirm", "how often a would-be accept is measured again", "0", KEY_INT, P(decide.confirm), .min = 0, .max = 1000),
	KEY("recheck", "measure best again after this many experiments", "0", KEY_INT, P(decide.recheck), .min = 0, .max = 1000000),
	KEY("confidence", "how sure a gain must be, by its samples", NULL, KEY_NUMBER, P(decide.confidence), .min = 0, .max = 1,
	  .flags = KEY_NONE_IS_ZERO | KEY_ABOVE_MIN | KEY_BELOW_MAX),
	END
};

#define H(field) AT(struct human, field)
static const struct key human_keys[] = {
	KEY("name", "what the criterion is called", NULL, KEY_STRING, H(name), .flags = KEY_REQUIRED, .rule = &rule_stage),
	KEY("ask", "the question", NULL, KEY_STRING, H(ask), .flags = KEY_REQUIRED),
	KEY("owner", "who answers it", NULL, KEY_STRING, H(owner)),
	END
};

static const struct key escalate_keys[] = {
	KEY("agent_confidence_below", "ask when the agent's own word is below", NULL, KEY_NUMBER, P(escalate.agent_confidence_below), .min = 0, .max = 1),
	KEY("outside", "ask when a metric leaves its range: {name: [min, max]}", NULL, KEY_RANGES, LIST(struct policy, escalate.outside, escalate.n_outside)),
	KEY("failures", "stop and ask after this many failures in a row", "5", KEY_COUNT, P(escalate.failures), .min = 1),
	KEY("not_converged", "ask when the campaign ends without a gain", "false", KEY_BOOL, P(escalate.not_converged)),
	KEY("human", "questions that a person answers before an accept", NULL, KEY_MAPS, LIST(struct policy, escalate.human, escalate.n_human),
	  .sub = human_keys),
	KEY("block", "what waits for the answer", "candidate", KEY_WORD, P(escalate.block), .words = blocks),
	END
};

static const char *const budget_bounds[] = { "experiments", "wall", NULL };
static const struct key budget_keys[] = {
	KEY("experiments", "how many experiments", NULL, KEY_COUNT, P(budget.experiments), .min = 1),
	KEY("wall", "how long the loop may run, over all sessions", NULL, KEY_DURATION, P(budget.wall)),
	KEY("usd", "money, where the agent can be metered", NULL, KEY_NUMBER, P(budget.usd), .min = 0, .max = MANY,
	  .flags = KEY_NONE_IS_MINUS | KEY_ABOVE_MIN),
	KEY("tokens", "tokens, where the agent can be metered", NULL, KEY_COUNT, P(budget.tokens), .min = 1),
	KEY("plateau", "end after this many experiments without an accept", NULL, KEY_COUNT, P(budget.plateau), .min = 1),
	END
};

static const struct key parallel_keys[] = {
	KEY("jobs", "experiments at a time", "1", KEY_INT, P(parallel.jobs), .min = 1, .max = PARALLEL_MAX),
	KEY("devices", "the device of each slot", NULL, KEY_STRINGS, P(parallel.devices), .flags = KEY_ANY_SCALAR),
	END
};

const struct key policy_keys[] = {
	KEY("version", "version of this format: 1", NULL, KEY_INT, P(version), .flags = KEY_REQUIRED, .min = 1, .max = 1),
	KEY("campaign", "name of the campaign that this file describes", NULL, KEY_STRING, P(campaign), .rule = &rule_campaign),
	KEY("goal", "what is to be improved", NULL, KEY_MAP, .sub = goal_keys, .flags = KEY_REQUIRED),
	KEY("surface", "what an experiment may change", NULL, KEY_MAP, .sub = surface_keys, .flags = KEY_REQUIRED),
	KEY("workspace", "where its processes run", NULL, KEY_MAP, .sub = workspace_keys),
	KEY("agent", "who proposes", NULL, KEY_MAP, .sub = agent_keys, .flags = KEY_REQUIRED),
	KEY("execute", "the step that runs the candidate", NULL, KEY_MAP, .sub = execute_keys),
	KEY("evaluate", "stages that judge it, in order; each is a gate", NULL, KEY_MAPS, LIST(struct policy, stages, n_stages),
	  .elem_pos = offsetof(struct stage, pos), .sub = stage_keys, .flags = KEY_REQUIRED | KEY_NOT_EMPTY),
	KEY("evaluation_ratio", "with `execute`: evaluation may take this many times execute.budget.wall", "1.0", KEY_NUMBER,
	  P(evaluation_ratio), .min = 0, .max = MANY, .flags = KEY_ABOVE_MIN),
	KEY("guards", "bounds on other metrics", NULL, KEY_MAPS, LIST(struct policy, guards, n_guards),
	  .elem_pos = offsetof(struct guard, pos), .sub = guard_keys, .one_of = guard_bounds),
	KEY("holdout", "a last measurement of would-be accepts on hidden data", NULL, KEY_MAP, .sub = holdout_keys),
	KEY("decide", "how often is measured, and how sure is sure", NULL, KEY_MAP, .sub = decide_keys),
	KEY("escalate", "when a person is asked", NULL, KEY_MAP, .sub = escalate_keys),
	KEY("budget", "what the whole campaign may spend", NULL, KEY_MAP, .sub = budget_keys, .flags = KEY_REQUIRED, .one_of = budget_bounds),
	KEY("parallel", "experiments side by side", NULL, KEY_MAP, .sub = parallel_keys),
	KEY("enforcement", "say what is missing of the wall, or refuse to start", "auto", KEY_WORD, P(enforcement_require), .words = enforcements),
	END
};
/* clang-format on */

const struct key *key_find(const struct key *keys, const char *name)
{
	for (; keys->name; keys++)
		if (strcmp(keys->name, name) == 0)
			return keys;
	return NULL;
}

bool word_find(const struct word *words, const char *name, int *ret)
{
	for (; words->name; words++)
		if (strcmp(words->name, name) == 0) {
			*ret = words->value;
			return true;
		}
	return false;
}

const char *word_name(const struct word *words, int value)
{
	for (; words->name; words++)
		if (words->value == value)
			return words->name;
	return NULL;
}

static bool elsewhere(const struct key *keys, const char *map, const char *name, struct str *ret)
{
	if (key_find(keys, name)) {
		str_puts(ret, map);
		return true;
	}
	for (; keys->name; keys++)
		if (keys->sub && elsewhere(keys->sub, keys->name, name, ret))
			return true;
	return false;
}

bool key_elsewhere(const char *name, struct str *ret_map)
{
	return elsewhere(policy_keys, "", name, ret_map);
}
