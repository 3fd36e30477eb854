#include "cmd/receive.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "cmd/changes.h"
#include "cmd/cmd.h"
#include "git/note.h"
#include "git/ref.h"
#include "ledger/names.h"
#include "ledger/receive.h"

#define BRANCHES "refs/heads/harness/"
#define COMMITS_MAX ((size_t)100000)
#define SHOWN 10	/* refused paths of one ref */

struct update {
	struct oid old, new;
	char *ref;
};

struct push {
	struct repo *repo;
	struct update *v;
	size_t n, alloc;
	struct strs refused;	/* a line each */
};

static void push_clear(struct push *p)
{
	for (size_t i = 0; i < p->n; i++)
		free(p->v[i].ref);
	free(p->v);
	strs_free(&p->refused);
}

static void close_history(struct history **h)
{
	history_free(*h);
}

static void close_policy(struct policy **p)
{
	policy_free(*p);
}

static void refuse(struct push *p, const struct update *u, const char *fmt, ...) PRINTF(3, 4);
static void refuse(struct push *p, const struct update *u, const char *fmt, ...)
{
	STR line = STR_INIT;
	STR why = STR_INIT;
	va_list ap;

	va_start(ap, fmt);
	str_vprintf(&why, fmt, ap);
	va_end(ap);
	text_visible(u->ref, strlen(u->ref), false, &line);
	str_printf(&line, ": %s", why.buf);
	strs_add(&p->refused, line.buf);
}

/* "<old> <new> <ref>\n" */
static int parse(struct push *p, const struct str *text, struct err *err)
{
	for (const char *at = text->buf; *at; at += strcspn(at, "\n"), at += *at == '\n') {
		size_t len = strcspn(at, "\n");
		struct update *u;

		GROW(p->v, p->n, p->alloc);
		u = &p->v[p->n];
		if (len < 2 * (OID_HEX + 1) + 1 || !oid_parse(at, &u->old) || at[OID_HEX] != ' ' ||
		    !oid_parse(at + OID_HEX + 1, &u->new) || at[2 * OID_HEX + 1] != ' ')
			return err_set(err, ERR_USAGE, "standard input holds no lines of old id, new id and ref, as pre-receive(5) gets them");
		u->ref = xstrndup(at + 2 * (OID_HEX + 1), len - 2 * (OID_HEX + 1));
		p->n++;
	}
	return 0;
}

/* Where a ref will stand, or stands. */
static int will_be(struct push *p, const char *ref, struct oid *ret, struct err *err)
{
	for (size_t i = 0; i < p->n; i++)
		if (strcmp(p->v[i].ref, ref) == 0) {
			*ret = p->v[i].new;
			return 0;
		}
	return ref_read(p->repo, ref, ret, err);
}

/* Whose branch below harness/ this is: "<campaign>/..." where there is such a ledger, else main's. NULL history: no ledger says. */
static int read_history(struct push *p, const char *branch, bool best, struct history **ret, struct err *err)
{
	size_t len = strcspn(branch, "/");
	AUTOFREE char *first = xstrndup(branch, len);
	const char *campaign = branch[len] && campaign_name_ok(first) ? first : "main";
	char ref[NAME_MAX_REF];
	struct oid tip;

	*ret = NULL;
	name_ledger(campaign, ref);
	if (will_be(p, ref, &tip, err) < 0)
		return err->code;
	if (oid_is_zero(&tip) && !best && strcmp(campaign, "main") != 0) {
		campaign = "main";
		name_ledger(campaign, ref);
		if (will_be(p, ref, &tip, err) < 0)
			return err->code;
	}
	return oid_is_zero(&tip) ? 0 : history_read_at(p->repo, campaign, &tip, ret, err);
}

/* HEAD's commit, also where its branch comes with this very push; zero: there is none. */
static int head_will_be(struct push *p, struct oid *ret, struct err *err)
{
	AUTOFREE char *branch = NULL;

	if (repo_head(p->repo, &branch, ret, err) < 0)
		return err->code;
	return branch && oid_is_zero(ret) ? will_be(p, branch, ret, err) : 0;
}

/* ---- commits inside the surface ---- */

static int judge_commit(struct push *p, const struct update *u, const struct policy *policy, const struct oid *id, size_t *shown,
			struct err *err)
{
	CLEANUP(change_free) struct change change = { 0 };

	if (change_commit(p->repo, id, &change, err) < 0 || change_judge(p->repo, policy, &change, err) < 0)
		return err->code;
	for (size_t i = 0; i < change.n_refused && *shown < SHOWN; i++, ++*shown) {
		STR path = STR_INIT;

		text_visible(change.refused[i].path, strlen(change.refused[i].path), false, &path);
		refuse(p, u, "commit %.10s changes '%s': %s", oid_hex(id).s, path.buf, change.refused[i].why);
	}
	return 0;
}

/* Oldest first: what came first is what has to be undone. */
static int judge_commits(struct push *p, const struct update *u, const struct policy *policy, const struct oid *hide, size_t n_hide,
			 struct err *err)
{
	AUTOFREE struct oid *commits = NULL;
	size_t n, shown = 0;

	if (repo_commits(p->repo, &u->new, hide, n_hide, COMMITS_MAX, &commits, &n, err) < 0)
		return err->code;
	while (n > 0 && shown < SHOWN)
		if (judge_commit(p, u, policy, &commits[--n], &shown, err) < 0)
			return err->code;
	return 0;
}

/* By the ledger's policy: what was best is judged already, and so is what stands here. */
static int judge_by_ledger(struct push *p, const struct update *u, const struct history *h, struct err *err)
{
	AUTOFREE struct oid *hide = xcalloc(h->n_entries + 3, sizeof(*hide));
	size_t n = 0;

	for (size_t i = 0; i < h->n_entries; i++)
		if (!n || !oid_eq(&hide[n - 1], &h->entries[i].best))
			hide[n++] = h->entries[i].best;
	hide[n++] = h->start;
	hide[n++] = u->old;
	if (head_will_be(p, &hide[n], err) < 0)
		return err->code;
	return judge_commits(p, u, h->policy, hide, n + 1, err);
}

/* The policy of the commit where the branch leaves HEAD's; NULL: it has none, nothing is frozen. */
static int policy_at(struct repo *repo, const struct oid *commit, struct policy **ret, struct err *err)
{
	AUTOFREE char *name = xasprintf("%.7s:%s", oid_hex(commit).s, POLICY_FILE);
	STR text = STR_INIT;
	struct tree_entry entry;
	struct oid tree;

	if (tree_of_commit(repo, commit, &tree, err) < 0 || tree_lookup(repo, &tree, POLICY_FILE, &entry, err) < 0)
		return err->code;
	if (!entry.mode)
		return 0;
	if (tree_read(repo, &tree, POLICY_FILE, POLICY_MAX, &text, err) < 0)
		return err->code;
	return policy_parse(name, text.buf, text.len, ret, err);
}

static int judge_by_head(struct push *p, const struct update *u, struct err *err)
{
	CLEANUP(close_policy) struct policy *policy = NULL;
	struct oid base, hide[2] = { { .raw = { 0 } }, u->old };

	if (head_will_be(p, &hide[0], err) < 0)
		return err->code;
	if (oid_is_zero(&hide[0]) || repo_merge_base(p->repo, &hide[0], &u->new, &base, err) < 0) {
		refuse(p, u, "there is nothing to judge it by; push the branch it comes from, or its ledger, with it");
		return 0;
	}
	if (policy_at(p->repo, &base, &policy, err) < 0) {
		refuse(p, u, "cannot be judged: %s", err->msg);
		return 0;
	}
	return policy ? judge_commits(p, u, policy, hide, 2, err) : 0;
}

/* ---- refs ---- */

static int judge_best(struct push *p, const struct update *u, const struct history *h, struct err *err)
{
	bool forward = true;

	if (h && oid_eq(&h->best, &u->new))
		return 0;
	if (oid_is_zero(&u->new)) {
		if (h)
			refuse(p, u, "best is never deleted; the ledger of campaign '%s' says it is at %s", h->campaign,
			       oid_hex(&h->best).s);
		return 0;
	}
	if (!oid_is_zero(&u->old) && repo_descends(p->repo, &u->new, &u->old, &forward, err) < 0)
		return err->code;
	if (!forward) {
		refuse(p, u, "goes back from %s to %s, and %s", oid_hex(&u->old).s, oid_hex(&u->new).s,
		       h ? "the ledger does not say so" : "no ledger says so");
		return 0;
	}
	if (!h)
		return judge_by_head(p, u, err);
	return receive_was_best(h, &u->new) ? 0 : judge_by_ledger(p, u, h, err);
}

static int judge_branch(struct push *p, const struct update *u, struct err *err)
{
	CLEANUP(close_history) struct history *h = NULL;
	const char *branch = u->ref + strlen(BRANCHES), *slash = strchr(branch, '/');
	bool best = strcmp(branch, "best") == 0 || (slash && strcmp(slash, "/best") == 0);

	if (starts_with(branch, "review/"))	/* what asks a person may be anything */
		return 0;
	if (read_history(p, branch, best, &h, err) < 0) {
		refuse(p, u, "cannot be judged: %s", err->msg);
		return 0;
	}
	if (best)
		return judge_best(p, u, h, err);
	if (oid_is_zero(&u->new))
		return 0;
	return h ? judge_by_ledger(p, u, h, err) : judge_by_head(p, u, err);
}

static int judge_ledger(struct push *p, const struct update *u, struct err *err)
{
	const char *campaign = u->ref + strlen(LEDGER_PREFIX);
	STR why = STR_INIT;

	if (!campaign_name_ok(campaign)) {
		refuse(p, u, "this is no name of a campaign");
		return 0;
	}
	if (receive_ledger(p->repo, campaign, &u->old, &u->new, &why, err) < 0)
		return err->code;
	if (why.len)
		refuse(p, u, "%s", why.buf);
	return 0;
}

/* Names of all ledgers that are here or come. */
static int list_ledgers(struct push *p, struct strs *ret, struct err *err)
{
	if (ref_list(p->repo, LEDGER_PREFIX, ret, err) < 0)
		return err->code;
	for (size_t i = 0; i < p->n; i++)
		if (starts_with(p->v[i].ref, LEDGER_PREFIX) && !strs_has(ret, p->v[i].ref))
			strs_add(ret, p->v[i].ref);
	return 0;
}

static int judge_notes_of(struct push *p, const struct update *u, const char *ledger, struct err *err)
{
	CLEANUP(close_history) struct history *h = NULL;
	STR why = STR_INIT;
	struct oid tip;

	if (will_be(p, ledger, &tip, err) < 0)
		return err->code;
	/* A ledger that cannot be read is refused for itself, or was before this. */
	if (oid_is_zero(&tip) || history_read_at(p->repo, ledger + strlen(LEDGER_PREFIX), &tip, &h, err) < 0)
		return 0;
	if (receive_notes(p->repo, h, &u->new, &why, err) < 0)
		return err->code;
	if (why.len)
		refuse(p, u, "%s (is the ledger pushed with it?)", why.buf);
	return 0;
}

static int judge_notes(struct push *p, const struct update *u, struct err *err)
{
	CLEANUP(strs_free) struct strs ledgers = { 0 };
	bool forward = true;

	if (!oid_is_zero(&u->old) && !oid_is_zero(&u->new) && repo_descends(p->repo, &u->new, &u->old, &forward, err) < 0)
		return err->code;
	if (list_ledgers(p, &ledgers, err) < 0)
		return err->code;
	if (!ledgers.n)
		return 0;
	if (oid_is_zero(&u->new) || !forward) {
		refuse(p, u, "rewrites the record: notes go forward only; fetch them and git notes merge, then push again");
		return 0;
	}
	for (size_t i = 0; i < ledgers.n; i++)
		if (judge_notes_of(p, u, ledgers.v[i], err) < 0)
			return err->code;
	return 0;
}

static int judge(struct push *p, const struct update *u, struct err *err)
{
	if (starts_with(u->ref, LEDGER_PREFIX))
		return judge_ledger(p, u, err);
	if (starts_with(u->ref, BRANCHES))
		return judge_branch(p, u, err);
	return strcmp(u->ref, note_ref(p->repo)) == 0 ? judge_notes(p, u, err) : 0;
}

int receive_judge(struct repo *repo, const struct str *text, struct err *err)
{
	CLEANUP(push_clear) struct push p = { .repo = repo };

	if (parse(&p, text, err) < 0)
		return err->code;
	for (size_t i = 0; i < p.n; i++)
		if (judge(&p, &p.v[i], err) < 0)
			return err->code;
	if (!p.refused.n)
		return 0;
	for (size_t i = 0; i + 1 < p.refused.n; i++)
		cmd_error("%s", p.refused.v[i]);
	return err_set(err, ERR_NEGATIVE, "%s", p.refused.v[p.refused.n - 1]);
}
