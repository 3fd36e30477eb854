/*
 * context.c - what a command needs, opened before it runs.
 */
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "base/mem.h"
#include "cmd/frame.h"
#include "git/ref.h"
#include "ledger/names.h"
#include "policy/policy.h"

#define USERS_BRANCH "refs/heads/harness"

/* What the working file says, read with patience: a policy that does not parse is for `check` and `start` to complain about. */
static char *campaign_of_file(const struct repo *repo)
{
	STR text = STR_MAX(POLICY_MAX + 1);
	AUTOFREE char *path = NULL;
	struct policy *policy = NULL;
	struct err ignored;
	char *ret = NULL;

	if (!repo_work_dir(repo))
		return NULL;
	path = xasprintf("%s/%s", repo_work_dir(repo), POLICY_FILE);
	if (io_read_file(path, POLICY_MAX, &text, &ignored) < 0)
		return NULL;
	if (policy_parse(POLICY_FILE, text.buf, text.len, &policy, &ignored) < 0)
		return NULL;
	ret = xstrdup(policy->campaign);
	policy_free(policy);
	return ret;
}

static int find_campaign(struct cmd_ctx *ctx, const char *wanted, struct err *err)
{
	if (wanted && !campaign_name_ok(wanted)) {
		err_set(err, ERR_USAGE, "'%s' cannot be a campaign's name", wanted);
		return err_hint(err, "a-z, 0-9, '-' and '_', up to 40, a letter or digit first; not 'best' or 'review'");
	}
	ctx->campaign = wanted ? xstrdup(wanted) : campaign_of_file(ctx->repo);
	if (!ctx->campaign)
		ctx->campaign = xstrdup("main");
	ctx->state_dir = name_state_dir(ctx->repo, ctx->campaign);
	return 0;
}

/* git cannot hold refs/heads/harness and refs/heads/harness/best at the same time. */
static int refuse_users_branch(struct repo *repo, struct err *err)
{
	struct oid at;

	if (ref_read(repo, USERS_BRANCH, &at, err) < 0)
		return err->code;
	if (oid_is_zero(&at))
		return 0;
	err_set(err, ERR_REFUSED, "your branch 'harness' stands where the branches below 'harness/' must go");
	return err_hint(err, "git branch -m harness harness-mine");
}

int context_open(struct cmd_ctx *ctx, const char *campaign, struct err *err)
{
	unsigned needs = ctx->cmd->needs;

	if (!(needs & (CMD_REPO | CMD_CAMPAIGN | CMD_HISTORY)))
		return 0;
	if (repo_open(NULL, &ctx->repo, err) < 0)
		return err->code;
	if (!(needs & (CMD_CAMPAIGN | CMD_HISTORY)))
		return 0;
	if (refuse_users_branch(ctx->repo, err) < 0 || find_campaign(ctx, campaign, err) < 0)
		return err->code;
	if (needs & CMD_HISTORY && history_read(ctx->repo, ctx->campaign, &ctx->history, err) < 0)
		return err->code;
	return 0;
}

void context_free(struct cmd_ctx *ctx)
{
	history_free(ctx->history);
	free(ctx->campaign);
	free(ctx->state_dir);
	repo_free(ctx->repo);
	ctx->history = NULL;
	ctx->repo = NULL;
	ctx->campaign = ctx->state_dir = NULL;
}

/* "other/7" means the whole command is about that campaign now. */
static int switch_campaign(struct cmd_ctx *ctx, const char *campaign, struct err *err)
{
	struct history *other;
	char *name;

	if (ctx->history && !strcmp(campaign, ctx->campaign))
		return 0;
	if (history_read(ctx->repo, campaign, &other, err) < 0)
		return err->code;
	name = xstrdup(campaign);	/* it may be ctx->campaign itself */
	history_free(ctx->history);
	free(ctx->campaign);
	free(ctx->state_dir);
	ctx->history = other;
	ctx->campaign = name;
	ctx->state_dir = name_state_dir(ctx->repo, name);
	return 0;
}

int cmd_number(struct cmd_ctx *ctx, const char *text, const struct record **ret, struct err *err)
{
	AUTOFREE char *campaign = NULL;
	const struct record *found;
	int number;

	if (number_parse(text, &campaign, &number, err) < 0)
		return err->code;
	if (switch_campaign(ctx, campaign ? campaign : ctx->campaign, err) < 0)
		return err->code;
	found = history_record(ctx->history, number);
	if (!found) {
		err_set(err, ERR_NOT_FOUND, "there is no experiment %d in campaign '%s'", number, ctx->campaign);
		if (!ctx->history->n_records)
			return err_hint(err, "nothing is recorded yet");
		return err_hint(err, "the highest number is %zu; git harness log lists them", ctx->history->n_records - 1);
	}
	*ret = found;
	return 0;
}
