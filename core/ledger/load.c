#include "ledger/fold.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "git/commit.h"
#include "git/tree.h"
#include "ledger/names.h"
#include "ledger/store.h"

#define RECORD_MAX ((size_t)16 << 20)
#define ACTS_MAX ((size_t)64 << 20)
#define SUBJECT_MAX 1000

static struct oid *file_slot(struct record *r, const char *name)
{
	const struct {
		const char *name;
		struct oid *slot;
	} files[] = {
		{ "record", &r->blob },		    { "brief.md", &r->brief },
		{ "proposal.md", &r->proposal },    { "agent.log", &r->agent_log },
		{ "execute.log", &r->execute_log }, { "evaluate.log", &r->evaluate_log },
	};

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		if (!strcmp(files[i].name, name))
			return files[i].slot;
	}
	return NULL;	/* a file of a later version */
}

static int one_file(void *data, const char *path, const struct tree_entry *entry, struct err *err)
{
	struct oid *slot = file_slot(data, path);

	(void)err;
	if (slot)
		*slot = entry->id;
	return 0;
}

/* Files of one number, by its own directory. */
static int find_files(struct repo *repo, const struct oid *tree, struct record *r, struct err *err)
{
	char dir[NAME_MAX_REF];
	struct tree_entry entry;

	name_experiment_dir(r->number, dir);
	if (tree_lookup(repo, tree, dir, &entry, err) < 0)
		return err->code;
	if (entry.mode != 040000)
		return err_set(err, ERR_INVALID, "the ledger has no directory '%s'", dir);
	return tree_walk(repo, &entry.id, one_file, r, err);
}

struct all_files {
	struct history *h;
	struct record *last;	/* files of one directory come one behind the other */
	char dir[NAME_MAX_REF];
};

static int any_file(void *data, const char *path, const struct tree_entry *entry, struct err *err)
{
	struct all_files *a = data;
	const char *slash = strrchr(path, '/');
	size_t len = slash ? (size_t)(slash - path) : 0;
	int number;

	if (!starts_with(path, "experiments/"))
		return 0;
	if (!a->last || strncmp(path, a->dir, len) != 0 || a->dir[len]) {
		/* "experiments/01xx/0117": the number is the last component; the directory's name has to be its own */
		if (sscanf(path, "experiments/%*[0-9x]/%9d/", &number) != 1 || number < 0 ||
		    !history_record(a->h, number))
			return err_set(err, ERR_INVALID, "campaign '%s': '%s' belongs to no recorded number", a->h->campaign, path);
		name_experiment_dir(number, a->dir);
		if (strlen(a->dir) != len || strncmp(path, a->dir, len) != 0)
			return err_set(err, ERR_INVALID, "campaign '%s': '%s' is not where a number's files are", a->h->campaign,
				       path);
		a->last = store_edit(a->h->store, number);
	}
	return one_file(a->last, slash + 1, entry, err);
}

static int fold_text(struct repo *repo, const char *campaign, struct record *r, struct err *err)
{
	CLEANUP(events_free) struct events lines = { 0 };
	STR text = STR_INIT;

	if (oid_is_zero(&r->blob))
		return err_set(err, ERR_INVALID, "%s/%d: the ledger holds no record of it", campaign, r->number);
	if (repo_read_blob(repo, &r->blob, RECORD_MAX, &text, err) < 0)
		return err_wrap(err, "%s/%d: cannot read its record", campaign, r->number);
	if (record_parse(campaign, r->number, text.buf, text.len, &lines, err) < 0)
		return err->code;
	return record_fold(&lines, r, err);
}

int load_record_at(struct repo *repo, const char *campaign, const struct oid *tree, int number, struct record *ret, struct err *err)
{
	struct record r = { .number = number };

	if (find_files(repo, tree, &r, err) < 0 || fold_text(repo, campaign, &r, err) < 0) {
		record_clear(&r);
		return err_wrap(err, "%s/%d", campaign, number);
	}
	*ret = r;
	return 0;
}

static int read_subject(struct repo *repo, const char *campaign, struct record *r, struct err *err)
{
	CLEANUP(commit_free) struct commit c = { 0 };
	size_t len;

	if (commit_read(repo, &r->commit, &c, err) < 0)
		return err_set(err, ERR_INVALID, "%s/%d: its commit %s is missing", campaign, r->number, oid_hex(&r->commit).s);
	len = strcspn(c.message, "\n");
	r->subject = xstrndup(c.message, len < SUBJECT_MAX ? len : SUBJECT_MAX);
	return 0;
}

static int not_due(const struct history *h, const struct entry *e, struct err *err)
{
	return err_set(err, ERR_INVALID, "campaign '%s': ledger commit %s records number %d where %zu is due", h->campaign,
		       oid_hex(&e->id).s, e->number, h->n_records);
}

/*
 * Experiments that run side by side end in any order, so a number may come before a smaller one. Never further ahead than others can be open, and
 * never from behind a baseline, which is measured alone.
 */
static int place_record(struct history *h, struct link *link, int *baseline, struct err *err)
{
	const struct entry *e = &link->entry;
	bool is_baseline = e->kind == ENTRY_BASELINE;

	link->again = !is_baseline && history_record(h, e->number);
	if (link->again)
		return 0;
	if (is_baseline ? e->number != (int)h->n_records : e->number <= *baseline || e->number >= (int)h->n_records + PARALLEL_MAX)
		return not_due(h, e, err);
	for (; (int)h->n_records <= e->number; h->n_records++)
		store_add(h->store);
	store_edit(h->store, e->number)->commit = is_baseline ? e->best : e->commit;
	if (is_baseline)
		*baseline = e->number;
	return 0;
}

/* The new numbers get their places; those that acts touched again are to be read again. */
static int place_records(struct history *h, struct chain *chain, bool **ret_wanted, struct err *err)
{
	int baseline = h->last_baseline;
	bool *wanted;

	for (size_t i = 0; i < chain->n; i++) {
		const struct entry *e = &chain->v[i].entry;

		if (e->kind != ENTRY_EXPERIMENT && e->kind != ENTRY_BASELINE)
			continue;
		if (place_record(h, &chain->v[i], &baseline, err) < 0)
			return err->code;
	}
	wanted = xcalloc(h->n_records + 1, sizeof(*wanted));
	for (size_t i = 0; i < chain->n; i++) {
		int n = chain->v[i].entry.number;

		if (n >= 0 && !history_record(h, n)) {
			free(wanted);
			return err_set(err, ERR_INVALID, "campaign '%s': an act on number %d, which was never recorded",
				       h->campaign, n);
		}
		if (n >= 0)
			wanted[n] = true;
	}
	*ret_wanted = wanted;
	return 0;
}

static int load_one(struct repo *repo, struct history *h, struct record *r, struct err *err)
{
	struct record fresh = {
		.number = r->number, .commit = r->commit, .remade = r->remade, .accepted = r->accepted, .blob = r->blob,
		.brief = r->brief, .proposal = r->proposal, .agent_log = r->agent_log, .execute_log = r->execute_log,
		.evaluate_log = r->evaluate_log,
	};

	if (fold_text(repo, h->campaign, &fresh, err) < 0 || read_subject(repo, h->campaign, &fresh, err) < 0) {
		record_clear(&fresh);
		return err->code;
	}
	record_clear(r);
	*r = fresh;
	return 0;
}

int load_records(struct repo *repo, struct history *h, struct chain *chain, struct err *err)
{
	const struct oid *tree = &chain->v[chain->n - 1].tree;
	AUTOFREE bool *wanted = NULL;
	bool whole = !h->n_records;
	struct all_files all = { .h = h };

	if (place_records(h, chain, &wanted, err) < 0)
		return err->code;
	if (whole && tree_walk(repo, tree, any_file, &all, err) < 0)
		return err->code;
	for (size_t i = 0; i < h->n_records; i++) {
		struct record *r;

		if (!wanted[i])
			continue;
		r = store_edit(h->store, (int)i);
		if (!whole && find_files(repo, tree, r, err) < 0)
			return err->code;
		if (load_one(repo, h, r, err) < 0)
			return err->code;
	}
	return 0;
}

static struct link *next_act(struct chain *chain, size_t *i)
{
	while (*i < chain->n && chain->v[*i].entry.kind != ENTRY_ACT)
		++*i;
	return *i < chain->n ? &chain->v[(*i)++] : NULL;
}

/* The k-th act of a campaign is the k-th line of the file. */
int load_acts(struct repo *repo, struct history *h, struct chain *chain, struct err *err)
{
	STR text = STR_INIT;
	size_t seen = 0, at = 0, due = h->n_acts;

	for (size_t i = 0; i < chain->n; i++)
		due += chain->v[i].entry.kind == ENTRY_ACT;
	if (due == h->n_acts)
		return 0;
	if (tree_read(repo, &chain->v[chain->n - 1].tree, "acts", ACTS_MAX, &text, err) < 0)
		return err_wrap(err, "campaign '%s': cannot read the ledger's acts", h->campaign);
	for (size_t i = 0; at < text.len; seen++) {
		size_t len = strcspn(text.buf + at, "\n") + 1;
		struct link *link = seen < h->n_acts ? NULL : next_act(chain, &i);
		struct event line = { 0 };

		if (!event_parse(text.buf + at, len < text.len - at ? len : text.len - at, &line)) {
			event_free(&line);
			return err_set(err, ERR_INVALID, "campaign '%s': line %zu of the ledger's acts is no event line",
				       h->campaign, seen + 1);
		}
		at += len;
		if (link)
			link->entry.act = line;
		else
			event_free(&line);
	}
	if (seen != due)
		return err_set(err, ERR_INVALID, "campaign '%s': the ledger has %zu commits of acts and %zu lines of them",
			       h->campaign, due, seen);
	h->n_acts = due;
	return 0;
}
