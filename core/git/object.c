/*
 * object.c - objects as bytes: read, written, made durable; and tree objects entry by entry.
 */
#include <fcntl.h>
#include <unistd.h>

#include "git/internal.h"

static const char *object_kind(git_object_t type)
{
	return git_object_type2string(type);
}

/* A partial clone has promised objects that only git can fetch. */
static int missing(struct repo *repo, const struct oid *id, const char *kind, struct err *err)
{
	git_error_clear();
	err_set(err, ERR_NOT_FOUND, "no %s object %s", kind, oid_hex(id).s);
	if (repo_setting(repo, "extensions.partialclone"))
		err_hint(err, "this is a partial clone; `git fetch --refetch --no-filter` brings what is missing");
	return err->code;
}

int object_read(struct repo *repo, const struct oid *id, git_object_t type, struct object *ret, struct err *err)
{
	const git_oid oid = to_git(id);
	git_odb_object *object;
	int rc = git_odb_read(&object, repo->odb, &oid);

	if (rc == GIT_ENOTFOUND)
		return missing(repo, id, object_kind(type), err);
	if (rc < 0)
		return lib_fail(err, rc, "cannot read object %s", oid_hex(id).s);
	ret->odb = object;
	ret->ptr = git_odb_object_data(object);
	ret->len = git_odb_object_size(object);
	ret->type = git_odb_object_type(object);
	if (ret->type == type)
		return 0;
	err_set(err, ERR_INVALID, "object %s is a %s, not a %s", oid_hex(id).s, object_kind(ret->type), object_kind(type));
	object_drop(ret);
	return err->code;
}

void object_drop(struct object *object)
{
	git_odb_object_free(object->odb);
	*object = (struct object){ 0 };
}

int object_write(struct repo *repo, git_object_t type, const void *ptr, size_t len, struct oid *ret, struct err *err)
{
	git_oid oid;
	int rc = git_odb_write(&oid, repo->odb, ptr, len, type);

	if (rc < 0)
		return lib_fail(err, rc, "cannot write a %s object", object_kind(type));
	*ret = from_git(&oid);
	return 0;
}

int repo_read_blob(struct repo *repo, const struct oid *id, size_t max, struct str *ret, struct err *err)
{
	CLEANUP(object_drop) struct object object = { 0 };
	int64_t size;

	if (repo_blob_size(repo, id, &size, err) < 0)
		return err->code;
	if ((uint64_t)size > max)
		return err_set(err, ERR_LIMIT, "object %s is %lld bytes, more than %zu", oid_hex(id).s, (long long)size, max);
	if (object_read(repo, id, GIT_OBJECT_BLOB, &object, err) < 0)
		return err->code;
	str_add(ret, object.ptr, object.len);
	return ret->cut ? err_set(err, ERR_LIMIT, "object %s does not fit", oid_hex(id).s) : 0;
}

int repo_blob_size(struct repo *repo, const struct oid *id, int64_t *ret, struct err *err)
{
	const git_oid oid = to_git(id);
	git_object_t type;
	size_t len;
	int rc = git_odb_read_header(&len, &type, repo->odb, &oid);

	if (rc == GIT_ENOTFOUND)
		return missing(repo, id, "blob", err);
	if (rc < 0)
		return lib_fail(err, rc, "cannot read object %s", oid_hex(id).s);
	if (type != GIT_OBJECT_BLOB)
		return err_set(err, ERR_INVALID, "object %s is a %s, not a blob", oid_hex(id).s, object_kind(type));
	*ret = (int64_t)len;
	return 0;
}

int repo_write_blob(struct repo *repo, const void *ptr, size_t len, struct oid *ret, struct err *err)
{
	return object_write(repo, GIT_OBJECT_BLOB, len ? ptr : "", len, ret, err);
}

void repo_hash_blob(const void *ptr, size_t len, struct oid *ret)
{
	git_oid oid;
	struct err err;

	*ret = (struct oid){ 0 };
	if (lib_init(&err) < 0 || git_odb_hash(&oid, len ? ptr : "", len, GIT_OBJECT_BLOB) < 0)
		return;
	*ret = from_git(&oid);
}

bool repo_has(struct repo *repo, const struct oid *id)
{
	const git_oid oid = to_git(id);

	return git_odb_exists(repo->odb, &oid) == 1;
}

/* One call for the whole file system instead of one fsync an object: an experiment leaves many small ones. */
int repo_flush(struct repo *repo, struct err *err)
{
	AUTOFREE char *dir = xasprintf("%s/objects", repo->common_dir);
	AUTOCLOSE int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return err_errno(err, "cannot open '%s'", dir);
	if (syncfs(fd) < 0)
		return err_errno(err, "cannot make the objects in '%s' durable", dir);
	return 0;
}

int tree_iter_open(struct repo *repo, const struct oid *tree, struct tree_iter *ret, struct err *err)
{
	*ret = (struct tree_iter){ 0 };
	if (oid_is_zero(tree))
		return 0;
	if (object_read(repo, tree, GIT_OBJECT_TREE, &ret->object, err) < 0)
		return err->code;
	ret->at = ret->object.ptr;
	ret->end = ret->at + ret->object.len;
	return 0;
}

void tree_iter_close(struct tree_iter *it)
{
	object_drop(&it->object);
	*it = (struct tree_iter){ 0 };
}

bool tree_is_mode(uint32_t mode)
{
	static const uint32_t modes[] = { 0100644u, 0100755u, TREE_LINK, TREE_GITLINK, TREE_DIR };

	for (size_t i = 0; i < ARRAY_SIZE(modes); i++)
		if (mode == modes[i])
			return true;
	return false;
}

static bool parse_mode(struct tree_iter *it, uint32_t *ret)
{
	uint32_t mode = 0;

	for (; it->at < it->end && *it->at != ' '; it->at++) {
		if (*it->at < '0' || *it->at > '7' || mode > 0177777u)
			return false;
		mode = mode << 3 | (uint32_t)(*it->at - '0');
	}
	if (it->at++ >= it->end)
		return false;
	if ((mode & 0170000u) == 0100000u)	/* old gits wrote 100664 and the like; git reads it so too */
		mode = mode & 0100u ? 0100755u : 0100644u;
	*ret = mode;
	return tree_is_mode(mode);
}

static bool good_name(const char *name, size_t len)
{
	return len && !memchr(name, '/', len) && strcmp(name, ".") && strcmp(name, "..");
}

int tree_iter_next(struct tree_iter *it, struct err *err)
{
	const char *nul;

	if (it->at >= it->end)
		return 0;
	if (!parse_mode(it, &it->entry.mode))
		return err_set(err, ERR_INVALID, "a tree object is malformed (mode)");
	nul = memchr(it->at, '\0', (size_t)(it->end - it->at));
	if (!nul || it->end - nul <= (ptrdiff_t)sizeof(it->entry.id.raw))
		return err_set(err, ERR_INVALID, "a tree object is malformed (cut short)");
	it->name = it->at;
	it->name_len = (size_t)(nul - it->at);
	if (!good_name(it->name, it->name_len))
		return err_set(err, ERR_INVALID, "a tree object holds an impossible name");
	memcpy(it->entry.id.raw, nul + 1, sizeof(it->entry.id.raw));
	it->at = nul + 1 + sizeof(it->entry.id.raw);
	return 1;
}

void tree_raw_add(struct str *raw, uint32_t mode, const char *name, size_t len, const struct oid *id)
{
	str_printf(raw, "%o ", (unsigned)mode);
	str_add(raw, name, len);
	str_putc(raw, '\0');
	str_add(raw, id->raw, sizeof(id->raw));
}

int tree_name_cmp(const char *a, size_t a_len, bool a_dir, const char *b, size_t b_len, bool b_dir)
{
	size_t len = a_len < b_len ? a_len : b_len;
	int cmp = memcmp(a, b, len);
	unsigned char x, y;

	if (cmp)
		return cmp;
	x = (unsigned char)(a_len > len ? a[len] : a_dir ? '/' : 0);
	y = (unsigned char)(b_len > len ? b[len] : b_dir ? '/' : 0);
	return x - y;
}
