/*
 * server_install.h - the hook for the repository that is pushed to.
 * pre-receive, which sees a push as a whole; where that place is taken, update. Nothing is overwritten and nothing chained: a server's hook
 * gets its standard input once. With core.hooksPath, or where both places are taken, what to add is said.
 *
 * ret: what was done, whole lines for people.
 */
#ifndef CMD_SERVER_INSTALL_H
#define CMD_SERVER_INSTALL_H

#include "git/repo.h"

int server_install(struct repo *repo, struct str *ret, struct err *err);
int server_remove(struct repo *repo, struct str *ret, struct err *err);

#endif
