/*
 * receive.h - what a push brings, judged before a ref is moved: check --receive, for the hooks pre-receive and update.
 * Judged are branches below harness/ (those for review excepted), ledgers and notes; everything else passes.
 *
 * A ledger goes forward and follows. Best is where the ledger says it is or was; forward of that it may go by commits inside the surface, back
 * only where the ledger says so. Any other branch is made of commits inside the surface. The policy is that of the ledger as pushed,
 * or as it stands here; without one, that of the commit where the branch leaves HEAD's.
 */
#ifndef CMD_RECEIVE_H
#define CMD_RECEIVE_H

#include "base/err.h"
#include "git/repo.h"

/* text: lines "<old> <new> <ref>". ERR_NEGATIVE: something is refused; all but the last reason are printed. */
int receive_judge(struct repo *repo, const struct str *text, struct err *err);

#endif
