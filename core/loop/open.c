/* From a repository and a campaign's name to a loop that can run; everything that can be refused is refused here. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/num.h"
#include "loop/experiment.h"
#include "git/ref.h"
#include "ledger/names.h"
#include "run/remove.h"

/* ---- the policy of HEAD ---- */

static int same_as_working_file(struct repo *repo, const struct str *committed, bool tracked, struct err *err)
{
	const char *top = repo_work_dir(repo);
	AUTOFREE char *path = top ? xasprintf("%s/%s", top, POLICY_FILE) : NULL;
	STR working = STR_INIT;
	struct err unread;

	if (!path || io_read_file(path, POLICY_MAX + 1, &working, &unread) < 0)
		return 0;	/* bare, or removed from the checkout: HEAD's counts */
	if (tracked && working.len == committed->len && !memcmp(working.buf, committed->buf, working.len))
		return 0;
	err_set(err, ERR_REFUSED, tracked ? "'%s' differs from the one in HEAD" : "'%s' is not in HEAD", POLICY_FILE);
	err_hint(err, "a campaign runs by the committed policy; commit it first:");
	err_hint(err, "  git add %s", POLICY_FILE);
	return err_hint(err, "  git commit -m 'harness: the policy'");
}

int loop_policy(struct repo *repo, const struct oid *head, struct policy **ret, struct oid *ret_blob, struct err *err)
{
	STR text = STR_INIT;
	struct tree_entry entry;
	struct oid tree;

	if (tree_of_commit(repo, head, &tree, err) < 0 || tree_lookup(repo, &tree, POLICY_FILE, &entry, err) < 0)
		return err->code;
	if (!entry.mode) {
		if (same_as_working_file(repo, &text, false, err) < 0)
			return err->code;
		err_set(err, ERR_NOT_FOUND, "there is no '%s' in HEAD", POLICY_FILE);
		return err_hint(err, "git harness init writes one");
	}
	if (repo_read_blob(repo, &entry.id, POLICY_MAX + 1, &text, err) < 0)
		return err_wrap(err, "cannot read HEAD:%s", POLICY_FILE);
	if (same_as_working_file(repo, &text, true, err) < 0)
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

static void warn_unenforced(struct loop *l)
{
	STR names = STR_INIT;

	for (size_t i = 0; i < l->policy->unenforced.n; i++)
		str_printf(&names, "%s%s", i ? ", " : "", l->policy->unenforced.v[i]);
	if (names.len)
		loop_say(l, "warning: not enforced by this version: %s", names.buf);
	for (size_t i = 0; i < l->policy->warnings.n; i++)
		loop_say(l, "warning: %s", l->policy->warnings.v[i]);
}

/* `./x` as a command's first word, and x is not in the commit: 127 all night. */
static int warn_command(struct loop *l, const struct oid *tree, const char *command, struct err *err)
{
	AUTOFREE char *word = command ? xstrndup(command, strcspn(command, " \t\n;|&<>()'\"$`")) : NULL;
	struct tree_entry entry;

	if (!word || strncmp(word, "./", 2) || !word[2])
		return 0;
	if (tree_lookup(l->repo, tree, word + 2, &entry, err) < 0)
		return err->code;
	if (!entry.mode)
		loop_say(l, "warning: '%s' is not in the commit; in a workspace that command cannot be found", word);
	return 0;
}

static int warn_commands(struct loop *l, struct err *err)
{
	struct oid tree;

	if (tree_of_commit(l->repo, &l->h->start, &tree, err) < 0 ||
	    warn_command(l, &tree, l->policy->agent.command, err) < 0 ||
	    warn_command(l, &tree, l->policy->execute.command, err) < 0)
		return err->code;
	for (size_t i = 0; i < l->policy->n_stages; i++)
		if (warn_command(l, &tree, l->policy->stages[i].command, err) < 0)
			return err->code;
	return 0;
}

/* ---- refs in the way ---- */

static int no_branch_called_harness(struct repo *repo, struct err *err)
{
	struct oid at;

	if (ref_read(repo, "refs/heads/harness", &at, err) < 0)
		return err->code;
	if (oid_is_zero(&at))
		return 0;
	err_set(err, ERR_REFUSED, "a branch called 'harness' is in the way of harness/best");
	return err_hint(err, "git branch -m harness <another-name>");
}

static int best_is_free(struct repo *repo, const char *best, struct err *err)
{
	AUTOFREE char *path = NULL;

	if (repo_checked_out(repo, best, &path, err) < 0)
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

static int new_campaign(struct loop *l, struct err *err)
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
	if (loop_policy(l->repo, &head, &policy, &blob, err) < 0)
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
	if (best_is_free(l->repo, best, err) < 0)
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
	EVENT facts = { 0 };

	if (supported(policy, err) < 0)
		return err->code;
	event_add_oid(&facts, "policy", blob);
	event_add_oid(&facts, "old", &l->h->policy_blob);
	event_add_int(&facts, "measure", (policy_compare(l->policy, policy) & POLICY_MEASURE_AGAIN) != 0);
	loop_say(l, "the policy of HEAD is adopted");
	return loop_act(l, "adopt-policy", &facts, err);
}

static int same_policy(struct loop *l, const struct oid *head, struct err *err)
{
	struct policy *policy = NULL;
	struct oid blob;
	int rc = loop_policy(l->repo, head, &policy, &blob, err);

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
		return err_hint(err, "git merge %s, then git harness start --advance",
				!strcmp(l->campaign, "main") ? "harness/best" : l->h->campaign);
	}
	l->advance_to = *head;
	return 0;
}

static int existing_campaign(struct loop *l, struct err *err)
{
	AUTOFREE char *branch = NULL;
	EVENT none = { 0 };
	struct oid head;
	int mended = 0;

	if (ledger_mend(l->repo, l->h, &mended, err) < 0)
		return err->code;
	if (mended)
		loop_say(l, "mended %d ref%s or note%s from the ledger", mended, mended == 1 ? "" : "s", mended == 1 ? "" : "s");
	if (l->options.replay)
		return 0;
	if (repo_head(l->repo, &branch, &head, err) < 0)
		return err->code;
	if (!oid_is_zero(&head) && (same_policy(l, &head, err) < 0 || moved_on(l, &head, err) < 0))
		return err->code;
	for (size_t i = 0; i < l->h->n_records; i++)
		if (l->h->records[i].waiting && experiment_park(l, &l->h->records[i], err) < 0)
			return err->code;
	return l->h->loop_waits ? loop_act(l, "resume", &none, err) : 0;
}

/* ---- the rest of the room ---- */

/* Locks that a dead owner named in the journal before it took them; nobody else's are touched. */
static int unlock_stale(struct loop *l, const struct events *journal, struct err *err)
{
	const char *refs = NULL;

	for (size_t i = 0; i < journal->n; i++)
		if (event_is(&journal->v[i], "event", "locks"))
			refs = event_get(&journal->v[i], "refs");
	while (refs && *refs) {
		size_t len = strcspn(refs, ",");
		AUTOFREE char *name = xstrndup(refs, len);

		if (ref_unlock_stale(l->repo, name, err) < 0)
			return err->code;
		refs += len + (refs[len] == ',');
	}
	return 0;
}

int loop_clear_work(struct loop *l, bool keep, struct err *err)
{
	if (!keep && remove_tree(AT_FDCWD, l->work_dir, 0, err) < 0)
		return err->code;
	return io_mkdirs(l->work_dir, 0700, err);
}

static int prepare(struct loop *l, struct err *err)
{
	static const struct strs none;
	CLEANUP(strs_free) struct strs env = { 0 };
	struct workspace *ws = NULL;
	struct task_end end;
	struct oid tree;
	STR log = STR_INIT;
	int rc;

	if (!l->policy->workspace.prepare || pool_is_prepared(l->pool))
		return 0;
	loop_say(l, "preparing the workspace: %s", l->policy->workspace.prepare);
	if (tree_of_commit(l->repo, &l->h->start, &tree, err) < 0 ||
	    workspace_open(l->pool, &l->h->start, &tree, &ws, err) < 0)
		return err->code;
	task_env(&none, workspace_tmp(ws), &env);
	rc = task_run(&(struct task_spec){ .command = l->policy->workspace.prepare, .dir = workspace_dir(ws), .env = &env,
					   .output = -1, .close_fds = l->bench.close_fds }, &end, &log, err);
	if (rc >= 0 && (end.exit || end.timed_out)) {
		rc = err_set(err, ERR_EVALUATOR, "workspace.prepare `%.200s` ended with exit status %d",
			     l->policy->workspace.prepare, end.exit);
		err_hint(err, "the end of its log:\n%s", log.len > 400 ? log.buf + log.len - 400 : log.buf);
	}
	if (rc >= 0)
		rc = pool_keep_prepared(l->pool, ws, err);
	workspace_release(ws);
	return rc;
}

static int learn_baseline(struct loop *l, struct err *err)
{
	CLEANUP(events_free) struct events lines = { 0 };

	l->bench.expect.goal_stage = -1;
	if (l->h->last_baseline < 0 || l->h->needs_baseline)
		return 0;
	if (history_lines(l->repo, l->h, l->h->last_baseline, &lines, err) < 0)
		return err->code;
	expect_learn(l->policy, &lines, &l->bench.expect);
	return 0;
}

static void find_hooks_path(struct loop *l)
{
	const char *path = repo_setting(l->repo, "core.hookspath"), *top = repo_work_dir(l->repo);

	if (!path || !top)
		return;
	if (path[0] != '/')
		l->tracked_hooks = xstrdup(path);
	else if (starts_with(path, top) && path[strlen(top)] == '/')
		l->tracked_hooks = xstrdup(path + strlen(top) + 1);
}

static int furnish(struct loop *l, struct err *err)
{
	struct pool_spec spec = {
		.campaign = l->campaign, .state_dir = l->state_dir, .include = &l->policy->workspace.include,
		.checkout = repo_work_dir(l->repo),
	};

	find_hooks_path(l);
	surface_of(l->policy, l->tracked_hooks, &l->surface);
	if (reactor_new(&l->reactor, err) < 0 || pool_open(l->repo, &spec, &l->pool, err) < 0)
		return err->code;
	l->bench.repo = l->repo;
	l->bench.policy = l->policy;
	l->bench.policy_blob = l->h->policy_blob;
	l->bench.pool = l->pool;
	l->bench.reactor = l->reactor;
	l->bench.campaign = l->campaign;
	l->bench.keep = l->keep_dir;
	l->bench.close_fds[0] = lock_fd(l->lock);
	l->bench.close_fds[1] = -1;
	policy_metrics(l->policy, &l->bench.metrics);
	if (prepare(l, err) < 0 || learn_baseline(l, err) < 0)
		return err->code;
	return agent_open(l->repo, l->policy, &l->h->start, &l->agent, err);
}

static struct loop *new_loop(struct repo *repo, const struct loop_options *o)
{
	struct loop *l = xcalloc(1, sizeof(*l));

	l->repo = repo;
	l->options = *o;
	l->campaign = xstrdup(o->campaign);
	l->hooks_path = xstrdup(o->hooks);
	l->state_dir = name_state_dir(repo, o->campaign);
	l->work_dir = xasprintf("%s/open", l->state_dir);
	l->keep_dir = xasprintf("%s/open/artifacts", l->state_dir);
	l->inbox_fd = l->signal_fd = -1;
	l->opened = clock_mono();
	l->x.loop = l;
	l->x.run = l->x.trial = (struct measure){ .execute_log = STR_INIT, .evaluate_log = STR_INIT };
	experiment_reset(&l->x);
	return l;
}

static int begin(struct loop *l, struct err *err)
{
	AUTOFREE char *path = xasprintf("%s/journal", l->state_dir);
	CLEANUP(events_free) struct events lines = { 0 };
	char ledger[NAME_MAX_REF], best[NAME_MAX_REF];
	struct oid tip;

	name_ledger(l->campaign, ledger);
	name_best(l->campaign, best);
	if (repo_ident(l->repo, &l->me, err) < 0 || no_branch_called_harness(l->repo, err) < 0 ||
	    lock_take(l->state_dir, l->options.command, &l->lock, err) < 0 ||
	    journal_open(path, &l->journal, &lines, err) < 0 || unlock_stale(l, &lines, err) < 0 ||
	    ref_read(l->repo, ledger, &tip, err) < 0)
		return err->code;
	if (oid_is_zero(&tip) && l->options.must_exist) {
		err_set(err, ERR_NOT_FOUND, "there is no campaign '%s' to resume", l->campaign);
		return err_hint(err, "git harness start begins one");
	}
	if (oid_is_zero(&tip) && (new_campaign(l, err) < 0 || journal_reset(l->journal, &(struct events){ 0 }, err) < 0))
		return err->code;
	if (history_read(l->repo, l->campaign, &l->h, err) < 0)
		return err->code;
	l->policy = l->h->policy;
	l->wall_before = l->h->spent.wall;
	if (best_is_free(l->repo, best, err) < 0 || (!oid_is_zero(&tip) && existing_campaign(l, err) < 0))
		return err->code;
	warn_unenforced(l);
	if (warn_commands(l, err) < 0 || furnish(l, err) < 0)
		return err->code;
	return experiment_resume(l, &lines, err);
}

int loop_open(struct repo *repo, const struct loop_options *o, struct loop **ret, struct err *err)
{
	struct loop *l = new_loop(repo, o);

	if (begin(l, err) < 0) {
		loop_free(l);
		return err->code;
	}
	*ret = l;
	return 0;
}

const struct history *loop_history(const struct loop *l)
{
	return l->h;
}

void loop_free(struct loop *l)
{
	AUTOFREE char *live = NULL;

	if (!l)
		return;
	experiment_reset(&l->x);
	live = xasprintf("%s/live", l->state_dir);
	if (l->lock)
		unlink(live);
	watch_free(l->inbox);
	watch_free(l->signals);
	watch_free(l->tick);
	reactor_free(l->reactor);
	autoclose(&l->inbox_fd);
	autoclose(&l->signal_fd);
	agent_free(l->agent);
	pool_close(l->pool);
	if (l->policy)
		expect_clear(&l->bench.expect, l->policy->n_stages);
	strs_free(&l->bench.metrics);
	journal_close(l->journal);
	history_free(l->h);
	ident_free(&l->me);
	lock_free(l->lock);
	free(l->campaign);
	free(l->state_dir);
	free(l->work_dir);
	free(l->keep_dir);
	free(l->hooks_path);
	free(l->tracked_hooks);
	free(l);
}
