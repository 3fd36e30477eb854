/* One path of a workspace: what git would make of it. */
#include "run/slot.h"

#include "base/mem.h"

#define FILE_MAX ((int64_t)1 << 30)

static uint32_t git_mode(const struct looking *l, const struct tracked_file *f, const struct stat *st)
{
	if (S_ISLNK(st->st_mode))
		return 0120000;
	if (!S_ISREG(st->st_mode))
		return 0;
	if (!l->pool->file_mode)	/* the executable bit means nothing here: it is what it was */
		return f && S_ISREG(f->entry.mode) ? f->entry.mode : 0100644;
	return st->st_mode & S_IXUSR ? 0100755 : 0100644;
}

static int clean(struct looking *l, const char *path, const struct str *raw, uint32_t mode, struct str *ret,
		 struct look *look, struct err *err)
{
	if (S_ISREG(mode))
		return rules_clean(l->rules, path, raw->buf, raw->len, ret, &look->refused_attr, err);
	str_add(ret, raw->buf, raw->len);
	return 0;
}

/* Bytes that are the blob's as they are need no cleaning; so files committed against their own attributes do not differ. */
static int compare(struct looking *l, const struct tracked_file *f, const char *path, const struct str *raw,
		   struct look *ret, struct err *err)
{
	STR text = STR_MAX((size_t)FILE_MAX * 2);

	repo_hash_blob(raw->buf, raw->len, &ret->blob);
	ret->same = f && oid_eq(&ret->blob, &f->entry.id);
	if (ret->same)
		return 0;
	if (clean(l, path, raw, ret->mode, &text, ret, err) < 0)
		return err->code;
	repo_hash_blob(text.buf, text.len, &ret->blob);
	ret->same = f && oid_eq(&ret->blob, &f->entry.id);
	if (ret->same || !l->write)
		return 0;
	return repo_write_blob(l->pool->repo, text.buf, text.len, &ret->blob, err);
}

int slot_look(struct looking *l, const struct tracked_file *f, const char *path, int dirfd, const char *name,
	      const struct stat *st, struct look *ret, struct err *err)
{
	int64_t max = l->bytes_left < FILE_MAX ? l->bytes_left : FILE_MAX;
	STR raw = STR_INIT;

	*ret = (struct look){ .mode = git_mode(l, f, st) };
	ret->special = !ret->mode && !S_ISDIR(st->st_mode);
	if (!ret->mode)
		return 0;
	ret->over = st->st_size > max;
	if (ret->over)
		return 0;
	if (file_read(dirfd, name, st, (size_t)max, &raw, err) < 0)
		return err->code;
	l->bytes_left -= (int64_t)raw.len;
	return compare(l, f, path, &raw, ret, err);
}
