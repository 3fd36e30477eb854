#include "git/sealed.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/io.h"
#include "base/path.h"
#include "git/cli.h"
#include "git/internal.h"

#define SEALED_MAX ((size_t)16 << 20)
#define LIST_MAX ((size_t)1 << 30)

/* ---- making ---- */

static int pack(struct repo *repo, const char *dir, const char *revs, bool rest, struct err *err)
{
	AUTOFREE char *base = path_join(dir, "pack/pack");
	const char *const whole[] = { "pack-objects", "-q", "--revs", base, NULL };
	const char *const unpacked[] = { "pack-objects", "-q", "--revs", "--unpacked", "--incremental", base, NULL };
	/* git renames what it wrote into place: that must not be on another file system. */
	AUTOFREE char *to = xasprintf("GIT_OBJECT_DIRECTORY=%s", dir);
	AUTOFREE char *from = xasprintf("GIT_ALTERNATE_OBJECT_DIRECTORIES=%s/objects", repo->common_dir);
	const char *const env[] = { to, from, NULL };
	const struct git_run run = { .git_dir = repo->common_dir, .env = env, .in = revs, .in_len = strlen(revs) };
	STR out = STR_INIT;

	return git_cli(&run, rest ? unpacked : whole, &out, err) < 0 ?
	       err_wrap(err, "cannot pack what an experiment may see") : 0;
}

static bool is_pack(const char *name)
{
	return starts_with(name, "pack-") && (ends_with(name, ".pack") || ends_with(name, ".idx"));
}

static void close_dir(DIR **d)
{
	if (*d)
		closedir(*d);
}

/* false: some cannot be linked (another file system, another owner's). */
static bool link_packs(const struct repo *repo, const char *dir)
{
	AUTOFREE char *from = path_join(repo->common_dir, "objects/pack"), *to = path_join(dir, "pack");
	AUTOFREE char *others = path_join(repo->common_dir, "objects/info/alternates");
	CLEANUP(close_dir) DIR *d = opendir(from);
	struct dirent *e;

	if (!access(others, F_OK))
		return false;
	while (d && (e = readdir(d))) {
		AUTOFREE char *a = path_join(from, e->d_name), *b = path_join(to, e->d_name);

		if (is_pack(e->d_name) && link(a, b) < 0)
			return false;
	}
	return true;
}

static void unlink_packs(const char *dir)
{
	AUTOFREE char *path = path_join(dir, "pack");
	CLEANUP(close_dir) DIR *d = opendir(path);
	struct dirent *e;

	while (d && (e = readdir(d)))
		if (e->d_name[0] != '.')
			unlinkat(dirfd(d), e->d_name, 0);
}

/* Annotated tags are objects of their own, which no commit reaches. */
static int what_to_pack(struct repo *repo, const struct oid *commit, struct str *ret, struct err *err)
{
	AUTOFREE char *merged = xasprintf("--merged=%s", oid_hex(commit).s);
	const char *const args[] = { "for-each-ref", merged, "--format=%(objectname)", "refs/tags", NULL };

	str_printf(ret, "%s\n", oid_hex(commit).s);
	return git_cli(&(struct git_run){ .git_dir = repo->common_dir }, args, ret, err);
}

/* Is anything of what campaigns recorded in these packs? */
static int is_sealed(struct repo *repo, const char *dir, const struct oid *commit, bool *ret, struct err *err)
{
	struct oid_hex base = oid_hex(commit);
	const char *const args[] = { "rev-list", "--objects", "--no-object-names", "--glob=refs/harness/*",
				     "--glob=refs/heads/harness/*", "--glob=refs/notes/*", "--not", base.s, NULL };
	STR out = STR_MAX(LIST_MAX);
	git_odb *odb = NULL;
	int rc;

	if (git_cli(&(struct git_run){ .git_dir = repo->common_dir }, args, &out, err) < 0)
		return err->code;
	rc = git_odb_new(&odb);
	if (!rc)
		rc = git_odb_add_disk_alternate(odb, dir);
	*ret = !out.cut;
	for (const char *at = out.buf; !rc && *ret && *at; at += strcspn(at, "\n") + 1) {
		struct oid id;
		git_oid oid;

		if (strlen(at) <= OID_HEX || at[OID_HEX] != '\n')
			break;
		AUTOFREE char *hex = xstrndup(at, OID_HEX);

		if (!oid_parse(hex, &id))
			break;
		oid = to_git(&id);
		*ret = git_odb_exists_ext(odb, &oid, GIT_ODB_LOOKUP_NO_REFRESH) != 1;
	}
	git_odb_free(odb);
	return rc < 0 ? lib_fail(err, rc, "cannot open '%s'", dir) : 0;
}

static int fill(struct repo *repo, const char *dir, const struct oid *commit, struct err *err)
{
	STR revs = STR_INIT;
	bool sealed = link_packs(repo, dir);

	if (what_to_pack(repo, commit, &revs, err) < 0 || (sealed && is_sealed(repo, dir, commit, &sealed, err) < 0))
		return err->code;
	if (!sealed)
		unlink_packs(dir);
	return pack(repo, dir, revs.buf, sealed, err);
}

static int remember(const char *dir, const struct oid *commit, struct err *err)
{
	AUTOFREE char *file = path_join(dir, "sealed"), *line = xasprintf("%s\n", oid_hex(commit).s);
	AUTOCLOSE int fd = open(file, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);

	return fd < 0 ? err_errno(err, "cannot open '%s'", file) : io_write_fd(fd, line, strlen(line), err);
}

static int remove_flat(const char *dir, struct err *err)
{
	AUTOFREE char *sealed = path_join(dir, "sealed"), *packs = path_join(dir, "pack");

	unlink_packs(dir);
	unlink(sealed);
	if ((rmdir(packs) < 0 || rmdir(dir) < 0) && errno != ENOENT)
		return err_errno(err, "cannot remove '%s'", dir);
	return 0;
}

int sealed_make(struct repo *repo, const char *dir, const struct oid *commit, struct err *err)
{
	AUTOFREE char *new = xasprintf("%s.new", dir), *packs = xasprintf("%s.new/pack", dir);

	if (repo_setting(repo, "extensions.partialclone"))
		return err_set(err, ERR_REFUSED, "a partial clone does not hold all that its history names");
	if (!access(dir, F_OK))
		return 0;
	if (remove_flat(new, err) < 0 || io_mkdirs(packs, 0700, err) < 0 || fill(repo, new, commit, err) < 0 ||
	    remember(new, commit, err) < 0)
		return err->code;
	return rename(new, dir) < 0 ? err_errno(err, "cannot rename '%s'", new) : 0;
}

int sealed_add(struct repo *repo, const char *dir, const struct oid *commit, struct err *err)
{
	AUTOFREE char *file = path_join(dir, "sealed");
	struct oid_hex hex = oid_hex(commit);
	STR sealed = STR_MAX(SEALED_MAX), revs = STR_INIT;

	if (io_read_file(file, SEALED_MAX, &sealed, err) < 0)
		return err->code;
	if (strstr(sealed.buf, hex.s))
		return 0;
	str_printf(&revs, "%s\n^%.40s\n", hex.s, sealed.buf);
	if (sealed.len > 2 * (OID_HEX + 1))	/* the first and the last one: what lies between them the last one reaches */
		str_printf(&revs, "^%.40s\n", sealed.buf + sealed.len - OID_HEX - 1);
	if (pack(repo, dir, revs.buf, false, err) < 0)
		return err->code;
	return remember(dir, commit, err);
}

/* ---- refs ---- */

int refs_behind(struct repo *repo, const struct oid *commit, struct str *ret, struct err *err)
{
	AUTOFREE char *merged = xasprintf("--merged=%s", oid_hex(commit).s);
	const char *const args[] = { "for-each-ref", merged, "--format=%(objectname) %(refname)", "refs/heads", "refs/remotes",
				     "refs/tags", NULL };
	STR out = STR_INIT;

	if (git_cli(&(struct git_run){ .git_dir = repo->common_dir }, args, &out, err) < 0)
		return err->code;
	str_puts(ret, "# pack-refs with: sorted \n");
	for (char *save, *line = strtok_r(out.buf, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		if (strlen(line) > OID_HEX && !starts_with(line + OID_HEX, " refs/heads/harness/"))
			str_printf(ret, "%s\n", line);
	return 0;
}

/* ---- single objects ---- */

struct exporting {
	struct repo *repo;
	git_odb *to;
};

static bool has(const struct exporting *x, const struct oid *id)
{
	const git_oid oid = to_git(id);

	return git_odb_exists_ext(x->to, &oid, GIT_ODB_LOOKUP_NO_REFRESH) == 1;
}

static int export_object(struct exporting *x, const struct oid *id, struct err *err)
{
	const git_oid oid = to_git(id);
	git_odb_object *object;
	git_oid written;
	int rc = git_odb_read(&object, x->repo->odb, &oid);

	if (rc < 0)
		return lib_fail(err, rc, "cannot read object %s", oid_hex(id).s);
	rc = git_odb_write(&written, x->to, git_odb_object_data(object), git_odb_object_size(object),
			   git_odb_object_type(object));
	git_odb_object_free(object);
	return rc < 0 ? lib_fail(err, rc, "cannot write object %s", oid_hex(id).s) : 0;
}

/* The directories that lead to a changed path, from the top; those that were met before are there. */
static int export_parents(struct exporting *x, const struct oid *tree, const char *path, struct err *err)
{
	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		AUTOFREE char *dir = xstrndup(path, (size_t)(slash - path));
		struct tree_entry e;

		if (tree_lookup(x->repo, tree, dir, &e, err) < 0)
			return err->code;
		if (e.mode != TREE_DIR)
			return 0;
		if (!has(x, &e.id) && export_object(x, &e.id, err) < 0)
			return err->code;
	}
	return 0;
}

static int export_changes(struct exporting *x, const struct oid *old, const struct oid *new, struct err *err)
{
	CLEANUP(tree_changes_free) struct tree_changes changes = { 0 };

	if (tree_compare(x->repo, old, new, &changes, err) < 0 || export_object(x, new, err) < 0)
		return err->code;
	for (size_t i = 0; i < changes.n; i++) {
		const struct tree_change *c = &changes.v[i];

		if (c->new.mode && c->new.mode != TREE_GITLINK && export_object(x, &c->new.id, err) < 0)
			return err->code;
		if (export_parents(x, new, c->path, err) < 0)
			return err->code;
	}
	return 0;
}

int tree_export(struct repo *repo, const struct oid *old, const struct oid *new, const char *objects, struct err *err)
{
	struct exporting x = { .repo = repo };
	git_odb_backend *loose = NULL;
	int rc = git_odb_new(&x.to), ret;

	if (oid_eq(old, new)) {
		git_odb_free(x.to);
		return 0;
	}
	if (!rc)
		rc = git_odb_backend_loose(&loose, objects, 1, 0, 0, 0);
	if (!rc)
		rc = git_odb_add_backend(x.to, loose, 1);
	ret = rc < 0 ? lib_fail(err, rc, "cannot write to '%s'", objects) : export_changes(&x, old, new, err);
	git_odb_free(x.to);
	return ret;
}
