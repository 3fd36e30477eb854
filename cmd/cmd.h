/*
 * cmd.h - what a subcommand is. One file a subcommand; it describes itself, decides nothing, prints last.
 * main.c opens what `needs` says, parses argv into the command's own struct by its option table, runs it, prints the error and
 * turns it into the exit status of DESIGN section 4.
 */
#ifndef CMD_CMD_H
#define CMD_CMD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/err.h"
#include "base/str.h"
#include "git/repo.h"
#include "ledger/history.h"
#include "ledger/lock.h"

enum opt_kind { OPT_END, OPT_FLAG, OPT_STRING, OPT_INT, OPT_STRINGS };

struct opt {
	enum opt_kind kind;
	char letter;		/* 0: none */
	const char *name;
	size_t offset;		/* of the field: bool, const char *, int, struct strs */
	const char *arg;	/* "<name>" */
	const char *help;	/* NULL: for ourselves, shown nowhere */
};

/* INT: 0 or more; -1 where it was not given. */
/* clang-format off */
#define FLAG(l, n, type, field, h)		{ OPT_FLAG, l, n, offsetof(type, field), NULL, h }
#define STRING(l, n, type, field, a, h)		{ OPT_STRING, l, n, offsetof(type, field), a, h }
#define INT(l, n, type, field, a, h)		{ OPT_INT, l, n, offsetof(type, field), a, h }
#define STRINGS(l, n, type, field, a, h)	{ OPT_STRINGS, l, n, offsetof(type, field), a, h }
#define END					{ OPT_END, 0, NULL, 0, NULL, NULL }
/* clang-format on */

enum {
	CMD_REPO = 1,		/* ctx->repo */
	CMD_CAMPAIGN = 2,	/* ctx->campaign: --campaign, else the working file's, else main */
	CMD_HISTORY = 4,	/* ctx->history, read only */
	CMD_PAGER = 8,		/* long listings, as git does */
	CMD_PROGRESS = 16,	/* long work: has --quiet and --progress */
};

struct cmd_ctx {
	const struct cmd *cmd;
	void *opts;
	int argc;		/* what is left after the options */
	char **argv;
	struct repo *repo;
	char *campaign;
	char *state_dir;	/* of the campaign */
	struct history *history;
	int exit;		/* what main exits with when run returns 0: 0, 1, 2, 125, 130 ... */
	bool quiet, progress;	/* --quiet; progress wanted: stderr is a terminal or --progress */
};

struct cmd {
	const char *name;
	const char *args;	/* "[<n>] [<m>]" */
	const char *summary;	/* one line, lower case */
	const char *about;	/* further lines of -h; may be NULL */
	const struct opt *opts;	/* every command has -h, and --campaign when it needs one: added by main; may be NULL */
	size_t opts_size;
	int min_args, max_args;	/* -1: any */
	unsigned needs;
	int (*run)(struct cmd_ctx *ctx, struct err *err);
};

/* Colour for a stream: color.harness, color.ui, NO_COLOR, terminal. */
bool cmd_colour(struct cmd_ctx *ctx, FILE *stream);
/* "7" or "main/7" -> ctx's campaign (switches history when another is named) and the record; ERR_NOT_FOUND names the highest number. */
int cmd_number(struct cmd_ctx *ctx, const char *text, const struct record **ret, struct err *err);
/* Print a whole struct str to stdout; ERR_IO when that fails (a full disk, a closed pipe is silent). */
int cmd_print(const struct str *s, struct err *err);
/* Where a file that comes with the program lies ("templates/tinylm", "hooks/pre-commit"): beside the program where it was installed or
 * built, else where `make install` was told to put it. ERR_NOT_FOUND names the places. Caller frees *ret. */
int cmd_data(const char *name, char **ret, struct err *err);
/* "warning: " and the text, made visible, to stderr. */
void cmd_warn(const char *fmt, ...) PRINTF(1, 2);
/* The same with "error: ", for all but the last of several; the command returns that one. */
void cmd_error(const char *fmt, ...) PRINTF(1, 2);

#endif
