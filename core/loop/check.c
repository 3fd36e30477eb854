/* CHECK: the proof on trees. What the agent changed, against base, by the pinned policy; then whether it is worth running at all. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "loop/session.h"

struct judgement {
	struct tree_changes inside;
	int64_t outside;	/* changes that leave the surface */
	char *path;		/* the first of them, made visible */
	const char *why;
};

static void judgement_free(struct judgement *j)
{
	tree_changes_free(&j->inside);
	free(j->path);
}

static void note_outside(struct judgement *j, const char *path, const char *why)
{
	STR safe = STR_INIT;

	if (j->outside++)
		return;
	text_record(path, strlen(path), &safe);
	j->path = str_detach(&safe);
	j->why = why;
}

struct collision {
	const struct tree_changes *changes;
	struct judgement *j;
};

static int collide(void *data, const char *path, const struct tree_entry *entry, struct err *err)
{
	struct collision *c = data;

	(void)entry;
	(void)err;
	for (size_t i = 0; i < c->changes->n; i++) {
		const struct tree_change *t = &c->changes->v[i];

		if (!t->old.mode && strcmp(t->path, path) && surface_collide(t->path, path))
			note_outside(c->j, t->path, "the same name as a tracked file on some file systems");
	}
	return 0;
}

static bool adds_files(const struct tree_changes *changes)
{
	for (size_t i = 0; i < changes->n; i++)
		if (!changes->v[i].old.mode)
			return true;
	return false;
}

static int judge(struct experiment *x, const struct tree_changes *changes, struct judgement *j, struct err *err)
{
	struct loop *l = x->loop;
	struct collision collision = { .changes = changes, .j = j };

	if (event_get(&x->facts, "bad"))
		note_outside(j, event_get(&x->facts, "bad"), event_get(&x->facts, "bad_why"));
	for (size_t i = 0; i < changes->n; i++) {
		const struct tree_change *t = &changes->v[i];
		struct surface_change c = { .path = t->path, .old_mode = t->old.mode, .new_mode = t->new.mode };
		const char *why = surface_judge(&l->surface, &c);

		if (why)
			note_outside(j, t->path, why);
		else
			tree_changes_add(&j->inside, t->path, &t->old, &t->new);
	}
	/* Only where files are added: the walk costs what the repository holds. */
	return adds_files(changes) ? tree_walk(l->repo, &x->base_tree, collide, &collision, err) : 0;
}

static int count(struct experiment *x, const struct tree_changes *changes, struct err *err)
{
	struct loop *l = x->loop;
	CLEANUP(tree_changes_free) struct tree_changes all = { 0 };
	struct tree_lines since;
	struct oid start_tree;

	x->files = (int64_t)changes->n;
	if (tree_count_lines(l->repo, changes, &x->lines_of, err) < 0 ||
	    tree_of_commit(l->repo, &l->h->start, &start_tree, err) < 0 ||
	    tree_compare(l->repo, &start_tree, &x->tree, &all, err) < 0 ||
	    tree_count_lines(l->repo, &all, &since, err) < 0)
		return err->code;
	x->net = since.added - since.deleted;
	return 0;
}

/* The record's first line; a repeat after a crash finds it there. */
static int propose_line(struct experiment *x, struct err *err)
{
	struct loop *l = x->loop;
	EVENT line = { 0 };

	if (x->lines.n)
		return 0;
	event_add_oid(&line, "base", &x->base);
	event_add(&line, "agent", agent_name(l->agent));
	event_add(&line, "source", event_get(&x->facts, "source"));
	event_add_int(&line, "files", x->files);
	event_add_int(&line, "added", x->lines_of.added);
	event_add_int(&line, "deleted", x->lines_of.deleted);
	event_add_int(&line, "net", x->net);
	if (x->dropped)
		event_add_int(&line, "dropped", x->dropped);
	if (x->dropped_paths.n) {
		STR paths = STR_MAX(1024);

		for (size_t i = 0; i < x->dropped_paths.n && i < 10; i++)
			str_printf(&paths, "%s%s", i ? " " : "", x->dropped_paths.v[i]);
		event_add(&line, "dropped_paths", paths.buf);
	}
	event_add_secs(&line, "wall", x->agent_wall);
	if (!isnan(x->proposal.confidence))
		event_add_num(&line, "confidence", x->proposal.confidence);
	return experiment_line(x, "propose", &line, err);
}

int experiment_proposed(struct experiment *x, const struct tree_changes *changes, struct err *err)
{
	return count(x, changes, err) < 0 ? err->code : propose_line(x, err);
}

static enum move blame_surface(struct experiment *x, const struct judgement *j)
{
	bool ask = x->loop->policy->surface.on_violation == ON_ESCALATE;
	enum move move = experiment_blame(x, ask ? VERDICT_ESCALATE : VERDICT_REJECT, REASON_SURFACE, j->why);

	free(x->path);
	x->path = xstrdup(j->path);
	return move;
}

/* Known without running anything? */
static enum move known(struct experiment *x)
{
	struct loop *l = x->loop;
	const char *failed = event_get(&x->facts, "failed"), *over = event_get(&x->facts, "over");
	struct surface_counts counts = {
		.files = x->files, .lines = x->lines_of.added + x->lines_of.deleted, .bytes = x->lines_of.bytes,
	};
	const char *limit = surface_limits(l->policy, &counts);
	int before;

	if (str_eq(failed, reason_names[REASON_TIMEOUT]))
		return experiment_blame(x, VERDICT_REJECT, REASON_TIMEOUT, event_get(&x->facts, "why"));
	if (over || limit) {
		AUTOFREE char *why = over ? xasprintf("more %s than git harness takes", over) : xasprintf("more than %s allows", limit);

		return experiment_blame(x, VERDICT_REJECT, REASON_LIMITS, why);
	}
	if (oid_eq(&x->tree, &x->base_tree))
		return experiment_blame(x, VERDICT_REJECT, REASON_NO_OP, "nothing inside the surface was changed");
	before = history_measured(l->h, &x->base_tree, &x->tree);
	if (before >= 0) {
		AUTOFREE char *why = xasprintf("the same tree as experiment %d", before);

		return experiment_blame(x, VERDICT_REJECT, REASON_DUPLICATE, why);
	}
	return MOVE_INSIDE;
}

/* What leaves the surface is taken back to base's and counted; the rest goes on. */
static void count_dropped(struct experiment *x, const struct judgement *j)
{
	int64_t before = 0;

	event_get_int(&x->facts, "dropped", &before);
	x->dropped = before + j->outside;
	if (!x->dropped_paths.n)
		strs_add(&x->dropped_paths, j->path);
}

/* Where another job measures it on the same base right now: whether this one is its duplicate shows when that one has ended. */
static int go_or_wait(struct experiment *x)
{
	enum move move = known(x);

	x->waits = move == MOVE_INSIDE && experiment_is_measured(x);
	return x->waits ? 0 : experiment_post(x, move);
}

static int check(struct experiment *x, struct err *err)
{
	struct loop *l = x->loop;
	CLEANUP(tree_changes_free) struct tree_changes changes = { 0 };
	CLEANUP(judgement_free) struct judgement j = { 0 };
	bool drop = l->policy->surface.on_violation == ON_DROP, leaves;

	if (tree_compare(l->repo, &x->base_tree, &x->tree, &changes, err) < 0 || judge(x, &changes, &j, err) < 0)
		return err->code;
	if (j.outside && drop)
		count_dropped(x, &j);
	leaves = j.outside && !drop;
	if (!leaves && tree_update(l->repo, &x->base_tree, &j.inside, &x->tree, err) < 0)
		return err->code;
	if (experiment_proposed(x, leaves ? &changes : &j.inside, err) < 0)
		return err->code;
	return leaves ? experiment_post(x, blame_surface(x, &j)) : go_or_wait(x);
}

int enter_check(struct experiment *x, struct err *err)
{
	if (x->kind == KIND_APPROVED)	/* a person answered for the surface; a conflict was found on the way here */
		return experiment_post(x, x->reason == REASON_CONFLICT ? MOVE_REFUSED : MOVE_INSIDE);
	if (!event_get_oid(&x->facts, "whole", &x->tree))
		return err_set(err, ERR_BUG, "experiment %d has no proposal to check", x->number);
	return check(x, err);
}
