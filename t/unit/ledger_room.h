/*
 * ledger_room.h - a campaign in a repository of its own, recorded as the loop records: for tests of core/ledger.
 * The surface is `value`, the metric `score` is the number in it, smaller is better, 10 is where it starts.
 */
#ifndef LEDGER_ROOM_H
#define LEDGER_ROOM_H

#include "git_room.h"

#include <math.h>

#include "base/num.h"
#include "git/commit.h"
#include "git/note.h"
#include "git/ref.h"
#include "git/tree.h"
#include "ledger/act.h"
#include "ledger/ledger.h"
#include "ledger/record.h"
#include "ledger/verify.h"

static struct err err;

struct camp {
	struct repo *repo;
	struct history *h;
	struct journal *journal;
	void (*before)(void *data, const char *ref);
	void *before_data;
	const char *policy;		/* further lines */
};

static UNUSED void camp_close(struct camp *c)
{
	history_free(c->h);
	repo_free(c->repo);
	c->h = NULL;
	c->repo = NULL;
}
#define CAMP CLEANUP(camp_close) struct camp

static UNUSED struct event *line(struct events *l, const struct camp *c, int number, const char *event)
{
	struct event *e = events_push(l);
	char n[32];

	act_begin(c->h, event, number, NULL, e);
	snprintf(n, sizeof(n), "%zu", l->n);
	event_set(e, "n", n);
	return e;
}

static UNUSED void decide_line(struct events *l, const struct camp *c, int number, const struct decision *d, const struct oid *base,
			       const struct oid *tree)
{
	struct event *e = line(l, c, number, "decide");
	char delta[NUM_TEXT];

	event_add(e, "verdict", verdict_names[d->verdict]);
	event_add(e, "reason", reason_names[d->reason]);
	event_add(e, "metric", d->metric);
	if (d->has_value)
		event_add_num(e, "value", d->value);
	if (d->has_best)
		event_add_num(e, "best", d->best);
	if (d->has_value && d->has_best) {
		num_format6(d->delta, delta);
		event_add(e, "delta", delta);
		event_add_num(e, "threshold", d->threshold);
	}
	event_add(e, "owner", d->owner);
	event_add_oid(e, "base", base);
	event_add_oid(e, "tree", tree);
	event_add_oid(e, "policy", &c->h->policy_blob);
	event_add_int(e, "level", 1);
	event_addf(e, "elapsed", "%d", number + 1);
}

static UNUSED void evaluate_line(struct events *l, const struct camp *c, int number, const char *samples, struct measured *ret)
{
	struct event *e = line(l, c, number, "evaluate");

	event_add(e, "stage", "score");
	event_add_int(e, "exit", samples ? 0 : 1);
	event_add(e, "wall", "0.5");
	event_add(e, "score", samples);
	while (samples && *samples) {
		size_t len = strcspn(samples, ",");
		double v;

		assert_true(num_parse(samples, len, &v));
		measured_add(ret, "score", v);
		samples += len + (samples[len] == ',');
	}
}

/* A tree whose file `path` holds text. */
static UNUSED struct oid tree_with(struct camp *c, const struct oid *commit, const char *path, const char *text)
{
	CLEANUP(tree_changes_free) struct tree_changes changes = { 0 };
	struct tree_entry new = { .mode = 0100644 };
	struct oid tree, ret;

	OK(tree_of_commit(c->repo, commit, &tree, &err));
	OK(repo_write_blob(c->repo, text, strlen(text), &new.id, &err));
	tree_changes_add(&changes, path, &(struct tree_entry){ 0 }, &new);
	OK(tree_update(c->repo, &tree, &changes, &ret, &err));
	return ret;
}

static UNUSED int put_down(struct camp *c, struct ledger_write *w)
{
	w->before = c->before;
	w->before_data = c->before_data;
	return ledger_write(c->repo, c->h, c->journal, w, &err);
}

/* Measures `commit` (its score is given) as the next number. */
static UNUSED int baseline(struct camp *c, const struct oid *commit, const char *samples)
{
	CLEANUP(events_free) struct events lines = { 0 };
	CLEANUP(measured_free) struct measured m = { 0 };
	struct decision_in in = { .policy = c->h->policy, .candidate = &m, .confidence = NAN };
	int number = (int)c->h->n_records;
	struct decision d;
	struct oid tree;
	struct ledger_write w = {
		.kind = ENTRY_BASELINE, .number = number, .lines = &lines, .annotate = commit, .n_annotate = 1, .best = *commit,
		.subject = "baseline",
	};

	OK(tree_of_commit(c->repo, commit, &tree, &err));
	evaluate_line(&lines, c, number, samples, &m);
	decide(&in, &d);
	decide_line(&lines, c, number, &d, commit, &tree);
	return put_down(c, &w);
}

struct attempt {
	const char *samples;		/* NULL: it crashed */
	const char *path, *text;	/* NULL: value, samples */
	const char *subject, *body;
	const char *agent;
	double confidence;		/* 0: none */
	enum reason reason;		/* 0: as decide() says */
	enum verdict verdict;
};

static UNUSED struct oid commit_of(struct camp *c, const struct events *lines, const struct attempt *a, const struct oid *tree,
				   const struct oid *parent)
{
	CLEANUP(record_clear) struct record r = { .number = (int)c->h->n_records };
	CLEANUP(ident_free) struct ident who = { 0 };
	STR message = STR_INIT;
	struct message_in in = {
		.record = &r, .policy = c->h->policy, .campaign = c->h->campaign, .policy_blob = &c->h->policy_blob,
		.subject = a->subject, .body = a->body,
	};
	struct commit_spec spec = { .tree = *tree, .parents = parent, .n_parents = 1, .author = &who, .committer = &who };
	struct oid ret;

	OK(record_fold(lines, &r, &err));
	OK(repo_ident(c->repo, &who, &err));
	ledger_message(&in, &message);
	spec.message = message.buf;
	OK(commit_write(c->repo, &spec, &ret, &err));
	return ret;
}

static UNUSED int try(struct camp *c, const struct attempt *a)
{
	CLEANUP(events_free) struct events lines = { 0 };
	CLEANUP(measured_free) struct measured m = { 0 };
	struct decision_in in = {
		.policy = c->h->policy, .candidate = &m, .best = c->h->best_measured, .baseline = c->h->baseline_measured,
		.confidence = a->confidence > 0 ? a->confidence : NAN,
	};
	const char *text = a->text ? a->text : a->samples ? a->samples : "broken";
	struct oid base = c->h->best, commit, tree = tree_with(c, &base, a->path ? a->path : "value", text);
	struct ledger_write w = { .kind = ENTRY_EXPERIMENT, .number = (int)c->h->n_records, .lines = &lines, .n_annotate = 1 };
	struct decision d = { .verdict = a->verdict, .reason = a->reason };
	struct event *e = line(&lines, c, w.number, "propose");

	event_add_oid(e, "base", &base);
	event_add(e, "agent", a->agent ? a->agent : "command");
	event_add(e, "net", "0");
	if (a->confidence > 0)
		event_add_num(e, "confidence", a->confidence);
	if (a->reason != REASON_SURFACE && a->reason != REASON_DUPLICATE && a->reason != REASON_NO_OP)
		evaluate_line(&lines, c, w.number, a->samples, &m);
	if (!a->reason)
		decide(&in, &d);
	decide_line(&lines, c, w.number, &d, &base, &tree);
	commit = commit_of(c, &lines, a, &tree, &base);
	w.commit = commit;
	w.annotate = &commit;
	w.best = d.verdict == VERDICT_ACCEPT ? commit : base;
	w.subject = "experiment";
	OK(repo_write_blob(c->repo, "log\n", 4, &w.files.agent_log, &err));
	return put_down(c, &w);
}

static UNUSED int value(struct camp *c, const char *samples)
{
	return try(c, &(struct attempt){ .samples = samples, .agent = "tune" });
}

static UNUSED int crash(struct camp *c)
{
	return try(c, &(struct attempt){ .verdict = VERDICT_REJECT, .reason = REASON_CRASH });
}

/* A repository, and a campaign whose baseline is recorded. */
static UNUSED void camp_open(struct camp *c)
{
	struct oid head, policy;

	sh("git init -q r && cd r && echo 10 >value && echo frozen >frozen && mkdir src && echo x >src/x &&"
	   "printf '%%s\\n' 'version: 1' 'goal: {metric: score, direction: minimize, min_delta: 0.5}' 'surface: {allow: [value]}'"
	   " 'agent: {use: command, command: \"true\"}' 'evaluate: [{name: score, command: \"cat value\"}]'"
	   " 'budget: {experiments: 100}' '%s' >harness.yaml && git add . && git commit -qm start", c->policy ? c->policy : "");
	assert_int_equal(chdir("r"), 0);
	OK(repo_open(NULL, &c->repo, &err));
	head = id_of("HEAD");
	policy = id_of("HEAD:harness.yaml");
	OK(ledger_start(c->repo, "main", &policy, &head, &err));
	OK(history_read(c->repo, "main", &c->h, &err));
	assert_true(c->h->needs_baseline);
	OK(baseline(c, &head, "10"));
}

/* Everything is well: objects, notes, best, and each decision. */
static UNUSED void all_well(struct camp *c)
{
	struct verify_result r;

	same("", "git fsck --strict --no-dangling 2>&1");
	OK(verify_campaign(c->repo, "main", &r, &err));
	if (r.broken)
		fail_msg("%s", r.what);
	assert_int_equal(r.records, c->h->n_records);
}

static UNUSED void does_not_follow(struct camp *c, const char *why)
{
	struct verify_result r;

	OK(verify_campaign(c->repo, "main", &r, &err));
	if (!r.broken || !strstr(r.what, why))
		fail_msg("wanted '%s', got: %s", why, r.broken ? r.what : "all is well");
	free(r.what);
}

#endif
