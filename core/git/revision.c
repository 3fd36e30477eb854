/*
 * revision.c - HEAD, names of commits, ancestry, and what is checked out where.
 */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/io.h"
#include "base/path.h"
#include "git/cli.h"
#include "git/internal.h"

int repo_head(struct repo *repo, char **ret_branch, struct oid *ret_commit, struct err *err)
{
	git_reference *head = NULL;
	git_oid oid;
	int rc = git_reference_lookup(&head, repo->git, "HEAD");

	if (rc < 0)
		return lib_fail(err, rc, "cannot read HEAD");
	*ret_branch = xstrdup(git_reference_symbolic_target(head));
	git_reference_free(head);
	*ret_commit = (struct oid){ 0 };
	rc = git_reference_name_to_id(&oid, repo->git, "HEAD");
	git_error_clear();
	if (!rc)
		*ret_commit = from_git(&oid);
	if (!rc || rc == GIT_ENOTFOUND)
		return 0;
	free(*ret_branch);
	*ret_branch = NULL;
	return lib_fail(err, rc, "cannot read what HEAD points to");
}

/* A full id is the loop's own way of naming a commit: no process for that. */
static bool is_commit(struct repo *repo, const struct oid *id)
{
	const git_oid oid = to_git(id);
	git_object_t type;
	size_t len;
	int rc = git_odb_read_header(&len, &type, repo->odb, &oid);

	git_error_clear();
	return !rc && type == GIT_OBJECT_COMMIT;
}

int repo_resolve(struct repo *repo, const char *rev, struct oid *ret, struct err *err)
{
	AUTOFREE char *peeled = xasprintf("%s^{commit}", rev);
	const char *const args[] = { "rev-parse", "--verify", "--quiet", "--end-of-options", peeled, NULL };
	STR out = STR_INIT;
	int status = 0;
	const struct git_run run = { .git_dir = repo->git_dir, .ret_exit = &status };
	struct oid id;

	if (strlen(rev) == OID_HEX && oid_parse(rev, &id) && is_commit(repo, &id)) {
		*ret = id;
		return 0;
	}
	if (git_cli(&run, args, &out, err) < 0)
		return err->code;
	if (status || out.len < OID_HEX + 1 || !oid_parse(out.buf + out.len - OID_HEX - 1, &id))
		return err_set(err, ERR_NOT_FOUND, "no commit '%s'", rev);
	*ret = id;
	return 0;
}

int repo_merge_base(struct repo *repo, const struct oid *a, const struct oid *b, struct oid *ret, struct err *err)
{
	const git_oid x = to_git(a), y = to_git(b);
	git_oid base;
	int rc = git_merge_base(&base, repo->git, &x, &y);

	if (rc == GIT_ENOTFOUND) {
		git_error_clear();
		return err_set(err, ERR_NOT_FOUND, "%.10s and %.10s have no commit in common", oid_hex(a).s, oid_hex(b).s);
	}
	if (rc < 0)
		return lib_fail(err, rc, "cannot find the merge base of %.10s and %.10s", oid_hex(a).s, oid_hex(b).s);
	*ret = from_git(&base);
	return 0;
}

int repo_descends(struct repo *repo, const struct oid *commit, const struct oid *ancestor, bool *ret, struct err *err)
{
	const git_oid x = to_git(commit), y = to_git(ancestor);
	int rc = oid_eq(commit, ancestor) ? 1 : git_graph_descendant_of(repo->git, &x, &y);

	if (rc < 0)
		return lib_fail(err, rc, "cannot follow the history of %.10s", oid_hex(commit).s);
	*ret = rc;
	return 0;
}

static int walk(git_revwalk *walk, size_t max, struct oid **ret, size_t *ret_n, struct err *err)
{
	AUTOFREE struct oid *list = NULL;
	size_t n = 0, alloc = 0;
	git_oid id;
	int rc;

	while ((rc = git_revwalk_next(&id, walk)) == 0) {
		if (n == max)
			return err_set(err, ERR_LIMIT, "more than %zu new commits", max);
		GROW(list, n, alloc);
		list[n++] = from_git(&id);
	}
	if (rc != GIT_ITEROVER)
		return lib_fail(err, rc, "cannot walk a history");
	git_error_clear();
	*ret = list;
	*ret_n = n;
	list = NULL;
	return 0;
}

int repo_commits(struct repo *repo, const struct oid *tip, const struct oid *hide, size_t n_hide, size_t max, struct oid **ret,
		 size_t *ret_n, struct err *err)
{
	const git_oid from = to_git(tip);
	git_revwalk *w = NULL;
	int rc = git_revwalk_new(&w, repo->git);

	if (!rc)
		rc = git_revwalk_push(w, &from);
	for (size_t i = 0; !rc && i < n_hide; i++) {
		const git_oid id = to_git(&hide[i]);

		if (is_commit(repo, &hide[i]))
			rc = git_revwalk_hide(w, &id);
	}
	rc = rc ? lib_fail(err, rc, "cannot walk the history of %.10s", oid_hex(tip).s) : walk(w, max, ret, ret_n, err);
	git_revwalk_free(w);
	return rc;
}

/* Does this small file of a git directory say `text`, alone on its line? */
static bool file_says(const char *dir, const char *name, const char *text)
{
	AUTOFREE char *path = path_join(dir, name);
	STR s = STR_INIT;
	struct err ignored;

	if (io_read_file(path, 4096, &s, &ignored) < 0)
		return false;
	while (s.len && strchr("\n\r ", s.buf[s.len - 1]))
		str_truncate(&s, s.len - 1);
	return !strcmp(s.buf, text);
}

/* Checked out, or about to be: git guards a branch under rebase the same way. */
static bool holds(const char *git_dir, const char *ref)
{
	AUTOFREE char *head = xasprintf("ref: %s", ref);

	return file_says(git_dir, "HEAD", head) || file_says(git_dir, "rebase-merge/head-name", ref) ||
	       file_says(git_dir, "rebase-apply/head-name", ref);
}

/* The checkout that a linked worktree's git directory belongs to, where it still exists (or is locked: on a disk not here now). */
static char *linked_path(const char *git_dir)
{
	AUTOFREE char *file = path_join(git_dir, "gitdir");
	AUTOFREE char *locked = path_join(git_dir, "locked");
	AUTOFREE char *whole = NULL;
	STR s = STR_INIT;
	struct err ignored;

	if (io_read_file(file, 65536, &s, &ignored) < 0)
		return NULL;
	while (s.len && s.buf[s.len - 1] == '\n')
		str_truncate(&s, s.len - 1);
	whole = path_join(git_dir, s.buf);	/* relative with extensions.relativeWorktrees */
	if (access(whole, F_OK) < 0 && access(locked, F_OK) < 0)
		return NULL;
	return path_dirname(whole);
}

static char *main_path(struct repo *repo)
{
	git_repository *git = NULL;
	char *ret = NULL;

	if (str_eq(repo->git_dir, repo->common_dir))
		return xstrdup(repo->work_dir);
	if (git_repository_open_ext(&git, repo->common_dir, GIT_REPOSITORY_OPEN_NO_SEARCH | GIT_REPOSITORY_OPEN_NO_DOTGIT, NULL) < 0)
		ret = path_dirname(repo->common_dir);	/* another owner's: better one warning too many */
	else if (!git_repository_is_bare(git))
		ret = without_slash(git_repository_workdir(git));
	git_repository_free(git);
	git_error_clear();
	return ret;
}

int repo_checked_out(struct repo *repo, const char *ref, char **ret_path, struct err *err)
{
	AUTOFREE char *dir = path_join(repo->common_dir, "worktrees");
	CLEANUP(strs_free) struct strs names = { 0 };
	DIR *d = opendir(dir);
	struct dirent *e;

	*ret_path = NULL;
	if (!d && errno != ENOENT)
		return err_errno(err, "cannot read '%s'", dir);
	if (holds(repo->common_dir, ref))
		*ret_path = main_path(repo);
	while (d && (e = readdir(d)) != NULL)
		if (e->d_name[0] != '.')
			strs_add(&names, e->d_name);
	if (d)
		closedir(d);
	strs_sort(&names);
	for (size_t i = 0; i < names.n && !*ret_path; i++) {
		AUTOFREE char *git_dir = path_join(dir, names.v[i]);

		if (holds(git_dir, ref))
			*ret_path = linked_path(git_dir);
	}
	return 0;
}
