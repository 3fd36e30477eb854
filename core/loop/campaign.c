/* Where a campaign starts and where it goes on: HEAD's policy, refs in the way, what moved meanwhile. */
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "base/mem.h"
#include "git/attr.h"
#include "git/ref.h"
#include "ledger/names.h"
#include "loop/session.h"

/* ---- the policy of HEAD ---- */

/* As git would store it: a checkout with other line ends is still the same file. */
static int as_stored(struct repo *repo, const struct oid *tree, const struct str *working, struct str *ret, struct err *err)
{
	struct rules *rules;
	const char *refused;
	int rc;

	if (rules_open(repo, tree, &rules, err) < 0)
		return err->code;
	rc = rules_clean(rules, POLICY_FILE, working->buf, working->len, ret, &refused, err);
	rules_free(rules);
	return rc;
}

static int same_as_working_file(struct repo *repo, const struct oid *tree, const struct str *committed, bool tracked, struct err *err)
{
	const char *top = repo_work_dir(repo);
	AUTOFREE char *path = top ? xasprintf("%s/%s", top, POLICY_FILE) : NULL;
	STR working = STR_INIT, stored = STR_INIT;
	struct err unread;

	if (!path || io_read_file(path, POLICY_MAX + 1, &working, &unread) < 0)
		return 0;	/* bare, or removed from the checkout: HEAD's counts */
	if (tracked && as_stored(repo, tree, &working, &stored, err) < 0)
		return err->code;
	if (tracked && stored.len == committed->len && !memcmp(stored.buf, committed->buf, stored.len))
		return 0;
	err_set(err, ERR_REFUSED, tracked ? "'%s' differs from the one in HEAD" : "'%s' is not in HEAD", POLICY_FILE);
	err_hint(err, "a campaign runs by the committed policy; commit it first:");
	err_hint(err, "  git add %s", POLICY_FILE);
	return err_hint(err, "  git commit -m 'harness: the policy'");
}

static int policy_of_head(struct repo *repo, const struct oid *head, struct policy **ret, struct oid *ret_blob, struct err *err)
{
	STR text = STR_INIT;
	struct tree_entry entry;
	struct oid tree;

	if (tree_of_commit(repo, head, &tree, err) < 0 || tree_lookup(repo, &tree, POLICY_FILE, &entry, err) < 0)
		return err->code;
	if (!entry.mode) {
		if (same_as_working_file(repo, &tree, &text, false, err) < 0)
			return err->code;
		err_set(err, ERR_NOT_FOUND, "there is no '%s' in HEAD", POLICY_FILE);
		return err_hint(err, "git harness init writes one");
	}
	if (repo_read_blob(repo, &entry.id, POLICY_MAX + 1, &text, err) < 0)
		return err_wrap(err, "cannot read HEAD:%s", POLICY_FILE);
	if (same_as_working_file(repo, &tree, &text, true, err) < 0)
		return err->code;
	if (policy_parse("HEAD:" POLICY_FILE, text.buf, text.len, ret, err) < 0)
		return err->code;
	*ret_blob = entry.id;
	return 0;
}

static int supported(const struct policy *p, struct err *err)
{
	if (!p->unsupported.n)
		return 0;
	err_set(err, ERR_INVALID, "%s", p->unsupported.v[0]);
	for (size_t i = 1; i < p->unsupported.n && i < 4; i++)
		err_hint(err, "also: %s", p->unsupported.v[i]);
	return err_hint(err, "this version cannot do that, and leaving it out would change what the policy says");
}

/* ---- refs in the way ---- */

int campaign_name_is_free(struct repo *repo, struct err *err)
{
	struct oid at;

	if (ref_read(repo, "refs/heads/harness", &at, err) < 0)
		return err->code;
	if (oid_is_zero(&at))
		return 0;
	err_set(err, ERR_REFUSED, "a branch called 'harness' is in the way of harness/best");
	return err_hint(err, "git branch -m harness <another-name>");
}

int campaign_best_is_free(struct loop *l, struct err *err)
{
	AUTOFREE char *path = NULL;
	char best[NAME_MAX_REF];

	name_best(l->campaign, best);
	if (repo_checked_out(l->repo, best, &path, err) < 0)
		return err->code;
	if (!path)
		return 0;
	err_set(err, ERR_REFUSED, "'%s' is checked out in '%s': moving it there would make the next commit undo it",
		best + strlen("refs/heads/"), path);
	return err_hint(err, "git -C '%s' switch --detach", path);
}

/* Asked before there is a campaign: a policy that does not fit the repository should leave nothing behind that pins it. */
static int agent_fits(struct loop *l, const struct policy *policy, const struct oid *start, struct err *err)
{
	struct agent *agent;

	if (supported(policy, err) < 0 || agent_open(l->repo, policy, start, &agent, err) < 0)
		return err->code;
	agent_free(agent);
	return 0;
}

int campaign_begin(struct loop *l, struct err *err)
{
	struct policy *policy = NULL;
	struct oid head, blob, at;
	AUTOFREE char *branch = NULL;
	char best[NAME_MAX_REF];
	int rc;

	if (repo_head(l->repo, &branch, &head, err) < 0)
		return err->code;
	if (oid_is_zero(&head)) {
		err_set(err, ERR_REFUSED, "there is no commit yet to start from");
		return err_hint(err, "commit the project and its %s first", POLICY_FILE);
	}
	if (policy_of_head(l->repo, &head, &policy, &blob, err) < 0)
		return err->code;
	rc = agent_fits(l, policy, &head, err);
	policy_free(policy);
	if (rc < 0)
		return rc;
	name_best(l->campaign, best);
	if (ref_read(l->repo, best, &at, err) < 0)
		return err->code;
	if (!oid_is_zero(&at)) {
		err_set(err, ERR_REFUSED, "the branch '%s' exists and no ledger of ours explains it",
			best + strlen("refs/heads/"));
		return err_hint(err, "git branch -m %s <another-name>, or git fetch the ledger it belongs to",
				best + strlen("refs/heads/"));
	}
	if (campaign_best_is_free(l, err) < 0)
		return err->code;
	return ledger_start(l->repo, l->campaign, &blob, &head, err);
}

/* ---- an existing campaign ---- */

int loop_act(struct loop *l, const char *kind, struct event *facts, struct err *err)
{
	EVENT act = { 0 };
	AUTOFREE char *by = xasprintf("%s <%s>", l->me.name, l->me.mail);
	AUTOFREE char *subject = xasprintf("%s: %s", l->campaign, kind);
	struct ledger_write w = { .kind = ENTRY_ACT, .number = -1, .act = &act, .subject = subject, .best = l->h->best };

	act_begin(l->h, kind, -1, by, &act);
	for (size_t i = 0; i < facts->n; i++)
		event_add(&act, facts->pairs[i].key, facts->pairs[i].value);
	event_get_oid(facts, "policy", &w.policy);
	if (ledger_write(l->repo, l->h, l->journal, &w, err) < 0)
		return err_wrap(err, "cannot record '%s'", kind);
	l->policy = l->h->policy;
	return 0;
}

static int adopt(struct loop *l, const struct policy *policy, const struct oid *blob, struct err *err)
{
	bool measure = (policy_compare(l->policy, policy) & POLICY_MEASURE_AGAIN) != 0;
	EVENT facts = { 0 };

	if (supported(policy, err) < 0)
		return err->code;
	if (measure && l->journal_open) {
		err_set(err, ERR_REFUSED, "an experiment is still open under the old policy, which measured otherwise");
		return err_hint(err, "git harness stop --now --discard records it as interrupted; then resume --adopt-policy");
	}
	event_add_oid(&facts, "policy", blob);
	event_add_oid(&facts, "old", &l->h->policy_blob);
	event_add_int(&facts, "measure", measure);
	l->fresh_pool = measure;
	loop_say(l, "the policy of HEAD is adopted");
	return loop_act(l, "adopt-policy", &facts, err);
}

static int same_policy(struct loop *l, const struct oid *head, struct err *err)
{
	struct policy *policy = NULL;
	struct oid blob;
	int rc = policy_of_head(l->repo, head, &policy, &blob, err);

	if (rc >= 0 && !oid_eq(&blob, &l->h->policy_blob)) {
		if (l->options.adopt_policy) {
			rc = adopt(l, policy, &blob, err);
		} else {
			rc = err_set(err, ERR_REFUSED, "HEAD:%s differs from the policy that campaign '%s' was started under",
				     POLICY_FILE, l->campaign);
			err_hint(err, "git diff %.10s %.10s shows how; git harness resume --adopt-policy goes on under HEAD's",
				 oid_hex(&l->h->policy_blob).s, oid_hex(&blob).s);
		}
	}
	policy_free(policy);
	return rc;
}

/* Main has moved on: say so in one line, or measure it anew where a person asks for that and it holds what best has. */
static int moved_on(struct loop *l, const struct oid *head, struct err *err)
{
	bool best_has, head_has;
	char best[NAME_MAX_REF];

	if (oid_is_zero(&l->h->best))
		return 0;
	if (repo_descends(l->repo, &l->h->best, head, &best_has, err) < 0 ||
	    repo_descends(l->repo, head, &l->h->best, &head_has, err) < 0)
		return err->code;
	if (!l->options.advance) {
		if (!best_has)
			loop_say(l, head_has ? "note: HEAD is ahead of best; git harness start --advance would measure it and go on from there"
					     : "note: best lacks commits of HEAD; merge best into HEAD, then git harness start --advance");
		return 0;
	}
	if (best_has)
		return 0;
	if (!head_has) {
		err_set(err, ERR_REFUSED, "cannot advance: HEAD does not hold what best has");
		name_best(l->campaign, best);
		return err_hint(err, "git merge %s, then git harness start --advance", best + strlen("refs/heads/"));
	}
	l->advance_to = *head;
	return 0;
}

/* What HEAD says: the same policy, and whether main has moved on. */
static int look_at_head(struct loop *l, struct err *err)
{
	AUTOFREE char *branch = NULL;
	struct oid head;

	if (repo_head(l->repo, &branch, &head, err) < 0)
		return err->code;
	if (oid_is_zero(&head))
		return 0;
	return same_policy(l, &head, err) < 0 ? err->code : moved_on(l, &head, err);
}

int campaign_go_on(struct loop *l, struct err *err)
{
	EVENT none = { 0 };
	int mended = 0;

	if (ledger_mend(l->repo, l->h, &mended, err) < 0)
		return err->code;
	if (mended)
		loop_say(l, "mended %d ref%s or note%s from the ledger", mended, mended == 1 ? "" : "s", mended == 1 ? "" : "s");
	if (l->options.replay)
		return 0;
	if (look_at_head(l, err) < 0)
		return err->code;
	return l->h->loop_waits ? loop_act(l, "resume", &none, err) : 0;
}
