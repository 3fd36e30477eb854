/*
 * opt.h - argv to a command's own struct, by its table, in the ways git's own commands take options.
 * --name=value, --name value, -nvalue, -n value, bundled letters, --no-<flag>, unique beginnings of a name, options after arguments,
 * "--" ends them. A table of common options (of struct common) stands behind each command's own.
 *
 * Errors: ERR_USAGE, one line.
 */
#ifndef CMD_OPT_H
#define CMD_OPT_H

#include "cmd/cmd.h"

struct common {
	bool h, help;
	bool quiet;
	bool progress;
	const char *campaign;
};
/* The common options that fit what the command needs, as a table; at most COMMON_MAX rows with its END. */
#define COMMON_MAX 8
void opt_common(const struct cmd *cmd, struct opt ret[COMMON_MAX]);

/* argv without the command's name; it is reordered: *argc are left in front. */
int opt_parse(const struct cmd *cmd, int *argc, char **argv, void *opts, struct common *common, struct err *err);
void opt_free(const struct opt *table, void *opts);	/* the lists in it, then itself */

#endif
