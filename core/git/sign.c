#include "git/sign.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "git/cli.h"
#include "git/internal.h"

#define HEADER "gpgsig "
#define SIGN_SECONDS 60		/* an agent that asks a person who is not there */
#define BATCH 256

int sign_wanted(struct repo *repo, bool *ret, struct err *err)
{
	bool on = repo_setting_bool(repo, "harness.sign", false);

	if (on != repo_setting_bool(repo, "harness.sign", true) && repo_setting(repo, "harness.sign")) {
		err_set(err, ERR_USAGE, "harness.sign is '%s', which is neither true nor false", repo_setting(repo, "harness.sign"));
		return err_hint(err, "git config harness.sign true; how to sign, and with which key, gpg.format and user.signingKey say");
	}
	*ret = on;
	return 0;
}

/* The signature's header and the lines that go on with it: its place in the object, or false. */
static bool find_signature(const char *raw, size_t len, size_t *ret_from, size_t *ret_to)
{
	const char *end = raw + len, *p, *eol;

	for (p = raw; p < end && *p != '\n'; p = eol + 1) {
		eol = memchr(p, '\n', (size_t)(end - p));
		if (!eol)
			return false;
		if ((size_t)(eol - p) < strlen(HEADER) || memcmp(p, HEADER, strlen(HEADER)) != 0)
			continue;
		*ret_from = (size_t)(p - raw);
		while (eol + 1 < end && eol[1] == ' ' && (p = memchr(eol + 1, '\n', (size_t)(end - eol - 1))) != NULL)
			eol = p;
		*ret_to = (size_t)(eol + 1 - raw);
		return true;
	}
	return false;
}

int sign_present(struct repo *repo, const struct oid *commit, bool *ret, struct err *err)
{
	CLEANUP(object_drop) struct object object = { 0 };
	size_t from, to;

	if (object_read(repo, commit, GIT_OBJECT_COMMIT, &object, err) < 0)
		return err->code;
	*ret = find_signature(object.ptr, object.len, &from, &to);
	return 0;
}

/* ---- signing ---- */

/* "author Name <mail> 1700000000 +0100" as the three variables that make git write just that. */
static void add_person(struct strs *env, const char *line, const char *role)
{
	const char *name = strchr(line, ' ') + 1, *open = strchr(name, '<'), *close = strchr(open, '>');

	strs_addf(env, "GIT_%s_NAME=%.*s", role, (int)(open - name) - 1, name);
	strs_addf(env, "GIT_%s_EMAIL=%.*s", role, (int)(close - open) - 1, open + 1);
	strs_addf(env, "GIT_%s_DATE=@%.*s", role, (int)strcspn(close + 2, "\n"), close + 2);
}

/* The headers, which commit_write() just put there, as arguments and environment. */
static const char *take_headers(const struct str *raw, struct strs *args, struct strs *env)
{
	const char *p;

	for (p = raw->buf; *p != '\n'; p += strcspn(p, "\n") + 1) {
		if (starts_with(p, "tree "))
			strs_addf(args, "%.*s", OID_HEX, p + strlen("tree "));
		else if (starts_with(p, "parent "))
			strs_addf(args, "-p%.*s", OID_HEX, p + strlen("parent "));
		else
			add_person(env, p, starts_with(p, "author ") ? "AUTHOR" : "COMMITTER");
	}
	return p + 1;
}

/* What git wrote is what was asked for, and the signature. */
static int check_written(struct repo *repo, const struct str *raw, const struct oid *id, struct err *err)
{
	CLEANUP(object_drop) struct object object = { 0 };
	STR bare = STR_INIT;
	size_t from, to;

	if (object_read(repo, id, GIT_OBJECT_COMMIT, &object, err) < 0)
		return err->code;
	if (!find_signature(object.ptr, object.len, &from, &to))
		return err_set(err, ERR_GIT, "git made commit %s without a signature", oid_hex(id).s);
	str_add(&bare, object.ptr, from);
	str_add(&bare, object.ptr + to, object.len - to);
	if (bare.len != raw->len || memcmp(bare.buf, raw->buf, raw->len) != 0)
		return err_set(err, ERR_GIT, "git signed another commit (%s) than it was given", oid_hex(id).s);
	return 0;
}

static int cannot_sign(struct err *err)
{
	err_wrap(err, "cannot sign a commit");
	err_hint(err, "harness.sign is set; what `git commit -S` needs is needed here: gpg.format, user.signingKey, and a key that asks nobody");
	return err_hint(err, "(in gpg-agent or ssh-agent, or without a passphrase)");
}

int sign_commit(struct repo *repo, const struct str *raw, struct oid *ret, struct err *err)
{
	CLEANUP(strs_free) struct strs args = { 0 };
	CLEANUP(strs_free) struct strs env = { 0 };
	struct git_run run = { .git_dir = repo->git_dir, .keep_env = repo->keep_env, .seconds = SIGN_SECONDS };
	STR out = STR_INIT;
	struct oid id;

	strs_add(&args, "-c");
	strs_add(&args, "i18n.commitEncoding=UTF-8");
	strs_add(&args, "commit-tree");
	strs_add(&args, "-S");
	/* Without it ssh-keygen would ask a terminal it has no right to read from, and stop for ever. */
	strs_add(&env, "SSH_ASKPASS_REQUIRE=force");
	run.in = take_headers(raw, &args, &env);
	run.in_len = raw->len - (size_t)(run.in - raw->buf);
	run.env = (const char *const *)env.v;
	if (git_cli(&run, (const char *const *)args.v, &out, err) < 0)
		return cannot_sign(err);
	if (out.len != OID_HEX + 1 || !oid_parse(out.buf, &id))
		return err_set(err, ERR_GIT, "git commit-tree did not say what it made");
	if (check_written(repo, raw, &id, err) < 0)
		return err->code;
	*ret = id;
	return 0;
}

/* The one object below dir, if any, and dir itself. */
static void remove_objects(const char *dir, const char *hex)
{
	AUTOFREE char *sub = xasprintf("%s/%.2s", dir, hex);
	AUTOFREE char *file = xasprintf("%s/%s", sub, hex[0] ? hex + 2 : "");

	if (hex[0] && (unlink(file) < 0 || rmdir(sub) < 0))
		return;
	rmdir(dir);
}

int sign_try(struct repo *repo, struct err *err)
{
	static const char *const args[] = { "commit-tree", "-S", "-mtry", "4b825dc642cb6eb9a060e54bf8d69288fbee4904", NULL };
	const char *tmp = getenv("TMPDIR");
	AUTOFREE char *dir = xasprintf("%s/git-harness-sign.XXXXXX", tmp && *tmp == '/' ? tmp : "/tmp");
	AUTOFREE char *objects = NULL;
	STR out = STR_INIT;
	bool wanted;
	int rc;

	if (sign_wanted(repo, &wanted, err) < 0)
		return err->code;
	if (!wanted)
		return 0;
	if (!mkdtemp(dir))
		return err_errno(err, "cannot make '%s'", dir);
	objects = xasprintf("GIT_OBJECT_DIRECTORY=%s", dir);	/* the empty tree is there without being there */
	rc = git_cli(&(struct git_run){ .git_dir = repo->git_dir, .keep_env = repo->keep_env, .seconds = SIGN_SECONDS,
					.env = (const char *const[]){ "SSH_ASKPASS_REQUIRE=force", objects, NULL } },
		     args, &out, err);
	str_truncate(&out, rc == 0 && out.len > OID_HEX ? OID_HEX : 0);
	remove_objects(dir, out.buf);
	return rc < 0 ? cannot_sign(err) : 0;
}

/* ---- checking ---- */

static const char *const programs[][2] = {
	{ "gpg.program", "gpg" }, { "gpg.openpgp.program", "gpg" }, { "gpg.x509.program", "gpgsm" }, { "gpg.ssh.program", "ssh-keygen" },
};

/* One of `git config --show-scope -z`: scope, then "key\nvalue". */
static void see_setting(const char *scope, const char *item, const char **own, const char **theirs)
{
	size_t len = strcspn(item, "\n");

	for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
		if (strlen(programs[i][0]) != len || strncmp(programs[i][0], item, len) != 0)
			continue;
		if (strcmp(scope, "local") == 0 || strcmp(scope, "worktree") == 0)
			theirs[i] = item + len + (item[len] != 0);
		else
			own[i] = item + len + (item[len] != 0);
	}
}

/*
 * verify promises to run nothing that a repository names, and somebody may have sent this one with its configuration: a program named there
 * gives way to the user's. gpg.program is the older name of gpg.openpgp.program, so the two go together.
 */
static int own_programs(struct repo *repo, struct strs *args, struct err *err)
{
	static const char *const ask[] = { "config", "--show-scope", "-z", "--get-regexp", "^gpg\\..*program$", NULL };
	const char *own[ARRAY_SIZE(programs)] = { 0 }, *theirs[ARRAY_SIZE(programs)] = { 0 };
	STR out = STR_INIT;
	int status = 0;
	const struct git_run run = { .git_dir = repo->git_dir, .keep_env = repo->keep_env, .ret_exit = &status };

	if (git_cli(&run, ask, &out, err) < 0)
		return err->code;
	for (size_t at = 0; at < out.len;) {
		const char *scope = out.buf + at, *item = scope + strlen(scope) + 1;

		if (item >= out.buf + out.len)
			break;
		see_setting(scope, item, own, theirs);
		at = (size_t)(item - out.buf) + strlen(item) + 1;
	}
	if (!own[1])
		own[1] = own[0];
	if (theirs[0])
		theirs[1] = theirs[0];
	for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
		if (!theirs[i])
			continue;
		strs_add(args, "-c");
		strs_addf(args, "%s=%s", programs[i][0], own[i] ? own[i] : programs[i][1]);
	}
	return 0;
}

/* Of what git and its programs said, the line that says why. */
static void reason_of(const struct str *said, struct str *ret)
{
	static const char *const marks[] = { "BADSIG", "REVKEYSIG", "EXPKEYSIG", "EXPSIG", "NO_PUBKEY", "ERRSIG", NULL };
	static const char status[] = "[GNUPG:] ";
	const char *best = NULL, *last = "git verify-commit says no more";
	size_t len;

	for (const char *p = said->buf; *p; p += len + (p[len] == '\n')) {
		len = strcspn(p, "\n");
		if (len && !starts_with(p, status))
			last = p;
		for (size_t i = 0; marks[i] && !best && starts_with(p, status); i++)
			if (starts_with(p + strlen(status), marks[i]))
				best = p + strlen(status);
	}
	best = best ? best : last;
	text_line(best, strcspn(best, "\n"), 200, ret);
}

/* Are all of these good? Not: said is what git wrote about it. */
static int check_some(struct repo *repo, const struct strs *front, const struct oid *commits, size_t n, bool *ret, struct str *said,
		      struct err *err)
{
	CLEANUP(strs_free) struct strs args = { 0 };
	int status = 0;
	const struct git_run run = { .git_dir = repo->git_dir, .keep_env = repo->keep_env, .ret_exit = &status, .ret_err = said };

	for (size_t i = 0; i < front->n; i++)
		strs_add(&args, front->v[i]);
	strs_add(&args, "verify-commit");
	strs_add(&args, "--raw");
	for (size_t i = 0; i < n; i++)
		strs_add(&args, oid_hex(&commits[i]).s);
	if (git_cli(&run, (const char *const *)args.v, NULL, err) < 0)
		return err->code;
	*ret = !status;
	return 0;
}

static int check_each(struct repo *repo, const struct strs *front, const struct oid *commits, size_t n, size_t *ret_bad,
		      struct str *ret_why, struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		STR said = STR_INIT;
		bool good;

		if (check_some(repo, front, &commits[i], 1, &good, &said, err) < 0)
			return err->code;
		if (good)
			continue;
		reason_of(&said, ret_why);
		*ret_bad = i;
		return 0;
	}
	*ret_bad = n;
	return 0;
}

/* Many at once, for a process each costs more than most signatures; one by one only where there is something to find. */
int sign_check(struct repo *repo, const struct oid *commits, size_t n, size_t *ret_bad, struct str *ret_why, struct err *err)
{
	CLEANUP(strs_free) struct strs front = { 0 };

	if (n && own_programs(repo, &front, err) < 0)
		return err->code;
	for (size_t at = 0; at < n; at += BATCH) {
		size_t many = n - at < BATCH ? n - at : BATCH, bad = many;
		STR said = STR_INIT;
		bool good;

		if (check_some(repo, &front, commits + at, many, &good, &said, err) < 0 ||
		    (!good && check_each(repo, &front, commits + at, many, &bad, ret_why, err) < 0))
			return err->code;
		if (bad < many) {
			*ret_bad = at + bad;
			return 0;
		}
	}
	*ret_bad = n;
	return 0;
}
