#include "agent/source.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/glob.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/path.h"
#include "git/cli.h"
#include "git/ref.h"

#define MAILBOX_MAX ((size_t)64 << 20)
#define DEPTH_MAX 32

bool source_is_branches(const char *from)
{
	return starts_with(from, "refs/");
}

/* ---- branches ---- */

/* What stands before the first component with a pattern in it: "refs/heads/ideas/", "" where that is the first one. */
static size_t literal_length(const char *pattern)
{
	size_t n = 0;

	for (size_t i = 0; pattern[i] && !strchr("*?[\\", pattern[i]); i++)
		if (pattern[i] == '/')
			n = i + 1;
	return n;
}

static int list_branches(struct repo *repo, const char *from, struct strs *ret, struct err *err)
{
	AUTOFREE char *prefix = xstrndup(from, literal_length(from));
	CLEANUP(strs_free) struct strs all = { 0 };

	if (!starts_with(from, "refs/heads/"))
		return err_set(err, ERR_INVALID, "patches from '%s': only branches can be proposed, as in 'refs/heads/ideas/*'", from);
	if (glob_check(from, err) < 0)
		return err_wrap(err, "patches from '%s'", from);
	if (ref_list(repo, prefix, &all, err) < 0)
		return err->code;
	for (size_t i = 0; i < all.n; i++)
		if (glob_match(from, all.v[i]))
			strs_add(ret, all.v[i]);
	return 0;
}

/* ---- files ---- */

static char *absolute(struct repo *repo, const char *path)
{
	const char *top = repo_work_dir(repo);

	return path_join(top ? top : repo_common_dir(repo), path);
}

struct finding {
	const char *pattern;	/* below dir; NULL: *.patch in dir itself */
	struct strs *ret;	/* paths below dir */
};

static bool is_wanted(const struct finding *f, const char *name)
{
	return f->pattern ? glob_match(f->pattern, name) : ends_with(name, ".patch");
}

static void find_files(const struct finding *f, const char *dir, const char *below, int depth)
{
	DIR *d = depth < DEPTH_MAX ? opendir(dir) : NULL;
	struct dirent *e;

	if (!d)
		return;
	while ((e = readdir(d))) {
		AUTOFREE char *path = path_join(dir, e->d_name), *name = path_join(below, e->d_name);
		struct stat st;

		if (e->d_name[0] == '.' || lstat(path, &st) < 0)
			continue;
		if (S_ISDIR(st.st_mode) && f->pattern && strchr(f->pattern, '/'))
			find_files(f, path, name, depth + 1);
		else if (S_ISREG(st.st_mode) && is_wanted(f, name))
			strs_add(f->ret, name);
	}
	closedir(d);
}

static int list_paths(struct repo *repo, const char *from, struct strs *ret, struct err *err)
{
	AUTOFREE char *whole = absolute(repo, from);
	size_t len = literal_length(from);
	CLEANUP(strs_free) struct strs found = { 0 };
	struct finding f = { .ret = &found };
	AUTOFREE char *dir = NULL, *path = NULL;
	struct stat st;

	if (!stat(whole, &st) && !S_ISDIR(st.st_mode)) {
		strs_add(ret, from);
		return 0;
	}
	if (!stat(whole, &st)) {
		dir = xstrdup(from);
	} else {
		f.pattern = from + len;
		dir = xstrndup(from, len);
		if (glob_check(f.pattern, err) < 0)
			return err_wrap(err, "patches from '%s'", from);
	}
	path = absolute(repo, dir);
	find_files(&f, path, "", 0);
	strs_sort(&found);
	for (size_t i = 0; i < found.n; i++)
		strs_take(ret, path_join(dir, found.v[i]));
	return 0;
}

/* ---- mailboxes ---- */

/* "From <word> <date with a time>": the line that git and mail programs put before each mail. */
static bool is_postmark(const char *line, size_t len)
{
	const char *colon = len > 5 && starts_with(line, "From ") ? memchr(line + 5, ':', len - 5) : NULL;

	return colon && colon + 2 < line + len && colon[1] >= '0' && colon[1] <= '5' && colon[-1] >= '0' && colon[-1] <= '9';
}

/* The start of the mail behind `at`; the end of the text where there is no further one. */
static size_t next_mail(const struct str *box, size_t at)
{
	for (const char *p = box->buf + at; (p = memchr(p, '\n', (size_t)(box->buf + box->len - p))); ) {
		const char *end;

		p++;
		end = memchr(p, '\n', (size_t)(box->buf + box->len - p));
		if (end && is_postmark(p, (size_t)(end - p)))
			return (size_t)(p - box->buf);
	}
	return box->len;
}

static size_t count_mails(const struct str *box)
{
	size_t n = 0;

	for (size_t at = 0; at < box->len; at = next_mail(box, at))
		n++;
	return n;
}

int source_list(struct repo *repo, const char *from, struct strs *ret, struct err *err)
{
	CLEANUP(strs_free) struct strs paths = { 0 };

	if (source_is_branches(from))
		return list_branches(repo, from, ret, err);
	if (list_paths(repo, from, &paths, err) < 0)
		return err->code;
	for (size_t i = 0; i < paths.n; i++) {
		AUTOFREE char *path = absolute(repo, paths.v[i]);
		STR box = STR_INIT;
		size_t n;

		if (io_read_file(path, MAILBOX_MAX, &box, err) < 0)
			return err->code;
		n = count_mails(&box);
		for (size_t k = 1; k <= n; k++)
			if (n == 1)
				strs_add(ret, paths.v[i]);
			else
				strs_addf(ret, "%s#%zu", paths.v[i], k);
	}
	return 0;
}

/* ---- one mail ---- */

/* Has it a head of its own? A plain diff has none, and git would take its first lines for one. */
static bool has_head(const char *mail, size_t len)
{
	STR text = STR_INIT;
	const char *subject, *diff;

	str_add(&text, mail, len);
	subject = starts_with(text.buf, "Subject:") ? text.buf : strstr(text.buf, "\nSubject:");
	diff = starts_with(text.buf, "diff ") || starts_with(text.buf, "--- ") ? text.buf : strstr(text.buf, "\ndiff ");
	return subject && (!diff || subject < diff);
}

static int split_mail(const char *dir, const char *mail, size_t len, struct mail *ret, struct err *err)
{
	AUTOFREE char *message = path_join(dir, "message"), *patch = path_join(dir, "patch");
	const char *args[] = { "mailinfo", "--encoding=UTF-8", message, patch, NULL };
	struct git_run run = { .in = mail, .in_len = len };
	STR info = STR_INIT;
	STR body = STR_INIT;
	const char *subject;
	int failed = git_cli(&run, args, &info, err) < 0 || io_read_file(message, MAILBOX_MAX, &body, err) < 0 ||
		     io_read_file(patch, MAILBOX_MAX, &ret->patch, err) < 0;

	unlink(message);
	unlink(patch);
	if (failed)
		return err->code;
	subject = starts_with(info.buf, "Subject: ") ? info.buf : strstr(info.buf, "\nSubject: ");
	if (subject) {
		subject = strchr(subject, ':') + 2;
		ret->subject = xstrndup(subject, strcspn(subject, "\n"));
	}
	if (body.len)
		ret->body = str_detach(&body);
	return 0;
}

static int parse_mail(const char *mail, size_t len, struct mail *ret, struct err *err)
{
	const char *tmp = getenv("TMPDIR");
	AUTOFREE char *dir = xasprintf("%s/git-harness-XXXXXX", tmp && *tmp ? tmp : "/tmp");
	int failed;

	if (!has_head(mail, len)) {
		str_add(&ret->patch, mail, len);
		return 0;
	}
	if (!mkdtemp(dir))
		return err_errno(err, "cannot make '%s'", dir);
	failed = split_mail(dir, mail, len, ret, err);
	rmdir(dir);
	return failed;
}

int source_read(struct repo *repo, const char *name, struct mail *ret, struct err *err)
{
	const char *hash = strrchr(name, '#');
	AUTOFREE char *whole = absolute(repo, name);
	CLEANUP(mail_free) struct mail mail = { .patch = STR_INIT };
	STR box = STR_INIT;
	int64_t nr = 1;
	size_t at = 0;

	if (hash && access(whole, F_OK) < 0 && num_parse_int(hash + 1, strlen(hash + 1), &nr))
		whole[strlen(whole) - strlen(hash)] = '\0';
	if (io_read_file(whole, MAILBOX_MAX, &box, err) < 0)
		return err->code;
	for (; nr > 1 && at < box.len; nr--)
		at = next_mail(&box, at);
	if (at >= box.len)
		return err_set(err, ERR_NOT_FOUND, "there is no patch '%s'", name);
	if (parse_mail(box.buf + at, next_mail(&box, at) - at, &mail, err) < 0)
		return err_wrap(err, "cannot read the patch '%s'", name);
	*ret = mail;
	mail = (struct mail){ .patch = STR_INIT };
	return 0;
}

void mail_free(struct mail *m)
{
	free(m->subject);
	free(m->body);
	str_free(&m->patch);
	*m = (struct mail){ .patch = STR_INIT };
}
