#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/text.h"
#include "git/commit.h"
#include "git/tree.h"
#include "ledger/ledger.h"
#include "ledger/record.h"
#include "ledger/verifying.h"

#define OURS "Harness-"

/* As lax as trailers_strip(): what it removes from an agent's words is what counts as ours here. */
static bool is_ours(const char *line)
{
	line += strspn(line, " \t");
	if (strncasecmp(line, OURS, strlen(OURS)) != 0)
		return false;
	while (isalnum((unsigned char)*line) || *line == '-')
		line++;
	return line[strspn(line, " \t")] == ':';
}

/* The next line that has the form of one of our trailers; empty: none. */
static const char *next_ours(const char *at, size_t *ret_len)
{
	while (*at) {
		size_t len = strcspn(at, "\n");

		if (is_ours(at)) {
			*ret_len = len;
			return at;
		}
		at += len + (at[len] == '\n');
	}
	*ret_len = 0;
	return at;
}

static int wrong_trailer(struct verify *v, const struct claim *c, const char *want, size_t n_want, const char *have, size_t n_have)
{
	const struct oid_hex id = oid_hex(&v->link->entry.commit);
	STR a = STR_INIT, b = STR_INIT;

	text_line(want, n_want, 300, &a);
	text_line(have, n_have, 300, &b);
	if (!n_want)
		return broken(v, "%s/%d: commit %s has the trailer '%s', which the ledger does not give", v->h->campaign, c->r.number,
			      id.s, b.buf);
	if (!n_have)
		return broken(v, "%s/%d: commit %s lacks the trailer '%s'", v->h->campaign, c->r.number, id.s, a.buf);
	return broken(v, "%s/%d: commit %s says '%s', the ledger says '%s'", v->h->campaign, c->r.number, id.s, b.buf, a.buf);
}

/* What ledger_message() writes for these lines is all that may stand there, in this order, at the end. */
static int check_trailers(struct verify *v, const struct claim *c, const struct commit *commit)
{
	const struct message_in in = {
		.record = &c->r, .policy = v->policy, .campaign = v->h->campaign, .policy_blob = &v->policy_blob,
		.approved_by = c->r.verdict == VERDICT_ACCEPT ? record_approver(&c->lines) : NULL,
	};
	STR message = STR_INIT;
	const char *want, *have = commit->message;
	size_t n_want = 0, n_have = 0;

	ledger_message(&in, &message);
	want = message.buf;
	do {
		want = next_ours(want + n_want, &n_want);
		have = next_ours(have + n_have, &n_have);
		if (!n_want && !n_have)
			return 0;
	} while (n_want == n_have && !memcmp(want, have, n_want));
	return wrong_trailer(v, c, want, n_want, have, n_have);
}

static int check_parent(struct verify *v, const struct claim *c, const struct commit *commit)
{
	const struct oid_hex id = oid_hex(&commit->id);
	bool accepted = c->r.verdict == VERDICT_ACCEPT;

	if (commit->n_parents != 1 || !oid_eq(&commit->parents[0], &c->r.base))
		return broken(v, "%s/%d: commit %s has the parent %s, the record says it was judged against %s", v->h->campaign,
			      c->r.number, id.s, commit->n_parents ? oid_hex(&commit->parents[0]).s : "(none)",
			      oid_hex(&c->r.base).s);
	if (accepted && !oid_eq(&c->r.base, &v->best))
		return broken(v, "%s/%d: accepted on %s, but best was at %s then", v->h->campaign, c->r.number,
			      oid_hex(&c->r.base).s, oid_hex(&v->best).s);
	if (!verify_was_best(v, &c->r.base))
		return broken(v, "%s/%d: judged against %s, which never was best", v->h->campaign, c->r.number, oid_hex(&c->r.base).s);
	if (!oid_eq(&commit->tree, &c->r.tree))
		return broken(v, "%s/%d: commit %s has the tree %s, the record says %s", v->h->campaign, c->r.number, id.s,
			      oid_hex(&commit->tree).s, oid_hex(&c->r.tree).s);
	return 0;
}

/* Did a person let it leave the surface? */
static bool surface_approved(const struct claim *c)
{
	bool asked = false;

	for (size_t i = 0; i < c->lines.n; i++) {
		const struct event *line = &c->lines.v[i];

		if (event_is(line, "event", "decide") && event_is(line, "reason", "surface"))
			asked = true;
		if (asked && event_is(line, "event", "approve"))
			return true;
	}
	return false;
}

static int check_surface(struct verify *v, const struct claim *c, const struct tree_changes *changes)
{
	struct surface surface;

	surface_of(v->policy, v->hooks_path, &surface);
	for (size_t i = 0; i < changes->n; i++) {
		const struct tree_change *t = &changes->v[i];
		struct surface_change change = { .path = t->path, .old_mode = t->old.mode, .new_mode = t->new.mode };
		const char *why = surface_judge(&surface, &change);
		STR path = STR_INIT;

		if (!why)
			continue;
		text_line(t->path, strlen(t->path), 300, &path);
		return broken(v, "%s/%d: recorded as %s (%s), but its tree changes '%s': %s", v->h->campaign, c->r.number,
			      verdict_names[c->r.verdict], reason_names[c->r.reason], path.buf, why);
	}
	return 0;
}

static int check_limits(struct verify *v, const struct claim *c, const struct tree_changes *changes, struct err *err)
{
	struct surface_counts counts = { .files = (int64_t)changes->n };
	struct tree_lines lines;
	const char *limit;

	if (tree_count_lines(v->repo, changes, &lines, err) < 0)
		return err->code;
	counts.lines = lines.added + lines.deleted;
	counts.bytes = lines.bytes;
	limit = surface_limits(v->policy, &counts);
	if (!limit)
		return 0;
	return broken(v, "%s/%d: recorded as %s (%s), but its change is larger than %s allows", v->h->campaign, c->r.number,
		      verdict_names[c->r.verdict], reason_names[c->r.reason], limit);
}

/* Reasons that say the tree equals base, and those that say it was looked at and let through. */
static int check_tree(struct verify *v, const struct claim *c, struct err *err)
{
	CLEANUP(tree_changes_free) struct tree_changes changes = { 0 };
	enum reason why = c->r.reason;
	struct oid base_tree;
	int r;

	if (tree_of_commit(v->repo, &c->r.base, &base_tree, err) < 0)
		return err->code;
	if ((why == REASON_NO_OP || why == REASON_AGENT_FAILED) && !oid_eq(&base_tree, &c->r.tree))
		return broken(v, "%s/%d: recorded as %s, but its tree is not its base's", v->h->campaign, c->r.number,
			      reason_names[why]);
	if (!(c->r.run || c->r.verdict == VERDICT_ACCEPT) || surface_approved(c))
		return 0;
	if (tree_compare(v->repo, &base_tree, &c->r.tree, &changes, err) < 0)
		return err->code;
	r = check_surface(v, c, &changes);
	return r ? r : check_limits(v, c, &changes, err);
}

int verify_commit(struct verify *v, const struct claim *c, const struct oid *id, struct err *err)
{
	CLEANUP(commit_free) struct commit commit = { 0 };
	int r;

	if (!repo_has(v->repo, id))
		return broken(v, "%s/%d: its commit %s is missing", v->h->campaign, c->r.number, oid_hex(id).s);
	if (commit_read(v->repo, id, &commit, err) < 0)
		return err->code;
	r = check_parent(v, c, &commit);
	if (!r)
		r = check_trailers(v, c, &commit);
	return r ? r : check_tree(v, c, err);
}
