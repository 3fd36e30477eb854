#include "ledger/names.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/num.h"
#include "policy/policy.h"

#define NUMBER_MAX 999999999

void name_best(const char *campaign, char ret[NAME_MAX_REF])
{
	if (!strcmp(campaign, "main"))
		snprintf(ret, NAME_MAX_REF, "refs/heads/harness/best");
	else
		snprintf(ret, NAME_MAX_REF, "refs/heads/harness/%s/best", campaign);
}

void name_ledger(const char *campaign, char ret[NAME_MAX_REF])
{
	snprintf(ret, NAME_MAX_REF, LEDGER_PREFIX "%s", campaign);
}

void name_review(const char *campaign, int n, char ret[NAME_MAX_REF])
{
	snprintf(ret, NAME_MAX_REF, "refs/heads/harness/review/%s-%d", campaign, n);
}

void name_open(const char *campaign, int n, const char *what, char ret[NAME_MAX_REF])
{
	if (n < 0)
		snprintf(ret, NAME_MAX_REF, "refs/harness/open/%s/", campaign);
	else
		snprintf(ret, NAME_MAX_REF, "refs/harness/open/%s/%d%s", campaign, n, what);
}

char *name_state_dir(const struct repo *repo, const char *campaign)
{
	return xasprintf("%s/campaigns/%s", repo_state_dir(repo), campaign);
}

void name_experiment_dir(int n, char ret[NAME_MAX_REF])
{
	snprintf(ret, NAME_MAX_REF, "experiments/%02dxx/%04d", n / 100, n);
}

int number_parse(const char *text, char **campaign, int *ret, struct err *err)
{
	const char *slash = strrchr(text, '/');
	const char *digits = slash ? slash + 1 : text;
	AUTOFREE char *name = slash ? xstrndup(text, (size_t)(slash - text)) : NULL;
	int64_t n;

	if (*digits == '-' || !num_parse_int(digits, strlen(digits), &n) || n > NUMBER_MAX ||
	    (name && !campaign_name_ok(name))) {
		err_set(err, ERR_USAGE, "not the number of an experiment: '%.80s'", text);
		return err_hint(err, "a number is 7, or main/7 with its campaign");
	}
	if (name) {
		*campaign = name;
		name = NULL;
	}
	*ret = (int)n;
	return 0;
}
