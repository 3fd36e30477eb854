/*
 * git-harness: argv[1] names a command of commands.h. This file finds it, lets the frame open what it needs, runs it, and is the
 * one place that turns an error into text and a status.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "cmd/frame.h"
#include "cmd/opt.h"
#include "cmd/usage.h"
#include "loop/machine.h"
#include "policy/policy.h"

static int print_text(void (*fn)(struct str *), struct err *err)
{
	STR s = STR_INIT;

	fn(&s);
	return cmd_print(&s, err);
}

static void version_text(struct str *ret)
{
	str_printf(ret, "git-harness %s\n", harness_version);
}

static int completion(const char *shell, struct err *err)
{
	STR s = STR_INIT;

	return usage_completion(shell, &s, err) < 0 ? err->code : cmd_print(&s, err);
}

/* What stands before a command. The --print words are for lints and `make install`, not for people; no usage names them. */
static int answer_option(const char *word, struct err *err)
{
	if (!strcmp(word, "-h") || !strcmp(word, "help"))
		return print_text(usage_all, err);
	if (!strcmp(word, "--help"))
		return open_manual(err);
	if (!strcmp(word, "--version"))
		return print_text(version_text, err);
	if (starts_with(word, "--completion="))
		return completion(strchr(word, '=') + 1, err);
	if (!strcmp(word, "--print-options"))
		return print_text(usage_table, err);
	if (!strcmp(word, "--print-keys"))
		return print_text(usage_keys, err);
	if (!strcmp(word, "--print-machine"))
		return print_text(machine_print, err);
	if (!strcmp(word, "--print-schema"))
		return print_text(policy_schema, err);
	err_set(err, ERR_USAGE, "unknown option '%s'", word);
	return err_hint(err, "git harness -h lists the commands");
}

static int unknown_command(const char *name, struct err *err)
{
	const char *nearest = command_nearest(name);

	err_set(err, ERR_USAGE, "'%s' is not a git harness command", name);
	if (nearest)
		return err_hint(err, "the most similar one is: git harness %s", nearest);
	return err_hint(err, "git harness -h lists them");
}

/* In the program's own words: what was wrong, then how the command is called. */
static int misused(const struct cmd *cmd, const struct err *err)
{
	STR line = STR_INIT;
	int status = report_error(err);

	usage_line(cmd, &line);
	fprintf(stderr, "%s   or: git harness %s -h\n", line.buf, cmd->name);
	return status;
}

static int run_opened(struct cmd_ctx *ctx, const struct common *common, struct err *err)
{
	int ret;

	ctx->quiet = common->quiet;
	ctx->progress = !common->quiet && (common->progress || isatty(STDERR_FILENO));
	if (context_open(ctx, common->campaign, err) < 0)
		return err->code;
	if (ctx->cmd->needs & CMD_PAGER)
		pager_start(ctx);
	ret = ctx->cmd->run(ctx, err);
	if (ret >= 0)
		ret = flush_stdout(err);
	pager_end();
	return ret < 0 ? err->code : 0;
}

static int help_on(const struct cmd *cmd, const struct common *common, struct err *err)
{
	STR s = STR_INIT;

	if (common->help)
		return open_manual(err);
	usage_command(cmd, &s);
	return cmd_print(&s, err);
}

static int run_command(const struct cmd *cmd, int argc, char **argv)
{
	struct cmd_ctx ctx = { .cmd = cmd, .argc = argc, .argv = argv };
	struct common common = { 0 };
	struct err err = { 0 };
	int ret;

	ctx.opts = xcalloc(1, cmd->opts_size ? cmd->opts_size : 1);
	ret = opt_parse(cmd, &ctx.argc, argv, ctx.opts, &common, &err);
	if (!ret)
		ret = common.h || common.help ? help_on(cmd, &common, &err) : run_opened(&ctx, &common, &err);
	if (ret < 0)
		ret = err.code == ERR_USAGE ? misused(cmd, &err) : report_error(&err);
	else
		ret = ctx.exit;
	context_free(&ctx);
	opt_free(cmd->opts, ctx.opts);
	return ret;
}

int main(int argc, char **argv)
{
	const struct cmd *cmd;
	struct err err = { 0 };

	/* As git: a reader that went away ends us without a word, whatever our parent made of the signal. */
	signal(SIGPIPE, SIG_DFL);
	if (argc < 2) {
		STR s = STR_INIT;

		usage_all(&s);
		fputs(s.buf, stderr);
		return 129;
	}
	if (argv[1][0] == '-' || !strcmp(argv[1], "help"))
		return answer_option(argv[1], &err) < 0 ? report_error(&err) : 0;
	cmd = command_find(argv[1]);
	if (!cmd) {
		unknown_command(argv[1], &err);
		return report_error(&err);
	}
	return run_command(cmd, argc - 2, argv + 2);
}
