/*
 * What a string of the policy must look like, by what it is for.
 */
#include <regex.h>
#include <string.h>

#include "base/glob.h"
#include "base/mem.h"
#include "policy/keys.h"

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"

/* Keys of record lines (notes): a metric of that name could not be told from them. */
static const char *const note_keys[] = {
	"t", "n", "campaign", "experiment", "event", "base", "agent", "source", "files", "added", "deleted", "net", "dropped", "wall",
	"tokens_in", "tokens_out", "usd", "confidence", "exit", "cpu", "maxrss", "timeout", "stage", "confirm", "verdict", "reason",
	"metric", "value", "best", "delta", "threshold", "owner", "why", "path", "tree", "policy", "level", "backend", "elapsed", "by",
	"commit", "dropped_paths", "draft", "state",
	"sample", "suspect",	/* of the journal's lines, which are of the same kind */
};

static bool is_note_key(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(note_keys); i++)
		if (strcmp(note_keys[i], name) == 0)
			return true;
	return false;
}

static bool metric_spelled(const char *name)
{
	size_t len = strlen(name);

	return len >= 1 && len <= 64 && strspn(name, LETTERS DIGITS "_./-") == len && strspn(name, LETTERS "_") > 0;
}

bool metric_name_ok(const char *name)
{
	return metric_spelled(name) && !is_note_key(name);
}

static int check_metric(const char *text, struct err *err)
{
	if (!metric_spelled(text))
		return err_set(err, ERR_INVALID, "a metric is named by letters, digits and '_./-', beginning with a letter or '_', up to 64");
	if (is_note_key(text))
		return err_set(err, ERR_INVALID, "'%s' is a key of the records; give the metric another name", text);
	return 0;
}

bool campaign_name_ok(const char *name)
{
	size_t len = strlen(name);

	if (len < 1 || len > 40 || strspn(name, "abcdefghijklmnopqrstuvwxyz" DIGITS "_-") != len || strchr("_-", name[0]))
		return false;
	return strcmp(name, "best") != 0 && strcmp(name, "review") != 0;
}

static int check_campaign(const char *text, struct err *err)
{
	if (strcmp(text, "best") == 0 || strcmp(text, "review") == 0)
		return err_set(err, ERR_INVALID, "'%s' is a reserved name", text);
	if (!campaign_name_ok(text))
		return err_set(err, ERR_INVALID, "a campaign is named by a-z, 0-9, '_' and '-', beginning with a letter or digit, up to 40");
	return 0;
}

static int check_stage(const char *text, struct err *err)
{
	if (strlen(text) > 64 || strspn(text, LETTERS DIGITS "_-") != strlen(text))
		return err_set(err, ERR_INVALID, "a name here is letters, digits, '_' and '-', up to 64");
	return 0;
}

static int check_param(const char *text, struct err *err)
{
	if (strlen(text) > 64 || strspn(text, LETTERS DIGITS "_.-") != strlen(text) || strspn(text, LETTERS "_") == 0)
		return err_set(err, ERR_INVALID, "a parameter is named by letters, digits and '_.-', beginning with a letter or '_', up to 64");
	return 0;
}

static int check_env(const char *text, struct err *err)
{
	if (strlen(text) > 128 || strspn(text, LETTERS DIGITS "_") != strlen(text) || strspn(text, LETTERS "_") == 0)
		return err_set(err, ERR_INVALID, "a variable is named by letters, digits and '_'; values are not written here");
	if (starts_with(text, "GIT_HARNESS_"))
		return err_set(err, ERR_INVALID, "GIT_HARNESS_* is set by the harness itself");
	return 0;
}

/* A component that is "", ".", ".." or git's own directory; NULL when there is none. */
static const char *bad_component(const char *path)
{
	for (const char *p = path;; p++) {
		size_t n = strcspn(p, "/");

		if (n == 0)
			return "an empty component ('//')";
		if (n == 1 && *p == '.')
			return "a '.' component";
		if (n == 2 && strncmp(p, "..", 2) == 0)
			return "a '..' component";
		if (n == 4 && strncasecmp(p, ".git", 4) == 0)
			return "git's own directory";
		p += n;
		if (!*p)
			return NULL;
	}
}

static int check_path(const char *text, struct err *err)
{
	const char *bad;

	if (*text == '/' || *text == '~')
		return err_set(err, ERR_INVALID, "a path from the repository's root is needed, not one from '%c'", *text);
	bad = bad_component(text);
	if (bad)
		return err_set(err, ERR_INVALID, "a path with %s", bad);
	return 0;
}

static int check_home_path(const char *text, struct err *err)
{
	const char *bad;

	if (*text != '/' && strncmp(text, "~/", 2) != 0)
		return err_set(err, ERR_INVALID, "a place that begins with '~/' or '/' is needed");
	bad = text[strspn(text, "~/")] ? bad_component(text + strspn(text, "~/")) : NULL;
	if (bad)
		return err_set(err, ERR_INVALID, "a path with %s", bad);
	return 0;
}

static int check_abs_path(const char *text, struct err *err)
{
	if (*text != '/')
		return err_set(err, ERR_INVALID, "a place that begins with '/' is needed");
	return check_home_path(text, err);
}

static int check_author(const char *text, struct err *err)
{
	const char *open = strchr(text, '<'), *close = strchr(text, '>');

	if (!open && !close)
		return 0;
	if (!open || !close || open == text || open[-1] != ' ' || close[1] || close < open + 2 ||
	    strspn(text, " ") == (size_t)(open - text) || strcspn(open + 1, "< \t>") != (size_t)(close - open - 1))
		return err_set(err, ERR_INVALID, "an author is written 'Name <mail>'");
	return 0;
}

/* The largest number of an interval that begins at '{'. */
static long interval_most(const char *open)
{
	long most = 1, n = 0;

	for (const char *p = open + 1; *p && *p != '}'; p++) {
		n = strchr(DIGITS, *p) && n < 100000 ? n * 10 + (*p - '0') : 0;
		most = n > most ? n : most;
	}
	return most;
}

/*
 * regcomp() unrolls intervals: a few nested {255} take all memory; and back-references take exponential time. The product of all
 * intervals is an upper bound of the unrolling, nested or not.
 */
static int check_pattern_cost(const char *text, struct err *err)
{
	long product = 1;

	if (strlen(text) > 1024)
		return err_set(err, ERR_INVALID, "a pattern is at most 1024 bytes");
	for (const char *p = text; *p; p++) {
		if (*p == '\\' && p[1]) {
			p++;
			if (*p >= '1' && *p <= '9')
				return err_set(err, ERR_INVALID, "a pattern has no back-references");
		} else if (*p == '{') {
			product *= interval_most(p);
		}
		if (product > 1000)
			return err_set(err, ERR_INVALID, "a pattern repeats at most 1000 times by '{}'");
	}
	return 0;
}

static int check_pattern(const char *text, struct err *err)
{
	regex_t regex;
	char why[120];
	size_t groups;
	int status;

	if (check_pattern_cost(text, err) < 0)
		return err->code;
	status = regcomp(&regex, text, REG_EXTENDED | REG_NEWLINE);
	if (status != 0) {
		regerror(status, &regex, why, sizeof(why));
		return err_set(err, ERR_INVALID, "not a POSIX extended expression: %s", why);
	}
	groups = regex.re_nsub;
	regfree(&regex);
	if (groups != 1)
		return err_set(err, ERR_INVALID, "a pattern has exactly one group (...), around the value; here are %zu", groups);
	return 0;
}

const struct text_rule rule_metric = { "^[A-Za-z_][A-Za-z0-9_./-]{0,63}$", check_metric };
const struct text_rule rule_campaign = { "^[a-z0-9][a-z0-9_-]{0,39}$", check_campaign };
const struct text_rule rule_stage = { "^[A-Za-z0-9_-]{1,64}$", check_stage };
const struct text_rule rule_glob = { NULL, glob_check };
const struct text_rule rule_env = { "^[A-Za-z_][A-Za-z0-9_]*$", check_env };
const struct text_rule rule_path = { "^[^/~]", check_path };
const struct text_rule rule_home_path = { "^(~/|/)", check_home_path };
const struct text_rule rule_abs_path = { "^/", check_abs_path };
const struct text_rule rule_author = { NULL, check_author };
const struct text_rule rule_param = { "^[A-Za-z_][A-Za-z0-9_.-]{0,63}$", check_param };
const struct text_rule rule_pattern = { NULL, check_pattern };
