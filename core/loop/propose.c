/* PROPOSE: ask the agent once, wait for its whole tree of processes to be dead, take what changed. */
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/glob.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"
#include "loop/session.h"

#define PROPOSAL_BYTES ((size_t)256 * 1024)

static bool on_surface(const struct surface *s, const char *path)
{
	bool in = false;

	for (size_t i = 0; i < s->allow->n && !in; i++)
		in = glob_match(s->allow->v[i], path);
	for (size_t i = 0; i < s->deny->n && in; i++)
		in = !glob_match(s->deny->v[i], path);
	return in;
}

/* A new directory matters as soon as one of its files could be on the surface: `src` itself does not match "src" and all below. */
static bool want(void *data, const char *path)
{
	const struct surface *s = data;
	size_t len = strlen(path);
	AUTOFREE char *dir = len && path[len - 1] == '/' ? xstrndup(path, len - 1) : NULL;
	bool ret = false;

	if (!dir)
		return on_surface(s, path);
	for (size_t i = 0; i < s->allow->n && !ret; i++)
		ret = glob_match_below(s->allow->v[i], dir);
	return ret;
}

/*
 * The journal's line of a proposal that was paid for. `whole` holds all that the agent changed; what no tree can show (a special file, a
 * hostile name, a refused attribute, a cap) is named beside it. CHECK judges from this line alone, so it can be repeated after a crash.
 */
static int take(struct experiment *x, const struct oid *whole, const struct event *facts, struct err *err)
{
	EVENT line = { 0 };

	event_add(&line, "event", "taken");
	event_add_int(&line, "experiment", x->number);
	event_add_oid(&line, "whole", whole);
	event_add_secs(&line, "wall", x->agent_wall);
	event_add_int(&line, "dropped", x->dropped);
	event_add(&line, "source", x->proposal.source);
	for (size_t i = 0; i < facts->n; i++)
		event_add(&line, facts->pairs[i].key, facts->pairs[i].value);
	for (size_t i = 0; i < x->dropped_paths.n && i < 10; i++)
		event_addf(&line, "dropped_path", "%s", x->dropped_paths.v[i]);
	if ((!oid_eq(whole, &x->base_tree) && experiment_hold(x, whole, err) < 0) ||
	    experiment_journal(x, &line, true, err) < 0)
		return err->code;
	x->tree = *whole;
	x->taken = true;
	event_free(&x->facts);
	event_copy(&line, &x->facts);
	return 0;
}

static int save_proposal(struct experiment *x, struct err *err)
{
	STR text = STR_INIT;

	if (x->proposal.subject)
		str_printf(&text, "%s\n", x->proposal.subject);
	if (x->proposal.body)
		str_printf(&text, "\n%s\n", x->proposal.body);
	if (!isnan(x->proposal.confidence)) {	/* to the last digit: this text is what a resumed experiment reads */
		char num[NUM_TEXT];

		num_format(x->proposal.confidence, num);
		str_printf(&text, "\nConfidence: %s\n", num);
	}
	if (x->proposal.stop)
		str_puts(&text, "\nStop: true\n");
	return text.len ? experiment_save(x, "proposal.md", text.buf, text.len, err) : 0;
}

/* No tree to speak of: the agent failed. The number is used all the same, and its first line says what was proposed. */
static int gave_up(struct experiment *x, const char *why, struct err *err)
{
	x->tree = x->base_tree;
	if (experiment_proposed(x, &(struct tree_changes){ 0 }, err) < 0)
		return err->code;
	experiment_blame(x, VERDICT_REJECT, REASON_AGENT_FAILED, why);
	return experiment_post(x, MOVE_FAILED);
}

static int give_up(struct experiment *x, const char *why, struct err *err)
{
	EVENT facts = { 0 };

	event_add(&facts, "failed", reason_names[REASON_AGENT_FAILED]);
	event_add(&facts, "why", why);
	return take(x, &x->base_tree, &facts, err) < 0 ? err->code : gave_up(x, why, err);
}

/* In-surface files keep the base's mode, new ones are plain files: an executable bit is not the agent's to set. */
static uint32_t mode_of(const struct surface *s, const struct found *f)
{
	if (!S_ISREG(f->new_mode) || !on_surface(s, f->path))
		return f->new_mode;
	return S_ISREG(f->old.mode) ? f->old.mode : 0100644;
}

static void add_bad(struct event *facts, const char *path, const char *why)
{
	STR safe = STR_INIT;

	if (event_get(facts, "bad"))
		return;
	text_record(path, strlen(path), &safe);
	event_add(facts, "bad", safe.buf);
	event_add(facts, "bad_why", why);
}

/* Everything found, on top of base, as one tree; what must never enter a tree is left out and named. */
static int whole_tree(struct experiment *x, const struct harvest *h, struct oid *ret, struct event *facts, struct err *err)
{
	struct loop *l = x->loop;
	CLEANUP(tree_changes_free) struct tree_changes changes = { 0 };

	for (size_t i = 0; i < h->n; i++) {
		const struct found *f = &h->v[i];
		struct tree_entry new = { .mode = mode_of(&l->surface, f), .id = f->blob };
		bool gitlink = (f->new_mode & S_IFMT) == 0160000;

		if (surface_name_hostile(f->path))
			add_bad(facts, f->path, "a name that must not enter a tree");
		else if (f->special)
			add_bad(facts, f->path, "not a regular file");
		else if (gitlink)
			add_bad(facts, f->path, "a nested repository");
		else {
			if (f->refused_attr) {
				AUTOFREE char *why = xasprintf("changed under the attribute '%s'", f->refused_attr);

				add_bad(facts, f->path, why);
			}
			tree_changes_add(&changes, f->path, &f->old, &new);
			continue;
		}
		if (f->old.mode)	/* what stood there is gone all the same */
			tree_changes_add(&changes, f->path, &f->old, &(struct tree_entry){ 0 });
	}
	if (h->over)
		event_add(facts, "over", h->over);
	tree_changes_sort(&changes);
	return tree_update(l->repo, &x->base_tree, &changes, ret, err);
}

static int harvest(struct experiment *x, struct oid *ret, struct event *facts, struct err *err)
{
	CLEANUP(harvest_free) struct harvest found = { 0 };
	struct rules *rules;
	int rc;

	if (rules_open(x->loop->repo, &x->base_tree, &rules, err) < 0)
		return err->code;
	rc = workspace_harvest(x->ws, rules, want, &x->loop->surface, &found, err);
	rules_free(rules);
	if (rc < 0)
		return err_wrap(err, "cannot read what the agent left");
	x->dropped = found.n_dropped;
	for (size_t i = 0; i < found.dropped.n; i++)
		strs_add(&x->dropped_paths, found.dropped.v[i]);
	return whole_tree(x, &found, ret, facts, err);
}

static int read_proposal(struct experiment *x, struct err *err)
{
	AUTOFREE char *path = xasprintf("%s/proposal.md", workspace_outside(x->ws));
	AUTOCLOSE int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	STR text = STR_MAX(PROPOSAL_BYTES);
	struct err cut;

	if (fd < 0)
		return 0;
	(void)io_read_head(fd, PROPOSAL_BYTES, &text, &cut);	/* a directory holds none */
	proposal_parse(text.buf, text.len, &x->proposal);
	return save_proposal(x, err);
}

static int taken_from_process(struct experiment *x, const struct task_end *end, struct err *err)
{
	EVENT facts = { 0 };
	struct oid whole;

	if (end->exit == 125 && !end->timed_out) {
		snprintf(x->loop->result.why, sizeof(x->loop->result.why), "the agent has no more ideas");
		return experiment_post(x, MOVE_NO_IDEAS);
	}
	if (read_proposal(x, err) < 0)
		return err->code;
	if (end->exit && !end->timed_out) {
		AUTOFREE char *why = xasprintf("the agent ended with exit status %d", end->exit);

		return give_up(x, why, err);
	}
	if (harvest(x, &whole, &facts, err) < 0)
		return err->code;
	if (end->timed_out) {	/* its unfinished work is kept for people, not measured */
		event_add(&facts, "failed", reason_names[REASON_TIMEOUT]);
		event_add(&facts, "why", "the agent took longer than its budget");
	}
	if (take(x, &whole, &facts, err) < 0)
		return err->code;
	return experiment_post(x, MOVE_PROPOSED);
}

static int agent_ended(void *data, struct task *task, const struct task_end *end, struct err *err)
{
	struct experiment *x = data;
	STR log = STR_INIT;

	x->agent = NULL;
	capture_text(task_capture(task), &log);
	task_free(task);
	if (end->cancelled)
		return loop_cancelled(x, err);
	x->agent_wall = end->wall;
	if (experiment_save(x, "agent.log", log.buf, log.len, err) < 0 || taken_from_process(x, end, err) < 0)
		return err->code;
	workspace_release(x->ws);
	x->ws = NULL;
	return experiment_pump(x, err);
}

/* What the agent's own git is given: our hooks tell early, by a message, what CHECK would refuse later. */
static void hook_env(const struct loop *l, struct strs *env)
{
	if (!l->hooks_path)
		return;
	strs_add(env, "GIT_CONFIG_COUNT=1");
	strs_add(env, "GIT_CONFIG_KEY_0=core.hooksPath");
	strs_addf(env, "GIT_CONFIG_VALUE_0=%s", l->hooks_path);
}

static int start_process(struct experiment *x, struct err *err)
{
	struct loop *l = x->loop;
	const struct policy *p = l->policy;
	CLEANUP(strs_free) struct strs env = { 0 };
	STR brief = STR_INIT;
	struct task_spec spec;
	AUTOFREE char *path = NULL;

	if (workspace_open(l->pool, &x->base, &x->base_tree, &x->ws, err) < 0)
		return err_wrap(err, "cannot open a workspace for the agent");
	brief_write(l, x, &brief);
	path = xasprintf("%s/brief.md", workspace_outside(x->ws));
	if (io_replace(path, brief.buf, brief.len, 0644, 0, err) < 0 ||
	    experiment_save(x, "brief.md", brief.buf, brief.len, err) < 0)
		return err->code;
	task_env(&p->agent.env, workspace_tmp(x->ws), &env);
	strs_addf(&env, "GIT_HARNESS_CAMPAIGN=%s", l->campaign);
	strs_addf(&env, "GIT_HARNESS_EXPERIMENT=%d", x->number);
	strs_addf(&env, "GIT_HARNESS_BRIEF=%s", path);
	strs_addf(&env, "GIT_HARNESS_PROPOSAL=%s/proposal.md", workspace_outside(x->ws));
	hook_env(l, &env);
	spec = (struct task_spec){
		.command = p->agent.command, .dir = workspace_dir(x->ws),
		.enclosure = workspace_enclosure(x->ws), .env = &env, .in = brief.buf, .in_len = brief.len,
		.wall = p->agent.budget.wall, .output = p->agent.budget.output, .close_fds = l->bench.close_fds,
	};
	if (task_start(l->reactor, &spec, agent_ended, x, &x->agent, err) < 0)
		return err_wrap(err, "cannot start the agent");
	return 0;
}

/* What is recorded, by number; behind it what is proposed and has no verdict yet. */
static int look_back(const struct loop *l, struct attempt *past, size_t *n, struct err *err)
{
	const struct record *before = NULL;

	*n = 0;
	for (size_t i = 0; i < l->h->n_records; i++) {
		const struct record *r = history_record(l->h, (int)i);

		if (!r)
			continue;
		past[*n] = (struct attempt){
			.number = r->number, .baseline = r->baseline, .tree = r->tree, .verdict = r->verdict,
			.reason = r->reason, .value = r->has_value ? r->value : (double)NAN, .source = r->source,
		};
		if (before && oid_eq(&r->base, &before->base))	/* most stand on the same */
			past[*n].base_tree = past[*n - 1].base_tree;
		else if (tree_of_commit(l->repo, &r->base, &past[*n].base_tree, err) < 0)
			return err_wrap(err, "experiment %d", r->number);
		before = r;
		++*n;
	}
	for (size_t i = 0; i < l->n_slots; i++) {
		const struct experiment *y = &l->slots[i];

		if (y->open && y->kind == KIND_NEW && y->taken)
			past[(*n)++] = (struct attempt){
				.number = y->number, .base_tree = y->base_tree, .tree = y->tree, .value = (double)NAN,
				.source = event_get(&y->facts, "source"),
			};
	}
	return 0;
}

static int ask_agent(struct experiment *x, struct err *err)
{
	struct loop *l = x->loop;
	bool told = l->policy->agent.use == AGENT_COMMAND;	/* a process is told by its brief */
	CLEANUP(autofree) struct attempt *past = told ? NULL : xcalloc(l->h->n_records + l->n_slots, sizeof(*past));
	struct ask ask = {
		.repo = l->repo, .policy = l->policy, .campaign = l->campaign, .number = x->number,
		.base_commit = x->base, .base_tree = x->base_tree, .start_commit = l->h->start, .past = past,
	};
	EVENT facts = { 0 };

	if (past && look_back(l, past, &ask.n_past, err) < 0)
		return err->code;
	proposal_clear(&x->proposal);
	if (agent_propose(l->agent, &ask, &x->proposal, err) < 0)
		return err_wrap(err, "agent '%s'", agent_name(l->agent));
	switch (x->proposal.kind) {
	case PROPOSAL_PROCESS:
		return start_process(x, err);
	case PROPOSAL_NONE:
		snprintf(l->result.why, sizeof(l->result.why), "the agent has no more ideas");
		return experiment_post(x, MOVE_NO_IDEAS);
	case PROPOSAL_FAILED:
		if (save_proposal(x, err) < 0)
			return err->code;
		return give_up(x, x->proposal.why, err);
	case PROPOSAL_TREE:
		break;
	}
	if (save_proposal(x, err) < 0 || take(x, &x->proposal.tree, &facts, err) < 0)
		return err->code;
	return experiment_post(x, MOVE_PROPOSED);
}

static int pause_over(void *data, struct err *err)
{
	struct experiment *x = data;

	watch_free(x->pause);
	x->pause = NULL;
	return ask_agent(x, err) < 0 ? err->code : experiment_pump(x, err);
}

int enter_propose(struct experiment *x, struct err *err)
{
	struct loop *l = x->loop;
	/* Only a process can be better a moment later; a patch that does not apply never is. */
	int64_t pause = l->policy->agent.use == AGENT_COMMAND ? budget_pause(l->h->agent_failures) : 0;
	const char *failed = event_get(&x->facts, "failed");

	if (x->taken && str_eq(failed, reason_names[REASON_AGENT_FAILED]))
		return gave_up(x, event_get(&x->facts, "why"), err);
	if (x->taken)
		return experiment_post(x, MOVE_PROPOSED);
	if (pause <= 0)
		return ask_agent(x, err);
	loop_say(l, "the agent failed %d time%s in a row; the next try is in %d s", (int)l->h->agent_failures,
		 l->h->agent_failures == 1 ? "" : "s", (int)(pause / NS_PER_S));
	return reactor_timer(l->reactor, clock_mono() + pause, pause_over, x, &x->pause, err);
}
