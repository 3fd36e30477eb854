#include "ledger/ledger.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "git/commit.h"
#include "git/ref.h"
#include "git/sign.h"
#include "git/tree.h"
#include "ledger/chain.h"
#include "ledger/names.h"
#include "ledger/project.h"
#include "ledger/record.h"

#define ANNOTATE_MAX 3
#define ACTS_MAX ((size_t)64 << 20)

/* One write on its way. */
struct writing {
	struct repo *repo;
	struct history *h;
	const struct ledger_write *w;
	struct ref_plan *plan;
	char ledger[NAME_MAX_REF], best[NAME_MAX_REF];
	struct ident who;
	struct oid tree, commit, notes;
	struct oid best_at;		/* as the message tells it; still so under the lock */
	bool best_in_use;		/* some worktree has it checked out */
};

static void writing_clear(struct writing *x)
{
	ref_plan_free(x->plan);
	ident_free(&x->who);
}

static void put(struct tree_changes *changes, const char *path, const struct oid *blob)
{
	const struct tree_entry none = { 0 }, new = { .mode = 0100644, .id = *blob };

	if (!oid_is_zero(blob))
		tree_changes_add(changes, path, &none, &new);
}

static int put_text(struct repo *repo, struct tree_changes *changes, const char *path, const struct str *text, struct err *err)
{
	struct oid blob;

	if (repo_write_blob(repo, text->buf, text->len, &blob, err) < 0)
		return err->code;
	put(changes, path, &blob);
	return 0;
}

static int put_record(const struct writing *x, struct tree_changes *changes, struct err *err)
{
	const struct ledger_files *f = &x->w->files;
	const struct {
		const char *name;
		const struct oid *blob;
	} files[] = {
		{ "brief.md", &f->brief },	    { "proposal.md", &f->proposal },	    { "agent.log", &f->agent_log },
		{ "execute.log", &f->execute_log }, { "evaluate.log", &f->evaluate_log },
		{ "state", &f->state },
	};
	STR text = STR_INIT;
	STR path = STR_INIT;
	char dir[NAME_MAX_REF];

	if (x->w->number < 0)
		return 0;
	name_experiment_dir(x->w->number, dir);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		str_clear(&path);
		str_printf(&path, "%s/%s", dir, files[i].name);
		put(changes, path.buf, files[i].blob);
	}
	if (!x->w->lines)
		return 0;
	events_format(x->w->lines, &text);
	str_clear(&path);
	str_printf(&path, "%s/record", dir);
	return put_text(x->repo, changes, path.buf, &text, err);
}

/* The caller's pairs behind t, n (the line's number in the file) and campaign. */
static void act_line(const struct writing *x, size_t nr, struct str *ret)
{
	static const char *const ours[] = { "t", "n", "campaign" };
	EVENT line = { 0 };
	char now[CLOCK_TEXT];
	const char *t = event_get(x->w->act, "t");

	clock_format(clock_wall(), now);
	event_add(&line, "t", t ? t : now);
	event_add_int(&line, "n", (int64_t)nr);
	event_add(&line, "campaign", x->h->campaign);
	for (size_t i = 0; i < x->w->act->n; i++) {
		const struct pair *p = &x->w->act->pairs[i];
		bool known = false;

		for (size_t k = 0; k < ARRAY_SIZE(ours); k++)
			known = known || !strcmp(p->key, ours[k]);
		if (!known)
			event_add(&line, p->key, p->value);
	}
	event_format(&line, ret);
	str_putc(ret, '\n');
}

static int put_act(const struct writing *x, const struct oid *tree, struct tree_changes *changes, struct err *err)
{
	STR text = STR_INIT;
	size_t nr = 1;

	if (!x->w->act)
		return 0;
	if (tree_read(x->repo, tree, "acts", ACTS_MAX, &text, err) < 0 && err->code != ERR_NOT_FOUND)
		return err->code;
	for (size_t i = 0; i < text.len; i++)
		nr += text.buf[i] == '\n';
	act_line(x, nr, &text);
	return put_text(x->repo, changes, "acts", &text, err);
}

/* The tree is cumulative and built on the previous one: it costs what is added. */
static int build_tree(struct writing *x, struct err *err)
{
	CLEANUP(tree_changes_free) struct tree_changes changes = { 0 };
	struct oid tree;

	if (tree_of_commit(x->repo, &x->h->tip, &tree, err) < 0 || put_record(x, &changes, err) < 0 ||
	    put_act(x, &tree, &changes, err) < 0)
		return err->code;
	put(&changes, "policy.yaml", &x->w->policy);
	return tree_update(x->repo, &tree, &changes, &x->tree, err);
}

static void journal_locks(const struct writing *x, const char *event, struct event *ret)
{
	event_add(ret, "event", event);
	event_addf(ret, "refs", "%s,%s,%s", x->ledger, note_ref(x->repo), x->best);
}

static int lock_refs(struct writing *x, struct journal *journal, struct err *err)
{
	EVENT line = { 0 };

	journal_locks(x, "locks", &line);
	if (journal && journal_add(journal, &line, false, err) < 0)
		return err->code;
	x->plan = ref_plan_new(x->repo);
	if (ref_plan_lock(x->plan, x->ledger, err) < 0 || ref_plan_lock(x->plan, note_ref(x->repo), err) < 0 ||
	    ref_plan_lock(x->plan, x->best, err) < 0)
		return err->code;
	return 0;
}

static int check_refs(struct writing *x, struct err *err)
{
	const struct oid *tip = ref_plan_old(x->plan, x->ledger), *best = ref_plan_old(x->plan, x->best);

	if (!oid_eq(tip, &x->h->tip))
		return err_set(err, ERR_CONFLICT, "the ledger of campaign '%s' was moved to %s by another writer", x->h->campaign,
			       oid_hex(tip).s);
	if (project_best_known(x->h, best, err) < 0)
		return err->code;
	if (!oid_eq(best, &x->best_at))
		return err_set(err, ERR_CONFLICT, "branch '%s' was moved meanwhile", x->best + strlen("refs/heads/"));
	return 0;
}

static bool moves_best(const struct writing *x)
{
	return !oid_eq(&x->w->best, &x->best_at) && !oid_is_zero(&x->w->best) && !x->best_in_use;
}

static void ledger_message_of(const struct writing *x, struct str *ret)
{
	const struct ledger_write *w = x->w;

	str_printf(ret, "%s\n\nHarness-Campaign: %s\nHarness-Entry: %s\n", w->subject, x->h->campaign, entry_names[w->kind]);
	if (w->number >= 0)
		str_printf(ret, "Harness-Experiment: %d\n", w->number);
	if (!oid_is_zero(&w->best))
		str_printf(ret, "Harness-Best: %s\n", oid_hex(&w->best).s);
	if (x->best_in_use && !oid_eq(&w->best, &x->best_at) && !oid_is_zero(&x->best_at))
		str_printf(ret, "Harness-Best-Waits: %s\n", oid_hex(&x->best_at).s);
}

static int write_commit(struct writing *x, struct err *err)
{
	const struct ledger_write *w = x->w;
	AUTOFREE struct oid *parents = xcalloc(w->n_drafts + 2, sizeof(*parents));
	STR message = STR_INIT;
	struct commit_spec spec = {
		.tree = x->tree, .parents = parents, .n_parents = 1, .author = &x->who, .committer = &x->who,
	};

	if (sign_wanted(x->repo, &spec.sign, err) < 0)
		return err->code;
	parents[0] = x->h->tip;
	if (!oid_is_zero(&w->commit))
		parents[spec.n_parents++] = w->commit;
	for (size_t i = 0; i < w->n_drafts; i++)
		parents[spec.n_parents++] = w->drafts[i];
	ledger_message_of(x, &message);
	spec.message = message.buf;
	return commit_write(x->repo, &spec, &x->commit, err);
}

/* The caller's commits, and those that carry this number's lines already: all say the same. */
struct objects {
	struct oid v[ANNOTATE_MAX + 3];
	size_t n;
};

static void add_object(struct objects *o, const struct oid *id)
{
	for (size_t i = 0; i < o->n; i++) {
		if (oid_eq(&o->v[i], id))
			return;
	}
	o->v[o->n++] = *id;
}

static void list_objects(const struct writing *x, struct objects *ret)
{
	const struct record *known = history_record(x->h, x->w->number);
	struct oid before[3];
	size_t n = known ? record_annotates(known, before) : 0;

	for (size_t i = 0; i < x->w->n_annotate; i++)
		add_object(ret, &x->w->annotate[i]);
	for (size_t i = 0; i < n; i++)
		add_object(ret, &before[i]);
}

static int build_notes(struct writing *x, struct err *err)
{
	const struct ledger_write *w = x->w;
	struct note_lines lines = { .campaign = x->h->campaign, .number = w->number, .text = STR_INIT };
	struct note_edit edits[ANNOTATE_MAX + 3];
	struct objects objects = { .n = 0 };
	STR text = STR_INIT;
	STR message = STR_INIT;

	if (!w->lines || w->n_annotate > ANNOTATE_MAX)
		return err_set(err, ERR_BUG, "a note needs lines, and one to three commits");
	events_format(w->lines, &text);
	lines.text = text;	/* borrowed */
	list_objects(x, &objects);
	for (size_t i = 0; i < objects.n; i++)
		edits[i] = (struct note_edit){ .object = objects.v[i], .fn = project_note, .data = &lines };
	str_printf(&message, "%s/%d\n", x->h->campaign, w->number);
	return note_build(x->repo, ref_plan_old(x->plan, note_ref(x->repo)), edits, objects.n, &x->who, message.buf, &x->notes,
			  err);
}

static int set_refs(struct writing *x, struct err *err)
{
	const char *subject = x->w->subject;

	if (ref_plan_set(x->plan, x->ledger, &x->commit, subject, err) < 0)
		return err->code;
	if (x->w->n_annotate && !oid_eq(&x->notes, ref_plan_old(x->plan, note_ref(x->repo))) &&
	    ref_plan_set(x->plan, note_ref(x->repo), &x->notes, subject, err) < 0)
		return err->code;
	if (moves_best(x) && ref_plan_set(x->plan, x->best, &x->w->best, subject, err) < 0)
		return err->code;
	return 0;
}

/* What depends on a value read under the locks. */
static int build_locked(struct writing *x, struct err *err)
{
	if (!x->w->n_annotate)
		return 0;
	return build_notes(x, err) < 0 ? err->code : repo_flush(x->repo, err);
}

/* The ledger's commit is made before any lock is taken: a signature may take its time, and who writes another campaign's notes would wait. */
static int build(struct writing *x, struct err *err)
{
	AUTOFREE char *path = NULL;

	if (repo_ident(x->repo, &x->who, err) < 0 || build_tree(x, err) < 0 || repo_checked_out(x->repo, x->best, &path, err) < 0 ||
	    ref_read(x->repo, x->best, &x->best_at, err) < 0)
		return err->code;
	x->best_in_use = path != NULL;
	return write_commit(x, err);
}

/*
 * Objects are flushed twice: the many of an experiment before other writers of the notes have to wait for our lock,
 * the few that depend on values read under the locks before the first ref names them.
 */
static int write_all(struct writing *x, struct journal *journal, struct err *err)
{
	EVENT done = { 0 };

	if (build(x, err) < 0 || repo_flush(x->repo, err) < 0 || lock_refs(x, journal, err) < 0 || check_refs(x, err) < 0 ||
	    build_locked(x, err) < 0 || set_refs(x, err) < 0 || ref_plan_commit(x->plan, x->w->before, x->w->before_data, err) < 0)
		return err->code;
	journal_locks(x, "unlocked", &done);
	return journal ? journal_add(journal, &done, false, err) : 0;
}

static bool is_due(const struct history *h, const struct ledger_write *w)
{
	if (w->kind == ENTRY_BASELINE)
		return w->number == (int)h->n_records;
	return !history_record(h, w->number) && w->number >= h->free_number && w->number < (int)h->n_records + PARALLEL_MAX;
}

static int check_write(const struct history *h, const struct ledger_write *w, struct err *err)
{
	const struct record *known = history_record(h, w->number);

	if (w->kind == ENTRY_START || (w->kind == ENTRY_ACT) != (w->act != NULL))
		return err_set(err, ERR_BUG, "a ledger entry of this form does not exist");
	if (w->kind == ENTRY_ACT)
		return w->number < 0 || known ? 0 : err_set(err, ERR_BUG, "an act on number %d, which is not there", w->number);
	if (w->kind == ENTRY_EXPERIMENT && known && known->approved)
		return 0;	/* an approval whose measurement was still owed */
	if (!is_due(h, w) || !w->lines)
		return err_set(err, ERR_BUG, "number %d is not due, %zu is", w->number, h->n_records);
	return 0;
}

/* Best's line is one of first parents: what joins it was judged against what it stands on. */
static int check_parent(struct repo *repo, const struct history *h, const struct ledger_write *w, struct err *err)
{
	CLEANUP(commit_free) struct commit c = { 0 };

	if (oid_is_zero(&w->commit) || !oid_eq(&w->best, &w->commit))
		return 0;
	if (commit_read(repo, &w->commit, &c, err) < 0)
		return err->code;
	if (c.n_parents != 1 || !oid_eq(&c.parents[0], &h->best))
		return err_set(err, ERR_CONFLICT, "number %d was not made from best, which is at %s", w->number,
			       oid_hex(&h->best).s);
	return 0;
}

int ledger_write(struct repo *repo, struct history *h, struct journal *journal, const struct ledger_write *w, struct err *err)
{
	CLEANUP(writing_clear) struct writing x = { .repo = repo, .h = h, .w = w };
	int made;

	if (check_write(h, w, err) < 0 || check_parent(repo, h, w, err) < 0)
		return err->code;
	name_ledger(h->campaign, x.ledger);
	name_best(h->campaign, x.best);
	if (write_all(&x, journal, err) < 0)
		return err_wrap(err, "cannot record '%s' in campaign '%s'", w->subject, h->campaign);
	if (history_refresh(repo, h, err) < 0)
		return err->code;
	return w->kind == ENTRY_EXPERIMENT ? project_review(repo, h, w->number, &made, err) : 0;
}

static int start_tree(struct repo *repo, const char *campaign, const struct oid *policy_blob, const struct oid *start,
		      struct oid *ret, struct err *err)
{
	CLEANUP(tree_changes_free) struct tree_changes changes = { 0 };
	const struct oid empty = { 0 };
	EVENT line = { 0 };
	STR text = STR_INIT;
	char now[CLOCK_TEXT];

	clock_format(clock_wall(), now);
	event_add(&line, "campaign", campaign);
	event_add_oid(&line, "base", start);
	event_add_oid(&line, "policy", policy_blob);
	event_add(&line, "t", now);
	event_format(&line, &text);
	str_putc(&text, '\n');
	put(&changes, "policy.yaml", policy_blob);
	if (put_text(repo, &changes, "campaign", &text, err) < 0)
		return err->code;
	return tree_update(repo, &empty, &changes, ret, err);
}

int ledger_start(struct repo *repo, const char *campaign, const struct oid *policy_blob, const struct oid *start, struct err *err)
{
	CLEANUP(ident_free) struct ident who = { 0 };
	STR message = STR_INIT;
	struct commit_spec spec = { .author = &who, .committer = &who };
	const struct oid none = { 0 };
	struct oid id;
	char ref[NAME_MAX_REF];

	name_ledger(campaign, ref);
	str_printf(&message, "start of campaign %s\n\nHarness-Campaign: %s\nHarness-Entry: start\nHarness-Base: %s\n", campaign,
		   campaign, oid_hex(start).s);
	spec.message = message.buf;
	if (sign_wanted(repo, &spec.sign, err) < 0 || repo_ident(repo, &who, err) < 0 ||
	    start_tree(repo, campaign, policy_blob, start, &spec.tree, err) < 0 || commit_write(repo, &spec, &id, err) < 0 ||
	    repo_flush(repo, err) < 0 || ref_update(repo, ref, &none, &id, "git harness: start", err) < 0)
		return err_wrap(err, "cannot start campaign '%s'", campaign);
	return 0;
}

int ledger_best_waits(struct repo *repo, const struct history *h, char **ret_path, struct err *err)
{
	char ref[NAME_MAX_REF];
	struct oid at;

	name_best(h->campaign, ref);
	if (ref_read(repo, ref, &at, err) < 0)
		return err->code;
	*ret_path = NULL;
	return oid_eq(&at, &h->best) ? 0 : repo_checked_out(repo, ref, ret_path, err);
}
