/*
 * names.h - refs, paths and experiment numbers by name. Campaign "main" is implicit in the branch names.
 */
#ifndef LEDGER_NAMES_H
#define LEDGER_NAMES_H

#include "base/err.h"
#include "base/str.h"
#include "git/repo.h"

#define NAME_MAX_REF 128
#define LEDGER_PREFIX "refs/harness/ledger/"

void name_best(const char *campaign, char ret[NAME_MAX_REF]);		/* refs/heads/harness/best, refs/heads/harness/<c>/best */
void name_ledger(const char *campaign, char ret[NAME_MAX_REF]);		/* refs/harness/ledger/<c> */
void name_review(const char *campaign, int n, char ret[NAME_MAX_REF]);	/* refs/heads/harness/review/<c>-<n> */
/* refs/harness/open/<c>/<n><what>: only while it is not recorded yet; n -1: the prefix of all. */
void name_open(const char *campaign, int n, const char *what, char ret[NAME_MAX_REF]);
char *name_state_dir(const struct repo *repo, const char *campaign);	/* <common>/harness/campaigns/<c>; caller frees */
/* "experiments/01xx/0117": at least 4 digits, the folder is all but the last two, then "xx" */
void name_experiment_dir(int n, char ret[NAME_MAX_REF]);

/* "7" or "other/7" (which then sets *campaign; caller frees); ERR_USAGE otherwise. */
int number_parse(const char *text, char **campaign, int *ret, struct err *err);

#endif
