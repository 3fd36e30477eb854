/* From a repository and a campaign's name to a loop that can run; everything that can be refused is refused here. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/mem.h"
#include "loop/session.h"
#include "git/ref.h"
#include "git/sign.h"
#include "ledger/names.h"

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

static int warn_brief(struct loop *l, const struct oid *tree, struct err *err)
{
	const char *path = l->policy->agent.brief;
	struct tree_entry entry;

	if (!path)
		return 0;
	if (tree_lookup(l->repo, tree, path, &entry, err) < 0)
		return err->code;
	if (!entry.mode)
		loop_say(l, "warning: agent.brief '%s' is not in the commit; the agent gets no instructions of yours", path);
	return 0;
}

static int warn_commands(struct loop *l, struct err *err)
{
	struct oid tree;

	if (tree_of_commit(l->repo, oid_is_zero(&l->h->best) ? &l->h->start : &l->h->best, &tree, err) < 0 ||
	    warn_brief(l, &tree, err) < 0 ||
	    warn_command(l, &tree, l->policy->agent.command, err) < 0 ||
	    warn_command(l, &tree, l->policy->execute.command, err) < 0)
		return err->code;
	for (size_t i = 0; i < l->policy->n_stages; i++)
		if (warn_command(l, &tree, l->policy->stages[i].command, err) < 0)
			return err->code;
	return 0;
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
	rc = task_run(&(struct task_spec){ .command = l->policy->workspace.prepare, .dir = workspace_dir(ws),
					   .enclosure = workspace_enclosure(ws), .env = &env,
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
	if (l->h->last_baseline < 0 || (l->h->needs_baseline && !l->options.replay))
		return 0;
	if (history_lines(l->repo, l->h, l->h->last_baseline, &lines, err) < 0)
		return err->code;
	expect_learn(l->policy, &lines, &l->bench.expect);
	return 0;
}

static int64_t disk_budget(const struct policy *p)
{
	int64_t max = p->agent.budget.disk > p->execute.budget.disk ? p->agent.budget.disk : p->execute.budget.disk;

	for (size_t i = 0; i < p->n_stages; i++)
		if (p->stages[i].budget.disk > max)
			max = p->stages[i].budget.disk;
	return max > 0 ? max : 0;
}

/* The workspaces; made anew where another policy prepares or includes something else. */
static int open_pool(struct loop *l, struct err *err)
{
	struct pool_spec spec = {
		.campaign = l->campaign, .state_dir = l->state_dir, .include = &l->policy->workspace.include,
		.checkout = repo_work_dir(l->repo), .disk = disk_budget(l->policy),
	};

	if (pool_open(l->repo, &spec, &l->pool, err) < 0)
		return err->code;
	if (!l->fresh_pool)
		return 0;
	if (pool_remove(l->pool, err) < 0)
		return err->code;
	pool_close(l->pool);
	l->pool = NULL;
	return pool_open(l->repo, &spec, &l->pool, err);
}

static int furnish(struct loop *l, struct err *err)
{
	l->tracked_hooks = repo_tracked_hooks(l->repo);
	surface_of(l->policy, l->tracked_hooks, &l->surface);
	if (reactor_new(&l->reactor, err) < 0 || open_pool(l, err) < 0)
		return err->code;
	l->bench.repo = l->repo;
	l->bench.policy = l->policy;
	l->bench.policy_blob = l->h->policy_blob;
	l->bench.pool = l->pool;
	l->bench.reactor = l->turns.reactor = l->reactor;
	l->bench.turns = &l->turns;
	l->bench.campaign = l->campaign;
	l->bench.keep = l->keep_dir;
	l->bench.keep_state = l->keep_state_dir;
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
	l->keep_dir = xasprintf("%s/replay/artifacts", l->state_dir);
	l->keep_state_dir = xasprintf("%s/replay/state", l->state_dir);
	l->inbox_fd = l->signal_fd = -1;
	l->opened = clock_mono();
	return l;
}

/* The lock, then what a dead owner left behind; nothing is read of the campaign before. */
static int take_over(struct loop *l, struct events *journal, struct err *err)
{
	AUTOFREE char *path = xasprintf("%s/journal", l->state_dir);

	if (repo_ident(l->repo, &l->me, err) < 0 || campaign_name_is_free(l->repo, err) < 0)
		return err->code;
	if (lock_take(l->state_dir, l->options.command, &l->lock, err) < 0 ||
	    journal_open(path, &l->journal, journal, err) < 0)
		return err->code;
	for (size_t i = 0; i < journal->n; i++)
		l->journal_open |= event_is(&journal->v[i], "event", "taken");
	return ledger_unlock(l->repo, journal, err);
}

static int find_campaign(struct loop *l, bool *ret_new, struct err *err)
{
	char ledger[NAME_MAX_REF];
	struct oid tip;

	name_ledger(l->campaign, ledger);
	if (ref_read(l->repo, ledger, &tip, err) < 0)
		return err->code;
	*ret_new = oid_is_zero(&tip);
	if (!*ret_new)
		return l->options.replay ? 0 : sign_try(l->repo, err);
	if (l->options.must_exist) {
		err_set(err, ERR_NOT_FOUND, "there is no campaign '%s' to resume", l->campaign);
		return err_hint(err, "git harness start begins one");
	}
	if (campaign_begin(l, err) < 0)
		return err->code;
	return journal_reset(l->journal, &(struct events){ 0 }, err);
}

static int begin(struct loop *l, struct err *err)
{
	CLEANUP(events_free) struct events lines = { 0 };
	bool is_new = false;

	if (take_over(l, &lines, err) < 0 || find_campaign(l, &is_new, err) < 0 ||
	    history_read(l->repo, l->campaign, &l->h, err) < 0)
		return err->code;
	l->policy = l->h->policy;
	l->wall_before = l->h->spent.wall;
	if ((!l->options.replay && campaign_best_is_free(l, err) < 0) || (!is_new && campaign_go_on(l, err) < 0))
		return err->code;
	warn_unenforced(l);
	if (warn_commands(l, err) < 0 || furnish(l, err) < 0)
		return err->code;
	if (is_new)	/* what stood there was another campaign's of that name */
		events_free(&lines);
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
	for (size_t i = 0; i < l->n_slots; i++)
		experiment_reset(&l->slots[i]);
	free(l->slots);
	turns_clear(&l->turns);
	live = xasprintf("%s/live", l->state_dir);
	if (l->lock && !l->ended)
		unlink(live);
	packing_free(l->packing);
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
	if (l->h && l->lock)
		history_keep(l->h);
	history_free(l->h);
	ident_free(&l->me);
	lock_free(l->lock);
	free(l->campaign);
	free(l->state_dir);
	free(l->work_dir);
	free(l->keep_dir);
	free(l->keep_state_dir);
	free(l->hooks_path);
	free(l->tracked_hooks);
	free(l);
}
