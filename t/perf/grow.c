/*
 * grow.c - a campaign with many experiments, recorded by our own ledger as the loop records them, without running anything.
 * grow <n>: in a repository whose HEAD holds a harness.yaml with surface `value` and metric `score` (smaller is better); makes the campaign
 * `main` where there is none, and adds numbers until it has n. Every 1000th is accepted, the others are worse.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/num.h"
#include "git/commit.h"
#include "git/ref.h"
#include "git/tree.h"
#include "ledger/act.h"
#include "ledger/ledger.h"
#include "ledger/names.h"
#include "ledger/record.h"

#define EACH_ACCEPTED 1000
#define EACH_PACKED 1000

static struct err err;
static struct repo *repo;
static struct history *h;

#define MUST(call) \
	do { \
		if ((call) < 0) \
			die(); \
	} while (0)

static _Noreturn void die(void)
{
	fprintf(stderr, "grow: %s\n", err.msg);
	exit(1);
}

static struct event *line(struct events *l, int number, const char *event)
{
	struct event *e = events_push(l);
	char n[32];

	act_begin(h, event, number, NULL, e);
	snprintf(n, sizeof(n), "%zu", l->n);
	event_set(e, "n", n);
	return e;
}

static void decide_line(struct events *l, int number, const struct decision *d, const struct oid *base, const struct oid *tree)
{
	struct event *e = line(l, number, "decide");
	char delta[NUM_TEXT];

	event_add(e, "verdict", verdict_names[d->verdict]);
	event_add(e, "reason", reason_names[d->reason]);
	event_add(e, "metric", d->metric);
	event_add_num(e, "value", d->value);
	if (d->has_best) {
		event_add_num(e, "best", d->best);
		num_format6(d->delta, delta);
		event_add(e, "delta", delta);
		event_add_num(e, "threshold", d->threshold);
	}
	event_add_oid(e, "base", base);
	event_add_oid(e, "tree", tree);
	event_add_oid(e, "policy", &h->policy_blob);
	event_add_int(e, "level", 1);
	event_addf(e, "elapsed", "%d", number + 1);
}

static void evaluate_line(struct events *l, int number, double score, struct measured *ret)
{
	struct event *e = line(l, number, "evaluate");

	event_add(e, "stage", "score");
	event_add_int(e, "exit", 0);
	event_add(e, "wall", "0.512");
	event_add(e, "cpu", "0.431");
	event_add_int(e, "maxrss", 3964928);
	event_add_num(e, "score", score);
	measured_add(ret, "score", score);
}

static struct oid tree_with(const struct oid *base_tree, const char *text)
{
	CLEANUP(tree_changes_free) struct tree_changes changes = { 0 };
	struct tree_entry new = { .mode = 0100644 };
	struct oid ret;

	MUST(repo_write_blob(repo, text, strlen(text), &new.id, &err));
	tree_changes_add(&changes, "value", &(struct tree_entry){ 0 }, &new);
	MUST(tree_update(repo, base_tree, &changes, &ret, &err));
	return ret;
}

static void baseline(double score)
{
	CLEANUP(events_free) struct events lines = { 0 };
	CLEANUP(measured_free) struct measured m = { 0 };
	struct decision_in in = { .policy = h->policy, .candidate = &m, .confidence = (double)NAN };
	struct decision d;
	struct oid tree;
	struct ledger_write w = {
		.kind = ENTRY_BASELINE, .number = 0, .lines = &lines, .annotate = &h->start, .n_annotate = 1, .best = h->start,
		.subject = "baseline",
	};

	MUST(tree_of_commit(repo, &h->start, &tree, &err));
	evaluate_line(&lines, 0, score, &m);
	decide(&in, &d);
	decide_line(&lines, 0, &d, &h->start, &tree);
	MUST(ledger_write(repo, h, NULL, &w, &err));
}

static struct oid commit_of(const struct events *lines, int number, const struct oid *tree, const struct oid *base)
{
	CLEANUP(record_clear) struct record r = { .number = number };
	CLEANUP(ident_free) struct ident who = { 0 };
	STR message = STR_INIT;
	AUTOFREE char *subject = xasprintf("try %d: a smaller step where the last one was too long", number);
	struct message_in in = {
		.record = &r, .policy = h->policy, .campaign = h->campaign, .policy_blob = &h->policy_blob, .subject = subject,
	};
	struct commit_spec spec = { .tree = *tree, .parents = base, .n_parents = 1, .author = &who, .committer = &who };
	struct oid ret;

	MUST(record_fold(lines, &r, &err));
	MUST(repo_ident(repo, &who, &err));
	ledger_message(&in, &message);
	spec.message = message.buf;
	MUST(commit_write(repo, &spec, &ret, &err));
	return ret;
}

static void experiment(int number)
{
	CLEANUP(events_free) struct events lines = { 0 };
	CLEANUP(measured_free) struct measured m = { 0 };
	struct decision_in in = {
		.policy = h->policy, .candidate = &m, .best = h->best_measured, .baseline = h->baseline_measured,
		.confidence = (double)NAN,
	};
	struct ledger_write w = {
		.kind = ENTRY_EXPERIMENT, .number = number, .lines = &lines, .n_annotate = 1, .subject = "experiment",
	};
	double best = history_best_value(h), score = round((number % EACH_ACCEPTED ? best + number * 1e-4 : best * 0.99) * 1e6) / 1e6;
	AUTOFREE char *text = xasprintf("%.17g %d\n", score, number);
	struct oid base = h->best, base_tree, tree;
	struct decision d;
	struct event *e = line(&lines, number, "propose");

	MUST(tree_of_commit(repo, &base, &base_tree, &err));
	tree = tree_with(&base_tree, text);
	event_add_oid(e, "base", &base);
	event_add(e, "agent", "command");
	event_add(e, "files", "1");
	event_add(e, "added", "1");
	event_add(e, "deleted", "1");
	event_add(e, "net", "0");
	event_add(e, "wall", "1.204");
	evaluate_line(&lines, number, score, &m);
	decide(&in, &d);
	decide_line(&lines, number, &d, &base, &tree);
	w.commit = commit_of(&lines, number, &tree, &base);
	w.annotate = &w.commit;
	w.best = d.verdict == VERDICT_ACCEPT ? w.commit : base;
	MUST(ledger_write(repo, h, NULL, &w, &err));
}

/* As the loop does beside itself, but here and now. */
static void pack(void)
{
	static const char command[] =
		"cd \"$(git rev-parse --git-common-dir)/objects/pack\" &&"
		"h=$({ git rev-parse refs/harness/ledger/main refs/notes/harness; git for-each-ref --format='^%(objectname)' refs/packed; } |"
		"  git pack-objects -q --revs --unpacked --non-empty --threads=1 pack) && [ -n \"$h\" ] &&"
		"git show-index <pack-$h.idx | sed -n 's|^[0-9]* \\(..\\)\\([0-9a-f]*\\).*|../\\1/\\2|p' | xargs rm -f &&"
		"git update-ref refs/packed/ledger refs/harness/ledger/main && git update-ref refs/packed/notes refs/notes/harness";

	if (system(command)) {
		snprintf(err.msg, sizeof(err.msg), "cannot pack");
		die();
	}
}

int main(int argc, char **argv)
{
	int n = argc > 1 ? atoi(argv[1]) : 0;
	AUTOFREE char *branch = NULL;
	struct oid head, tree, at;
	struct tree_entry policy;
	char ref[NAME_MAX_REF];

	MUST(repo_open(NULL, &repo, &err));
	name_ledger("main", ref);
	MUST(ref_read(repo, ref, &at, &err));
	if (oid_is_zero(&at)) {
		MUST(repo_head(repo, &branch, &head, &err));
		MUST(tree_of_commit(repo, &head, &tree, &err));
		MUST(tree_lookup(repo, &tree, "harness.yaml", &policy, &err));
		MUST(ledger_start(repo, "main", &policy.id, &head, &err));
	}
	MUST(history_read(repo, "main", &h, &err));
	if (!h->n_records)
		baseline(10);
	while ((int)h->n_records <= n) {
		if (h->n_records % EACH_PACKED == 0)
			pack();
		experiment((int)h->n_records);
	}
	pack();
	history_keep(h);
	history_free(h);
	repo_free(repo);
	return 0;
}
