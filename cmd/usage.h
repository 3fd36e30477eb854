/*
 * usage.h - -h, the list of commands, completions and the rows the manual is compared with: all from the same tables.
 */
#ifndef CMD_USAGE_H
#define CMD_USAGE_H

#include "cmd/cmd.h"

/* Every command, in the order of commands.h; NULL-terminated. */
extern const struct cmd *const commands[];
const struct cmd *command_find(const char *name);	/* NULL: no such command */
const char *command_nearest(const char *name);		/* NULL: nothing near */

void usage_line(const struct cmd *cmd, struct str *ret);	/* "usage: git harness ..." */
void usage_command(const struct cmd *cmd, struct str *ret);	/* what -h prints */
void usage_all(struct str *ret);
/* One line an option, "<command> <letter or -> <name or -> <arg or ->", and "<command> = <args>": for the lint that reads the manual. */
void usage_table(struct str *ret);
/* One line a key of harness.yaml: "goal.metric", its default or "-", what it is for; tabs between. */
void usage_keys(struct str *ret);
/* ERR_USAGE for a shell we do not know. */
int usage_completion(const char *shell, struct str *ret, struct err *err);

#endif
