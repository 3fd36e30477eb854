/*
 * sign.h - commits signed with the user's own git signing set-up, and signatures checked.
 * git itself signs and checks (gpg.format, user.signingKey, gpg.program, gpg.ssh.*): what makes `git commit -S` work makes this work, and
 * what `git verify-commit` refuses is refused here. Nobody is asked for a passphrase: the key is in its agent, or has none.
 *
 * Errors: ERR_USAGE: harness.sign is neither true nor false. ERR_GIT: git could not sign (its own words, and a hint).
 */
#ifndef GIT_SIGN_H
#define GIT_SIGN_H

#include "git/repo.h"

/* harness.sign */
int sign_wanted(struct repo *repo, bool *ret, struct err *err);
/* Where it is: can git sign here? Before a loop runs what it could not record, and so that an agent for keys is there before experiments are. */
int sign_try(struct repo *repo, struct err *err);
/* A commit object without its signature, written with one. */
int sign_commit(struct repo *repo, const struct str *raw, struct oid *ret, struct err *err);

int sign_present(struct repo *repo, const struct oid *commit, bool *ret, struct err *err);
/*
 * The first of n commits whose signature is not good: its index, and git's word on it; n where all are good. Programs that the repository's
 * own configuration names are not run for this: those of the user and of the system are.
 */
int sign_check(struct repo *repo, const struct oid *commits, size_t n, size_t *ret_bad, struct str *ret_why, struct err *err);

#endif
