/*
 * frame.h - what main.c is made of; commands do not need it.
 */
#ifndef CMD_FRAME_H
#define CMD_FRAME_H

#include "cmd/cmd.h"

/* Open what cmd->needs says: repository, campaign (NULL: found as DESIGN section 2 says), history. context_free() accepts an empty one. */
int context_open(struct cmd_ctx *ctx, const char *campaign, struct err *err);
void context_free(struct cmd_ctx *ctx);

/* Send stdout (and a terminal's stderr) through the user's pager, as git does. Quietly nothing where stdout is no terminal or it cannot be started. */
void pager_start(struct cmd_ctx *ctx);
void pager_end(void);	/* waits until its reader has seen everything; idempotent */
bool pager_in_use(void);

/* "fatal: ", "error: " and "hint: " lines on stderr as git writes them; returns the exit status of DESIGN section 4. */
int report_error(const struct err *err);
/* A full disk under stdout must not look like success. */
int flush_stdout(struct err *err);

/* The manual: exec man on the page that belongs to this program, else by name. Returns only when that failed. */
int open_manual(struct err *err);

extern const char harness_version[];

#endif
