/*
 * source.h - where `patches` finds what it proposes: files, mailboxes, directories, branches.
 * `from` is a glob of branches ("refs/heads/ideas/" and a star), or a file, a directory or a glob of files, absolute or relative to the top of the
 * checkout. A file is a mailbox of one or more mails, or a plain diff.
 *
 * Memory: the caller ends a list with strs_free() and a mail with mail_free(), which accepts an empty one.
 */
#ifndef AGENT_SOURCE_H
#define AGENT_SOURCE_H

#include "git/repo.h"

bool source_is_branches(const char *from);
/* Names in the order in which they are to be proposed: full ref names, or paths ("stack/1.patch", "stack/all.mbox#2"). */
int source_list(struct repo *repo, const char *from, struct strs *ret, struct err *err);

struct mail {
	char *subject, *body;	/* NULL where it has none */
	struct str patch;
};
int source_read(struct repo *repo, const char *name, struct mail *ret, struct err *err);
void mail_free(struct mail *m);

#endif
