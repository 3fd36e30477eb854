/*
 * git harness check - is the policy valid; is this change inside the surface.
 * For people, CI and hooks. Nothing that a repository names is executed. The policy that judges a change is the one before it:
 * HEAD's for what is staged, the merge base's for a range; so a change cannot widen its own surface.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "cmd/changes.h"
#include "cmd/cmd.h"
#include "cmd/receive.h"

#define PUSH_MAX ((size_t)64 << 20)

struct options {
	bool staged;
	bool receive;
	bool json;
	bool quiet;
};

static const struct opt options[] = {
	FLAG(0, "staged", struct options, staged, "judge what is staged, by HEAD's policy"),
	FLAG(0, "receive", struct options, receive, "judge what a push brings: lines of old, new and ref on standard input"),
	FLAG(0, "json", struct options, json, "print the answer as JSON"),
	FLAG('q', "quiet", struct options, quiet, "say nothing when the answer is yes"),
	END,
};

struct answer {
	char *name;			/* of the policy: "harness.yaml", "HEAD:harness.yaml" */
	struct policy *policy;		/* NULL: invalid, or there is none */
	struct err invalid;		/* code 0: it is valid */
	bool of_change;			/* judged a change, not only the policy */
	struct change change;
};

static void answer_free(struct answer *a)
{
	free(a->name);
	policy_free(a->policy);
	change_free(&a->change);
}

static bool is_yes(const struct answer *a)
{
	bool valid = !a->invalid.code && (a->of_change || !a->policy->unsupported.n);

	return valid && !a->change.n_refused && !a->change.limit;
}

static void parse(struct answer *a, const struct str *text)
{
	policy_parse(a->name, text->buf, text->len, &a->policy, &a->invalid);
}

static void too_large(struct answer *a)
{
	err_set(&a->invalid, ERR_INVALID, "%s:1:1: larger than %d KiB", a->name, POLICY_MAX / 1024);
}

static int read_working_file(struct repo *repo, struct answer *a, struct err *err)
{
	STR text = STR_INIT;
	AUTOFREE char *path = xasprintf("%s/%s", repo_work_dir(repo), POLICY_FILE);
	struct stat st;

	a->name = xstrdup(POLICY_FILE);
	if (stat(path, &st) < 0) {
		err_set(err, ERR_NOT_FOUND, "there is no %s at the top of this checkout", POLICY_FILE);
		return err_hint(err, "git harness init writes one");
	}
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_INVALID, "%s is not a regular file", POLICY_FILE);
	if (io_read_file(path, POLICY_MAX, &text, err) == 0)
		parse(a, &text);
	else if (err->code == ERR_LIMIT)
		too_large(a);
	else
		return err->code;
	return 0;
}

/* The policy of a commit; where it has none, a->policy stays NULL. */
static int read_commit(struct repo *repo, const struct oid *commit, const char *as, struct answer *a, struct err *err)
{
	STR text = STR_INIT;
	struct tree_entry entry;
	struct oid tree;

	a->name = xasprintf("%s:%s", as, POLICY_FILE);
	if (oid_is_zero(commit))
		return 0;
	if (tree_of_commit(repo, commit, &tree, err) < 0 || tree_lookup(repo, &tree, POLICY_FILE, &entry, err) < 0)
		return err->code;
	if (!entry.mode)
		return 0;
	if (tree_read(repo, &tree, POLICY_FILE, POLICY_MAX, &text, err) == 0)
		parse(a, &text);
	else if (err->code == ERR_LIMIT)
		too_large(a);
	else
		return err->code;
	return 0;
}

static int check_policy(struct repo *repo, struct answer *a, struct err *err)
{
	AUTOFREE char *branch = NULL;
	struct oid head;

	if (repo_work_dir(repo))
		return read_working_file(repo, a, err);
	if (repo_head(repo, &branch, &head, err) < 0 || read_commit(repo, &head, "HEAD", a, err) < 0)
		return err->code;
	if (!a->policy && !a->invalid.code)
		return err_set(err, ERR_NOT_FOUND, "HEAD has no %s", POLICY_FILE);
	return 0;
}

/* range NULL: what is staged. */
static int check_change(struct repo *repo, const char *range, struct answer *a, struct err *err)
{
	char as[8] = "HEAD";

	a->of_change = true;
	if ((range ? change_range(repo, range, &a->change, err) : change_staged(repo, &a->change, err)) < 0)
		return err->code;
	if (range)
		snprintf(as, sizeof(as), "%.7s", oid_hex(&a->change.base).s);
	if (read_commit(repo, &a->change.base, as, a, err) < 0)
		return err->code;
	return a->policy ? change_judge(repo, a->policy, &a->change, err) : 0;
}

static void json_list(struct json *j, const char *key, const struct strs *list)
{
	json_begin_array(j, key);
	for (size_t i = 0; list && i < list->n; i++)
		json_str(j, NULL, list->v[i]);
	json_end_array(j);
}

static void json_change(struct json *j, const struct answer *a)
{
	const struct change *c = &a->change;

	json_begin_object(j, "change");
	json_str(j, "base", oid_is_zero(&c->base) ? NULL : oid_hex(&c->base).s);
	json_str(j, "tip", oid_is_zero(&c->tip) ? NULL : oid_hex(&c->tip).s);
	json_int(j, "files", a->policy ? c->counts.files : (int64_t)c->paths.n);
	json_int(j, "lines", c->counts.lines);
	json_int(j, "bytes", c->counts.bytes);
	json_str(j, "limit", c->limit);
	json_begin_array(j, "refused");
	for (size_t i = 0; i < c->n_refused; i++) {
		json_begin_object(j, NULL);
		json_str(j, "path", c->refused[i].path);
		json_str(j, "why", c->refused[i].why);
		json_end_object(j);
	}
	json_end_array(j);
	json_end_object(j);
}

static int print_json(const struct answer *a, struct err *err)
{
	STR out = STR_INIT;
	STR advice = STR_INIT;
	struct json j;
	bool forgeable = a->policy && policy_forgeable(a->policy, &advice);

	json_init(&j, &out, true);
	json_begin_object(&j, NULL);
	json_bool(&j, "ok", is_yes(a));
	json_str(&j, "policy", a->policy || a->invalid.code ? a->name : NULL);
	json_str(&j, "error", a->invalid.code ? a->invalid.msg : NULL);
	json_list(&j, "unsupported", a->policy ? &a->policy->unsupported : NULL);
	json_list(&j, "unenforced", a->policy ? &a->policy->unenforced : NULL);
	json_list(&j, "warnings", a->policy ? &a->policy->warnings : NULL);
	json_str(&j, "advice", forgeable ? advice.buf : NULL);
	if (a->of_change)
		json_change(&j, a);
	json_end_object(&j);
	str_putc(&out, '\n');
	return cmd_print(&out, err);
}

static void add_visible(struct str *out, const char *text)
{
	text_visible(text, strlen(text), false, out);
}

static void warn_of(const struct policy *p)
{
	STR all = STR_INIT;

	for (size_t i = 0; i < p->warnings.n; i++)
		cmd_warn("%s", p->warnings.v[i]);
	for (size_t i = 0; i < p->unenforced.n; i++)
		str_printf(&all, "%s%s", i ? ", " : "", p->unenforced.v[i]);
	if (all.len)
		cmd_warn("accepted, but not enforced by this version: %s", all.buf);
}

static int say_policy(const struct answer *a, bool quiet, struct err *err)
{
	const struct policy *p = a->policy;
	STR out = STR_INIT;
	STR advice = STR_INIT;

	if (!quiet)
		warn_of(p);
	if (p->unsupported.n) {
		/* One error line each, as of every other refusal; main prints the last. */
		for (size_t i = 0; i + 1 < p->unsupported.n; i++)
			cmd_error("%s", p->unsupported.v[i]);
		err_set(err, ERR_NEGATIVE, "%s", p->unsupported.v[p->unsupported.n - 1]);
		return err_hint(err, "this version cannot do that; without it the policy would mean something else");
	}
	if (quiet)
		return 0;
	str_printf(&out, "%s: valid; ", a->name);
	str_printf(&out, "%s %s", p->goal.direction == MINIMIZE ? "minimize" : "maximize", p->goal.metric);
	for (size_t i = 0; i < p->surface.allow.n; i++) {
		str_puts(&out, i ? ", " : " by changing ");
		add_visible(&out, p->surface.allow.v[i]);
	}
	str_putc(&out, '\n');
	if (policy_forgeable(p, &advice)) {
		str_puts(&out, "advice: ");
		add_visible(&out, advice.buf);
		str_putc(&out, '\n');
	}
	return cmd_print(&out, err);
}

/* A path that a person can paste into a command, or NULL. */
static const char *plain(const char *path)
{
	static const char safe[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./+@%-";

	return strspn(path, safe) == strlen(path) && path[0] != '-' ? path : NULL;
}

static void hint_way_out(const struct change *c, struct err *err)
{
	STR paths = STR_INIT;
	bool all = c->n_refused <= 5;

	for (size_t i = 0; i < c->n_refused && all; i++) {
		all = plain(c->refused[i].path) != NULL && !(c->refused[i].added && !oid_is_zero(&c->tip));
		str_printf(&paths, " %s", c->refused[i].path);
	}
	if (!all)
		str_clear(&paths);
	if (oid_is_zero(&c->tip))
		err_hint(err, "git restore --staged --%s", all ? paths.buf : " <path>...");
	else if (all)
		err_hint(err, "git checkout %.7s --%s", oid_hex(&c->base).s, paths.buf);
	else
		err_hint(err, "leave these paths as they are in %.7s", oid_hex(&c->base).s);
}

static int say_refused(const struct answer *a, struct err *err)
{
	const struct change *c = &a->change;
	STR out = STR_INIT;
	STR surface = STR_INIT;

	for (size_t i = 0; i < c->n_refused; i++) {
		add_visible(&out, c->refused[i].path);
		str_printf(&out, ": %s\n", c->refused[i].why);
	}
	if (cmd_print(&out, err) < 0)
		return err->code;
	err_set(err, ERR_NEGATIVE, "%zu of %zu changed paths %s not for an experiment to change", c->n_refused, c->paths.n,
		c->n_refused == 1 ? "is" : "are");
	hint_way_out(c, err);
	for (size_t i = 0; i < a->policy->surface.allow.n && surface.len < 200; i++)
		str_printf(&surface, " %s", a->policy->surface.allow.v[i]);
	return err_hint(err, "the surface by %s:%s", a->name, surface.buf);
}

static int say_limit(const struct answer *a, struct err *err)
{
	const struct change *c = &a->change;
	bool files = strcmp(c->limit, "max_files") == 0, lines = strcmp(c->limit, "max_lines") == 0;
	int64_t is = files ? c->counts.files : lines ? c->counts.lines : c->counts.bytes;
	int64_t most = files ? a->policy->surface.max_files : lines ? a->policy->surface.max_lines : a->policy->surface.max_bytes;

	err_set(err, ERR_NEGATIVE, "too much for one experiment: %lld %s, at most %lld by %s", (long long)is, c->limit + 4,
		(long long)most, a->name);
	return err_hint(err, "split the change");
}

static int say_change(const struct answer *a, bool quiet, struct err *err)
{
	STR out = STR_INIT;

	if (a->change.n_refused)
		return say_refused(a, err);
	if (a->change.limit)
		return say_limit(a, err);
	if (quiet)
		return 0;
	if (!a->policy) {
		str_printf(&out, "there is no %s, so nothing is frozen\n", a->name);
		return cmd_print(&out, err);
	}
	str_printf(&out, "inside the surface: %zu changed path%s, by %s\n", a->change.paths.n, a->change.paths.n == 1 ? "" : "s", a->name);
	return cmd_print(&out, err);
}

static int check_push(struct repo *repo, const struct options *o, const char *range, struct err *err)
{
	STR text = STR_INIT;

	if (o->staged || o->json || range)
		return err_set(err, ERR_USAGE, "--receive goes with no other option and no range");
	return io_read_fd(STDIN_FILENO, PUSH_MAX, &text, err) < 0 ? err->code : receive_judge(repo, &text, err);
}

static int check(struct cmd_ctx *ctx, struct err *err)
{
	const struct options *o = ctx->opts;
	CLEANUP(answer_free) struct answer a = { 0 };
	const char *range = ctx->argc ? ctx->argv[0] : NULL;

	if (o->receive)
		return check_push(ctx->repo, o, range, err);
	if (o->staged && range)
		return err_set(err, ERR_USAGE, "--staged and '%s' exclude each other", range);
	if ((o->staged || range ? check_change(ctx->repo, range, &a, err) : check_policy(ctx->repo, &a, err)) < 0)
		return err->code;
	if (o->json) {
		ctx->exit = is_yes(&a) ? 0 : 1;
		return print_json(&a, err);
	}
	if (a.invalid.code) {
		*err = a.invalid;
		return err->code = ERR_NEGATIVE;
	}
	return a.of_change ? say_change(&a, o->quiet, err) : say_policy(&a, o->quiet, err);
}

const struct cmd cmd_check = {
	.name = "check",
	.args = "[<range>]",
	.summary = "is the policy valid; is this change inside the surface",
	.about = "Without arguments the working file harness.yaml is read. A range (A..B, A...B, or A for A..HEAD) is judged from its\n"
		 "merge base and by the policy there; what is staged, by HEAD's. Exit status: 0 yes, 1 no.\n",
	.opts = options,
	.opts_size = sizeof(struct options),
	.min_args = 0,
	.max_args = 1,
	.needs = CMD_REPO,
	.run = check,
};
