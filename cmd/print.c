/*
 * print.c - results to stdout, errors to stderr, colour or none.
 * What errors say may quote file names, refs and output that others chose: it is made visible on its way to the terminal.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "cmd/frame.h"

/* DESIGN section 4. */
static int exit_status(int code)
{
	switch (code) {
	case ERR_USAGE:
		return 129;
	case ERR_NEGATIVE:
		return 1;
	case ERR_EVALUATOR:
		return 125;
	default:
		return 128;
	}
}

/* Print text line by line; only the first gets the prefix. */
static void print_lines(const char *prefix, const char *text)
{
	STR safe = STR_INIT;

	text_visible(text, strlen(text), true, &safe);
	fprintf(stderr, "%s%s%s", prefix, safe.buf, ends_with(safe.buf, "\n") ? "" : "\n");
}

int report_error(const struct err *err)
{
	fflush(stdout);
	print_lines(err->code == ERR_NEGATIVE || err->code == ERR_USAGE ? "error: " : "fatal: ",
		    *err->msg ? err->msg : "it failed and did not say why");
	return exit_status(err->code);
}

static void say(const char *what, const char *fmt, va_list ap)
{
	AUTOFREE char *text = NULL;

	if (vasprintf(&text, fmt, ap) < 0)
		abort();
	fflush(stdout);
	print_lines(what, text);
}

void cmd_warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say("warning: ", fmt, ap);
	va_end(ap);
}

void cmd_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say("error: ", fmt, ap);
	va_end(ap);
}

int flush_stdout(struct err *err)
{
	if (!fflush(stdout) && !ferror(stdout))
		return 0;
	if (errno == EPIPE)
		return 0;	/* whoever read has seen enough */
	return err_errno(err, "cannot write to standard output");
}

int cmd_print(const struct str *s, struct err *err)
{
	fwrite(s->buf, 1, s->len, stdout);
	return flush_stdout(err);
}

enum when { NEVER, AUTO, ALWAYS };

static enum when when_of(const char *value)
{
	static const char *const no[] = { "never", "false", "no", "off", "0" };

	if (!strcmp(value, "always"))
		return ALWAYS;
	for (size_t i = 0; i < ARRAY_SIZE(no); i++)
		if (!strcasecmp(value, no[i]))
			return NEVER;
	return AUTO;	/* as git: auto, and every way to say true */
}

/* The more particular wish wins: color.harness, then NO_COLOR (no-color.org), then color.ui. */
static enum when colour_wish(struct repo *repo)
{
	const char *own = repo ? repo_setting(repo, "color.harness") : NULL;
	const char *no_color = getenv("NO_COLOR");
	const char *all = repo ? repo_setting(repo, "color.ui") : NULL;

	if (own)
		return when_of(own);
	if (no_color && *no_color)
		return NEVER;
	return all ? when_of(all) : AUTO;
}

bool cmd_colour(struct cmd_ctx *ctx, FILE *stream)
{
	enum when when = colour_wish(ctx->repo);
	const char *term = getenv("TERM");

	if (when != AUTO)
		return when == ALWAYS;
	if (stream == stdout && pager_in_use())
		return !ctx->repo || repo_setting_bool(ctx->repo, "color.pager", true);
	return isatty(fileno(stream)) && term && strcmp(term, "dumb") != 0;
}
