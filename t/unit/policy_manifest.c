/*
 * harness.yaml as people and enemies write it: the whole example, defaults, the rules between keys, and what YAML has in store.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/mem.h"
#include "policy/policy.h"

#define SECOND INT64_C(1000000000)
#define WHOLE "t/fuzz/corpus/policy/whole.yaml"	/* every key of the format */

static struct policy *parse(const char *text)
{
	struct policy *p = NULL;
	struct err err = { 0 };

	if (policy_parse("harness.yaml", text, strlen(text), &p, &err) < 0)
		fail_msg("refused: %s\n%s", err.msg, text);
	return p;
}

static void refused_bytes(const char *text, size_t len, const char *message)
{
	struct policy *p = NULL;
	struct err err = { 0 };

	if (policy_parse("harness.yaml", text, len, &p, &err) >= 0)
		fail_msg("accepted: %s", text);
	assert_int_equal(err.code, ERR_INVALID);
	if (!starts_with(err.msg, message))
		fail_msg("\n%.400s\ngave:   %s\nwanted: %s", text, err.msg, message);
}

static void refused(const char *text, const char *message)
{
	refused_bytes(text, strlen(text), message);
}

/* The least policy, with `lines` (top-level keys) first and in place of its own keys of that name. */
static char *policy_with(const char *lines)
{
	static const char *const least[][2] = {
		{ "version:", "version: 1\n" },
		{ "goal:", "goal: {metric: loss, direction: minimize}\n" },
		{ "surface:", "surface: {allow: [train.py]}\n" },
		{ "agent:", "agent: {use: command, command: ./propose}\n" },
		{ "evaluate:", "evaluate: [{command: ./eval}]\n" },
		{ "budget:", "budget: {experiments: 10}\n" },
	};
	STR text = STR_INIT;

	str_printf(&text, "%s\n", lines);
	for (size_t i = 0; i < ARRAY_SIZE(least); i++) {
		AUTOFREE char *inside = xasprintf("\n%s", least[i][0]);

		if (!starts_with(lines, least[i][0]) && !strstr(lines, inside))
			str_puts(&text, least[i][1]);
	}
	return str_detach(&text);
}

static struct policy *parse_with(const char *lines)
{
	AUTOFREE char *text = policy_with(lines);

	return parse(text);
}

static void free_policy(struct policy **p)
{
	policy_free(*p);
}
#define POLICY CLEANUP(free_policy) struct policy *

static char *read_whole(void)
{
	char *text = xcalloc(1, POLICY_MAX + 1);
	FILE *f = fopen(WHOLE, "r");

	if (!f)
		fail_msg("cannot open %s", WHOLE);
	(void)!fread(text, 1, POLICY_MAX, f);
	fclose(f);
	return text;
}

static void whole_front(const struct policy *p)
{
	assert_string_equal(p->campaign, "main");
	assert_string_equal(p->goal.metric, "val_bpb");
	assert_int_equal(p->goal.direction, MINIMIZE);
	assert_true(p->goal.min_delta.value == 0.0003 && !p->goal.min_delta.relative && p->goal.min_delta.set);
	assert_true(p->goal.target == 0.95);
	assert_false(p->goal.prefer_simpler);
	assert_int_equal(p->surface.allow.n, 2);
	assert_string_equal(p->surface.allow.v[1], "src/**");
	assert_string_equal(p->surface.deny.v[0], "src/eval/**");
	assert_true(p->surface.max_files == 10 && p->surface.max_lines == 400 && p->surface.max_bytes == 1 << 20);
	assert_int_equal(p->workspace.include.n, 2);
	assert_string_equal(p->workspace.prepare, "make deps");
	assert_true(p->workspace.devices);
	assert_int_equal(p->agent.use, AGENT_COMMAND);
	assert_string_equal(p->agent.brief, "program.md");
	assert_true(p->agent.budget.wall == 600 * SECOND && p->agent.budget.tokens == 200000 && p->agent.budget.usd == 1.5);
	assert_true(p->agent.budget.memory == INT64_C(4) << 30 && p->agent.budget.processes == 512);
	assert_int_equal(p->agent.network, NETWORK_OFF);
	assert_false(p->agent.home_keep);
}

static void whole_back(const struct policy *p)
{
	assert_string_equal(p->execute.command, "python3 train.py");
	assert_string_equal(p->execute.artifacts.v[0], "out/model.bin");
	assert_true(p->execute.shm == 1 << 30 && p->execute.env.n == 0);
	assert_int_equal(p->n_stages, 2);
	assert_string_equal(p->stages[0].name, "tests");
	assert_true(p->stages[0].budget.wall == 120 * SECOND && p->stages[0].samples_max == 1);
	assert_true(p->stages[1].samples_min == 3 && p->stages[1].exclusive && p->stages[1].pos.line == 44);
	assert_int_equal(p->n_guards, 2);
	assert_true(isnan(p->guards[0].min) && p->guards[0].max == 80000 && !p->guards[0].max_regression.set);
	assert_true(p->guards[1].max_regression.relative && p->guards[1].max_regression.value == 0.005);
	assert_int_equal(p->guards[1].on_violation, ON_ESCALATE);
	assert_string_equal(p->guards[1].owner, "compliance");
	assert_string_equal(p->holdout.command, "./holdout.sh");
	assert_true(p->holdout.looks == 5);
	assert_true(p->decide.calibrate == 3 && p->decide.confirm == 1 && p->decide.confidence == 0.95);
	assert_true(p->escalate.agent_confidence_below == 0.3 && p->escalate.failures == 5);
	assert_true(p->escalate.n_outside == 1 && p->escalate.outside[0].min == 0.5 && p->escalate.outside[0].max == 2);
	assert_string_equal(p->escalate.human[0].ask, "Would we send this to a customer?");
	assert_true(p->budget.experiments == 100 && p->budget.wall == 8 * 3600 * SECOND && p->budget.tokens == 5000000);
	assert_true(p->parallel.jobs == 1 && p->parallel.devices.n == 2 && !p->enforcement_require);
}

static void test_whole(void **state)
{
	AUTOFREE char *text = read_whole();
	CLEANUP(strs_free) struct strs metrics = { 0 };
	POLICY p = parse(text);

	(void)state;
	whole_front(p);
	whole_back(p);
	policy_metrics(p, &metrics);
	assert_int_equal(metrics.n, 3);
	assert_string_equal(metrics.v[0], "val_bpb");
	assert_string_equal(metrics.v[2], "accuracy");
}

static void test_defaults(void **state)
{
	POLICY p = parse_with("# nothing else");

	(void)state;
	assert_null(p->campaign);
	assert_true(p->goal.min_delta.value == 0 && isnan(p->goal.target));
	assert_true(p->surface.max_files == -1 && p->surface.max_lines == -1 && p->surface.max_bytes == -1);
	assert_int_equal(p->surface.on_violation, ON_REJECT);
	assert_true(p->agent.budget.wall == 600 * SECOND && p->agent.budget.output == 4 << 20);
	assert_true(p->agent.budget.memory == -1 && p->agent.budget.usd < 0 && p->agent.budget.tokens == -1);
	assert_null(p->execute.command);
	assert_true(p->execute.budget.wall == 600 * SECOND && p->execute.network == NETWORK_OFF);
	assert_string_equal(p->stages[0].name, "stage1");
	assert_true(p->stages[0].samples_min == 1 && p->stages[0].samples_max == 1 && p->stages[0].metrics == METRICS_STDOUT);
	assert_true(p->stages[0].budget.wall == 600 * SECOND && p->stages[0].budget.output == 4 << 20);
	assert_true(p->evaluation_ratio == 1.0);
	assert_true(p->decide.calibrate == 1 && p->decide.confirm == 0 && p->decide.recheck == 0 && p->decide.confidence == 0);
	assert_true(isnan(p->escalate.agent_confidence_below) && p->escalate.failures == 5 && !p->escalate.not_converged);
	assert_int_equal(p->escalate.block, BLOCK_CANDIDATE);
	assert_true(p->budget.experiments == 10 && p->budget.wall == -1 && p->budget.plateau == -1 && p->budget.usd < 0);
	assert_int_equal(p->parallel.jobs, 1);
	assert_null(p->holdout.command);
	assert_int_equal(p->unsupported.n, 0);
	assert_int_equal(p->warnings.n, 0);
	assert_int_equal(p->unenforced.n, 1);
	assert_string_equal(p->unenforced.v[0], "agent.network: off");
}

/* One line of the policy, and what must be said about it. */
struct row {
	const char *lines, *message;
};

static void refuse_rows(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		AUTOFREE char *text = policy_with(rows[i].lines);
		AUTOFREE char *message = xasprintf("harness.yaml:%s", rows[i].message);

		refused(text, message);
	}
}

static void test_places(void **state)
{
	static const struct row rows[] = {
		{ "goal:\n  metric: loss\n  treshold: 3", "3:3: unknown key 'treshold' in 'goal'" },
		{ "goal:\n  metrik: loss", "2:3: unknown key 'metrik' in 'goal'\nhint: did you mean 'metric'?" },
		{ "min_delta: 3", "1:1: unknown key 'min_delta'\nhint: 'min_delta' belongs in 'goal'" },
		{ "goal: {experiments: 3}", "1:8: unknown key 'experiments' in 'goal'\nhint: 'experiments' belongs in 'budget'" },
		{ "goal: {budget: 3}", "1:8: unknown key 'budget' in 'goal'\nhint: 'budget' belongs at the top" },
		{ "quite_else: 3", "1:1: unknown key 'quite_else'\nhint: the keys here are version, campaign, goal" },
		{ "goal: {metric: a, direction: down}", "1:30: 'goal.direction' must be minimize or maximize, not 'down'" },
		{ "goal: {metric: a, direction: minimise}",
		  "1:30: 'goal.direction' must be minimize or maximize, not 'minimise'\nhint: did you mean 'minimize'?" },
		{ "evaluate:\n  - command: a\n  - command: b\n    budget: {wall: 5}",
		  "4:20: 'evaluate[1].budget.wall' must be a duration such as 90s, 5m or 8h, not '5'" },
		{ "surface: {allow: train.py}", "1:18: 'surface.allow' must be a list, not 'train.py'\nhint: write [train.py]" },
		{ "surface: {allow: [a, ../b]}", "1:22: 'surface.allow' cannot be '../b'" },
		{ "goal: {direction: minimize}", "1:7: 'goal' has no 'metric'" },
		{ "goal: loss", "1:7: 'goal' must be a map" },
		{ "version: 2", "1:10: 'version' must be at most 1, not 2" },
		{ "goal: {metric: \xc3\xa4\xc3\xb6, x: 1}", "1:16: 'goal.metric' cannot be" },
	};

	(void)state;
	refuse_rows(rows, ARRAY_SIZE(rows));
	refused("version: 1\n", "harness.yaml:1:1: the policy has no 'goal'");
	refused("goal: {metric: a, direction: minimize}\n", "harness.yaml:1:1: the policy has no 'version'");
	refused("[1, 2]\n", "harness.yaml:1:1: the policy must be a map");
	refused("", "harness.yaml:1:1: the policy is empty");
	refused("# only a comment\n", "harness.yaml:1:1: the policy is empty");
}

static void test_rules(void **state)
{
	static const struct row rows[] = {
		{ "budget: {usd: 3}", "1:9: 'budget' needs 'experiments' or 'wall'" },
		{ "budget: {}", "1:9: 'budget' needs 'experiments' or 'wall'" },
		{ "goal: {metric: suspect, direction: minimize}", "1:16: 'goal.metric' cannot be 'suspect'" },
		{ "goal: {metric: wall, direction: minimize}", "1:16: 'goal.metric' cannot be 'wall': 'wall' is a key of the records" },
		{ "goal: {metric: 9lives, direction: minimize}", "1:16: 'goal.metric' cannot be '9lives'" },
		{ "guards: [{metric: exit, max: 3}]", "1:19: 'guards[0].metric' cannot be 'exit'" },
		{ "guards: [{metric: a, owner: b}]", "1:10: 'guards[0]' needs 'min', 'max' or 'max_regression'" },
		{ "guards: [{metric: a, max_regression: 1%}]", "1:10: 'guards[0].direction' is missing" },
		{ "guards: [{metric: a, min: 3, max: 2}]", "1:22: 'guards[0].min' must not be more than 'max'" },
		{ "guards: [{metric: a, max: 2, on_violation: drop}]", "1:44: 'guards[0].on_violation' must be reject or escalate" },
		{ "evaluate: []", "1:11: 'evaluate' must not be empty" },
		{ "surface: {allow: []}", "1:18: 'surface.allow' must not be empty" },
		{ "evaluate: [{command: a, name: x}, {command: b, name: x}]", "1:48: 'evaluate[1].name' is 'x', as another stage is" },
		{ "evaluate: [{command: a}, {command: b, name: stage1}]", "1:39: 'evaluate[1].name' is 'stage1'" },
		{ "evaluate: [{command: a, name: 'a b'}]", "1:31: 'evaluate[0].name' cannot be 'a b'" },
		{ "evaluate: [{command: a, budget: {tokens: 5}}]", "1:34: unknown key 'tokens' in 'evaluate[0].budget'" },
		{ "agent: {use: command}", "1:1: 'agent.command' is missing: 'use: command' needs it" },
		{ "agent: {use: tune}", "1:1: 'agent.parameters' is missing" },
		{ "agent: {use: patches}", "1:1: 'agent.from' is missing" },
		{ "agent: {use: patches, from: 'a/*', command: b}", "1:36: 'agent.command' is for 'use: command', not for 'use: patches'" },
		{ "agent: {use: command, command: b, seed: 3}", "1:35: 'agent.seed' is for 'use: tune'" },
		{ "agent: {use: command, command: b, env: ['A=b']}", "1:41: 'agent.env' cannot be 'A=b'" },
		{ "agent: {use: command, command: b, env: [GIT_HARNESS_SEED]}", "1:41: 'agent.env' cannot be" },
		{ "agent: {use: command, command: b, author: '<a>'}", "1:43: 'agent.author' cannot be" },
		{ "campaign: best", "1:11: 'campaign' cannot be 'best': 'best' is a reserved name" },
		{ "campaign: Main", "1:11: 'campaign' cannot be 'Main'" },
		{ "workspace: {include: [/etc]}", "1:23: 'workspace.include' cannot be '/etc'" },
		{ "workspace: {include: [a/../b]}", "1:23: 'workspace.include' cannot be" },
		{ "workspace: {include: [.GIT/hooks]}", "1:23: 'workspace.include' cannot be" },
		{ "workspace: {hide: [~/x]}", "1:20: 'workspace.hide' cannot be" },
		{ "workspace: {read: [x]}", "1:20: 'workspace.read' cannot be" },
		{ "execute: {artifacts: [a]}", "1:10: 'execute' has no 'command'" },
		{ "escalate: {outside: {cpu: [1, 2]}}", "1:22: 'escalate.outside' cannot name 'cpu'" },
		{ "escalate: {human: [{name: a, ask: b}, {name: a, ask: c}]}", "1:40: 'escalate.human[1].name' is 'a' again" },
		{ "decide: {confidence: 1}", "1:22: 'decide.confidence' must be less than 1, not 1" },
		{ "execute: {command: a, network: provider}", "1:32: 'execute.network' must be off or on" },
	};

	(void)state;
	refuse_rows(rows, ARRAY_SIZE(rows));
}

#define TUNE(p) "surface: {allow: [a.c]}\nagent:\n  use: tune\n  parameters:\n  - {name: lr, file: a.c, " p "}"

static void test_parameters(void **state)
{
	static const struct row rows[] = {
		{ TUNE("pattern: 'x', type: log, min: 1, max: 2"), "5:36: 'agent.parameters[0].pattern' cannot be 'x': a pattern has exactly one" },
		{ TUNE("pattern: '(x', type: log, min: 1, max: 2"), "5:36: 'agent.parameters[0].pattern' cannot be '(x': not a POSIX" },
		{ TUNE("pattern: '((((a{99}){99}){99}){99})', type: log, min: 1, max: 2"), "5:36: 'agent.parameters[0].pattern' cannot be" },
		{ TUNE("pattern: '(a)\\1', type: log, min: 1, max: 2"), "5:36: 'agent.parameters[0].pattern' cannot be" },
		{ TUNE("pattern: '(x)', type: log, min: 0, max: 2"), "5:54: 'agent.parameters[0].min' must be more than 0" },
		{ TUNE("pattern: '(x)', type: int, min: 0.5, max: 2"), "5:54: 'agent.parameters[0].min' and 'max' must be whole" },
		{ TUNE("pattern: '(x)', type: linear, min: 2, max: 2"), "5:57: 'agent.parameters[0].min' must be less than 'max'" },
		{ TUNE("pattern: '(x)', type: linear, max: 2"), "5:5: 'agent.parameters[0]' needs 'min' and 'max'" },
		{ TUNE("pattern: '(x)', type: int, min: 1, max: 2, choices: [1]"), "5:70: 'agent.parameters[0].choices' is for" },
		{ TUNE("pattern: '(x)', type: categorical"), "5:5: 'agent.parameters[0].choices' needs at least two" },
		{ TUNE("pattern: '(x)', type: categorical, choices: [a, a]"), "5:62: 'agent.parameters[0].choices' has 'a' twice" },
		{ TUNE("pattern: '(x)', type: categorical, choices: [a, b], max: 1"), "5:79: 'agent.parameters[0].max' is not for" },
		{ "agent: {use: tune, parameters: [{name: a, file: b.c, pattern: '(x)', type: int, min: 1, max: 2}]}",
		  "1:43: 'agent.parameters[0].file' is 'b.c', which is outside the surface" },
	};
	POLICY p = parse_with(TUNE("pattern: 'LR = ([0-9.e-]+)', type: log, min: 1e-4, max: 1") "\n"
			      "  - {name: act, file: ./a.c, pattern: '(relu|gelu)', type: categorical, choices: [relu, 2, on]}");

	(void)state;
	assert_int_equal(p->agent.n_params, 2);
	assert_true(p->agent.params[0].min == 1e-4 && p->agent.params[0].type == PARAM_LOG && p->agent.seed == 1);
	assert_string_equal(p->agent.params[1].file, "a.c");
	assert_string_equal(p->agent.params[1].choices.v[2], "on");
	assert_int_equal(p->unenforced.n, 0);
	refuse_rows(rows, ARRAY_SIZE(rows));
}

/* What YAML 1.1 would have made of it does not matter. */
static void test_words(void **state)
{
	POLICY p = parse_with("agent: {use: command, command: true, network: off, author: yes}\n"
			      "execute: {command: \"no\", network: 'on'}\n"
			      "evaluate:\n- command: |\n    make\n    make check\n  metrics: ./out/m.json\n");
	POLICY fd = parse_with("evaluate: [{command: \"a\\nb\", metrics: fd}]");

	(void)state;
	assert_string_equal(p->agent.command, "true");
	assert_int_equal(p->agent.network, NETWORK_OFF);
	assert_string_equal(p->agent.author, "yes");
	assert_string_equal(p->execute.command, "no");
	assert_int_equal(p->execute.network, NETWORK_ON);
	assert_string_equal(p->stages[0].command, "make\nmake check\n");
	assert_int_equal(p->stages[0].metrics, METRICS_FILE);
	assert_string_equal(p->stages[0].metrics_path, "out/m.json");
	assert_int_equal(fd->stages[0].metrics, METRICS_FD);
	assert_string_equal(fd->stages[0].command, "a\nb");
	assert_null(fd->stages[0].metrics_path);
}

static void test_yaml(void **state)
{
	static const struct row rows[] = {
		{ "goal: &g {metric: a, direction: minimize}", "1:7: an anchor ('&') is not allowed" },
		{ "goal: *g", "1:7: an alias ('*') is not allowed" },
		{ "surface: {allow: [*.c]}", "1:19: not valid YAML: text that begins with '*'\nhint: put it in quotes" },
		{ "goal: !!map {metric: a, direction: minimize}", "1:7: a tag ('!') is not allowed" },
		{ "goal: {metric: !x a}", "1:16: a tag ('!') is not allowed" },
		{ "goal: {<<: {metric: a}}", "1:8: a merge key ('<<') is not allowed" },
		{ "goal: {metric: a, metric: b}", "1:19: duplicate key 'metric'" },
		{ "version: 1\nversion: 1", "2:1: duplicate key 'version'\nhint: it is already given at line 1" },
		{ "goal: {[a]: b}", "1:8: a key must be a word" },
		{ "goal:\n\tmetric: a", "2:1: a tab in the indentation" },
		{ "goal:\n  metric: a\n \tdirection: minimize", "3:" },
		{ "goal: {metric: a", "2:8: not valid YAML: " },
		{ "goal: {metric: \"a\\0b\"}", "1:16: a control character in the text" },
		{ "goal: {metric: a\x1b[2J}", "1:17: an invisible control character" },
		{ "goal: {metric: a} # \xe2\x80\xae hidden", "1:21: an invisible control character" },
		{ "goal: 1 # \xe2\x80\xa8surface: 2", "1:11: an invisible control character" },
		{ "goal: 1 # \xc2\x85surface: 2", "1:11: an invisible control character" },
		{ "goal: {metric: a\xff}", "1:17: byte 0xff is not UTF-8 text" },
		{ "goal: {metric: \xc0\xaf}", "1:16: byte 0xc0 is not UTF-8 text" },
		{ "goal: {metric: \xed\xa0\x80}", "1:16: byte 0xed is not UTF-8 text" },
		{ "%TAG ! tag:x,2000:\n---", "1:1: a directive ('%') is not allowed" },
		{ "%YAML 1.1\n---", "1:1: a directive ('%') is not allowed" },
	};
	AUTOFREE char *least = policy_with("# least");
	AUTOFREE char *two = xasprintf("%s---\n%s", least, least);
	AUTOFREE char *bom = xasprintf("\xef\xbb\xbf%s", least);
	AUTOFREE char *framed = xasprintf("---\n%s...\n", least);

	(void)state;
	refuse_rows(rows, ARRAY_SIZE(rows));
	refused(two, "harness.yaml:8:1: a second document ('---') is not allowed");
	refused_bytes("version: 1\0goal", 15, "harness.yaml:1:11: a NUL byte");
	refused_bytes("v\0\0\0", 4, "harness.yaml:1:2: a NUL byte");
	policy_free(parse(bom));
	policy_free(parse(framed));
}

static char *repeated(const char *front, const char *piece, size_t n)
{
	STR text = STR_INIT;

	str_puts(&text, front);
	for (size_t i = 0; i < n; i++)
		str_puts(&text, piece);
	return str_detach(&text);
}

/* Each is answered at once: all together take milliseconds; ten seconds only fail on what is quadratic or worse. */
static void test_bombs(void **state)
{
	static const struct {
		const char *front, *piece, *message;
		size_t n;
	} bombs[] = {
		{ "goal: ", "[", "harness.yaml:1:70: nested deeper than 64 levels", 65000 },
		{ "goal: ", "{a: ", "harness.yaml:1:259: nested deeper than 64 levels", 16000 },
		{ "", "- ", "harness.yaml:1:", 32000 },
		{ "", "? ", "harness.yaml:", 32000 },
		{ "", "[", "harness.yaml:1:1: larger than 64 KiB", 100000 },
		{ "goal: {metric: ", "aaaaaaaaaaaaaaaa", "harness.yaml:", 4000 },
		{ "surface:\n  allow: [", "a,", "harness.yaml:2:", 32000 },
		{ "goal: '", "''", "harness.yaml:1:", 32000 },
		{ "", "%", "harness.yaml:", 60000 },
		{ "", " ", "harness.yaml:1:1: the policy is empty", 60000 },
		{ "", "---\n", "harness.yaml:", 16000 },
		{ "", "a: &a *a\n", "harness.yaml:1:", 7000 },
		{ "guards:\n", " - {metric: a, max: 1}\n", "harness.yaml:130:4: 'guards' has more than 128 entries", 1000 },
	};
	clock_t start = clock();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bombs); i++) {
		AUTOFREE char *text = repeated(bombs[i].front, bombs[i].piece, bombs[i].n);

		refused(text, bombs[i].message);
	}
	assert_true(clock() - start < 10 * CLOCKS_PER_SEC);
}

static void test_many_keys(void **state)
{
	STR text = STR_INIT;

	(void)state;
	str_puts(&text, "escalate:\n  outside:\n");
	for (int i = 0; i < 3000; i++)
		str_printf(&text, "    m%d: [1, 2]\n", i);
	refused(text.buf, "harness.yaml:1027:5: more than 1024 keys in a map");
}

/* A hostile key reaches the terminal as harmless text of bounded length. */
static void test_hostile_text(void **state)
{
	AUTOFREE char *text = repeated("goal: {", "k%s", 3000);
	AUTOFREE char *whole = xasprintf("%s: 1}", text);

	(void)state;
	refused("\"x\\ty\": 1\n", "harness.yaml:1:1: unknown key 'x");
	refused(whole, "harness.yaml:1:");
}

static void unsupported_is(const char *lines, const char *message)
{
	POLICY p = parse_with(lines);

	assert_int_equal(p->unsupported.n, 1);
	if (!starts_with(p->unsupported.v[0], message))
		fail_msg("%s\ngave: %s\nwanted: %s", lines, p->unsupported.v[0], message);
}

static void test_unsupported(void **state)
{
	static const struct row rows[] = {
		{ "agent: {use: claude}", "harness.yaml:1:9: agent.use: 'claude' is not in this version" },
		{ "agent: {use: llm}", "harness.yaml:1:9: agent.use: " },
		{ "agent: {use: command, command: a, network: provider}", "harness.yaml:1:35: agent.network: " },
		{ "agent: {use: command, command: a, budget: {tokens: 5k}}", "harness.yaml:1:44: agent.budget.tokens: the agent 'command' cannot" },
		{ "agent: {use: command, command: a, budget: {usd: 5}}", "harness.yaml:1:44: agent.budget.usd: " },
		{ "budget: {experiments: 5, usd: 0.5}", "harness.yaml:1:26: budget.usd: " },
		{ "budget: {experiments: 5, tokens: 5M}", "harness.yaml:1:26: budget.tokens: " },
		{ "evaluate: [{command: a, samples: {min: 2, max: 8}}]", "harness.yaml:1:25: evaluate[0].samples: " },
		{ "holdout: {command: a, metric: b, direction: minimize}", "harness.yaml:1:1: holdout: " },
		{ "decide: {confidence: 0.9}", "harness.yaml:1:10: decide.confidence: " },
		{ "decide: {recheck: 5}", "harness.yaml:1:10: decide.recheck: " },
		{ "enforcement: require", "harness.yaml:1:1: enforcement: " },
	};
	POLICY p = parse_with("evaluate: [{command: a, samples: {min: 3, max: 3}}]\ndecide: {calibrate: 3, confirm: 1, recheck: 0}");

	(void)state;
	assert_int_equal(p->unsupported.n, 0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		unsupported_is(rows[i].lines, rows[i].message);
}

static void test_unenforced(void **state)
{
	POLICY p = parse_with("agent: {use: command, command: a, network: on, budget: {memory: 4G, cpu: 5m}}\n"
			      "execute: {command: a, shm: 1G, budget: {disk: 1G, wall: 5m}}\nworkspace: {devices: off, hide: [/srv], read: ['~/.cache']}\n"
			      "evaluate: [{command: a}, {command: b, budget: {processes: 5}}]");
	static const char *const expect[] = {
		"execute.network: off", "agent.budget.memory", "agent.budget.cpu", "execute.budget.disk", "evaluate[1].budget.processes",
		"workspace.devices: off", "workspace.hide", "execute.shm",
	};

	(void)state;
	assert_int_equal(p->unenforced.n, ARRAY_SIZE(expect));
	for (size_t i = 0; i < ARRAY_SIZE(expect); i++)
		assert_string_equal(p->unenforced.v[i], expect[i]);
}

static void test_warnings(void **state)
{
	POLICY p = parse_with("evaluation_ratio: 2\nsurface: {allow: ['**']}\n"
			      "agent: {use: patches, from: 'p/*', brief: a.md}\nguards: [{metric: a, max: 3, direction: minimize}]");
	POLICY none = parse_with("agent: {use: patches, from: 'p/*'}");

	(void)state;
	assert_int_equal(p->warnings.n, 4);
	assert_true(starts_with(p->warnings.v[0], "harness.yaml:3:36: agent.brief: has no effect"));
	assert_true(starts_with(p->warnings.v[1], "harness.yaml:1:1: evaluation_ratio: has no effect"));
	assert_int_equal(none->warnings.n + none->unenforced.n, 0);
}

static int compared(const char *a, const char *b)
{
	POLICY x = parse_with(a);
	POLICY y = parse_with(b);

	assert_int_equal(policy_compare(x, y), policy_compare(y, x));
	return policy_compare(x, y);
}

static void test_compare(void **state)
{
	AUTOFREE char *whole = read_whole();
	POLICY p = parse(whole);
	POLICY q = parse(whole);

	(void)state;
	assert_int_equal(policy_compare(p, q), 0);
	assert_int_equal(compared("# x", "#y\nevaluate: [{name: stage1, command: ./eval, samples: 1}]"), 0);
	assert_int_equal(compared("# x", "goal: {metric: loss, direction: minimize, min_delta: 0.1}"), POLICY_MEASURE_AGAIN);
	assert_int_equal(compared("# x", "goal: {metric: loss, direction: minimize, min_delta: 0}"), 0);
	assert_int_equal(compared("# x", "execute: {command: a}"), POLICY_MEASURE_AGAIN);
	assert_int_equal(compared("# x", "evaluate: [{command: ./eval, budget: {wall: 5m}}]"), POLICY_MEASURE_AGAIN);
	assert_int_equal(compared("# x", "evaluate: [{command: ./eval, metrics: a.json}]"), POLICY_MEASURE_AGAIN);
	assert_int_equal(compared("# x", "guards: [{metric: a, max: 3}]"), POLICY_MEASURE_AGAIN);
	assert_int_equal(compared("guards: [{metric: a, max: 2}]", "guards: [{metric: a, max: 3}]"), POLICY_MEASURE_AGAIN);
	assert_int_equal(compared("# x", "decide: {calibrate: 2}"), POLICY_MEASURE_AGAIN);
	assert_int_equal(compared("# x", "workspace: {include: [data]}"), POLICY_MEASURE_AGAIN);
	assert_int_equal(compared("# x", "holdout: {command: a, metric: b, direction: minimize}"), POLICY_MEASURE_AGAIN);
	assert_int_equal(compared("# x", "budget: {experiments: 11}"), POLICY_OTHER);
	assert_int_equal(compared("# x", "escalate: {outside: {a: [1, 2]}}"), POLICY_OTHER);
	assert_int_equal(compared("escalate: {outside: {a: [1, 3]}}", "escalate: {outside: {a: [1, 2]}}"), POLICY_OTHER);
	assert_int_equal(compared("# x", "parallel: {devices: [0]}"), POLICY_OTHER);
	assert_int_equal(compared("goal: {metric: x, direction: minimize}", "surface: {allow: [b]}"), POLICY_OTHER | POLICY_MEASURE_AGAIN);
}

static void test_names(void **state)
{
	(void)state;
	assert_true(campaign_name_ok("main") && campaign_name_ok("0") && campaign_name_ok("a-b_c"));
	assert_true(campaign_name_ok("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"));
	assert_false(campaign_name_ok("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"));
	assert_false(campaign_name_ok("") || campaign_name_ok("-a") || campaign_name_ok("_a") || campaign_name_ok("a/b"));
	assert_false(campaign_name_ok("best") || campaign_name_ok("review") || campaign_name_ok("A"));
	assert_true(metric_name_ok("val_bpb") && metric_name_ok("a/b.c-d") && metric_name_ok("_") && metric_name_ok("T"));
	assert_false(metric_name_ok("") || metric_name_ok("1a") || metric_name_ok(".a") || metric_name_ok("a b"));
	assert_false(metric_name_ok("t") || metric_name_ok("n") || metric_name_ok("stage") || metric_name_ok("maxrss"));
	assert_string_equal(agent_kind_name(AGENT_PATCHES), "patches");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole), cmocka_unit_test(test_defaults), cmocka_unit_test(test_places),
		cmocka_unit_test(test_rules), cmocka_unit_test(test_parameters), cmocka_unit_test(test_words),
		cmocka_unit_test(test_yaml), cmocka_unit_test(test_bombs), cmocka_unit_test(test_many_keys),
		cmocka_unit_test(test_hostile_text), cmocka_unit_test(test_unsupported), cmocka_unit_test(test_unenforced),
		cmocka_unit_test(test_warnings), cmocka_unit_test(test_compare), cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
