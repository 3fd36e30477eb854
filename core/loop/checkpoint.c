#include "loop/checkpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "git/cli.h"

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

/* Through git: a checkpoint of many gigabytes is hashed as a stream and not stored. */
static int hash_file(const char *path, struct str *ret, struct err *err)
{
	const char *const args[] = { "hash-object", "--no-filters", "--", path, NULL };
	struct git_run run = { 0 };
	STR id = STR_INIT;

	if (git_cli(&run, args, &id, err) < 0)
		return err->code;
	str_add(ret, id.buf, strcspn(id.buf, "\n"));
	return 0;
}

static int add_file(const FTSENT *e, const char *dir, struct str *ret, struct err *err)
{
	if (hash_file(e->fts_path, ret, err) < 0)
		return err_wrap(err, "cannot read '%s'", e->fts_path);
	str_printf(ret, " %lld %03o %s\n", (long long)e->fts_statp->st_size, e->fts_statp->st_mode & 0777u,
		   e->fts_path + strlen(dir) + 1);
	return 0;
}

int checkpoint_manifest(struct repo *repo, const char *dir, struct oid *ret, struct err *err)
{
	char *const roots[] = { (char *)(uintptr_t)dir, NULL };
	FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, by_name);
	STR text = STR_INIT;
	int rc = 0;

	if (!walk)
		return err_errno(err, "cannot read '%s'", dir);
	for (FTSENT *e = fts_read(walk); e && rc >= 0; e = fts_read(walk))
		if (e->fts_info == FTS_F)
			rc = add_file(e, dir, &text, err);
	fts_close(walk);
	*ret = (struct oid){ { 0 } };
	return rc < 0 || !text.len ? rc : repo_write_blob(repo, text.buf, text.len, ret, err);
}

struct oid checkpoint_named(const struct events *lines)
{
	struct oid ret = { { 0 } };

	for (size_t i = 0; i < lines->n; i++)
		if (event_is(&lines->v[i], "event", "execute"))
			event_get_oid(&lines->v[i], "state", &ret);
	return ret;
}

static char *place_of(const char *state_dir, const struct oid *manifest)
{
	return xasprintf("%s/state/%s", state_dir, oid_hex(manifest).s);
}

int checkpoint_of(struct repo *repo, const struct history *h, const char *state_dir, const struct oid *commit, int before, char **ret,
	     struct err *err)
{
	CLEANUP(events_free) struct events lines = { 0 };
	const struct record *r = history_of_commit(h, commit, before);
	struct oid manifest;

	*ret = NULL;
	if (!r)
		return 0;
	if (history_lines(repo, h, r->number, &lines, err) < 0)
		return err->code;
	manifest = checkpoint_named(&lines);
	if (oid_is_zero(&manifest))
		return 0;
	*ret = place_of(state_dir, &manifest);
	if (access(*ret, F_OK) == 0)
		return 0;
	err_set(err, ERR_REFUSED, "the state that experiment %d ended with is not here: '%s'", r->number, *ret);
	free(*ret);
	*ret = NULL;
	return err_hint(err, "it is kept on the machine that ran it; bring that directory, or git harness rollback to one whose state is here");
}

int checkpoint_store(const char *state_dir, const char *dir, const struct oid *manifest, struct err *err)
{
	AUTOFREE char *place = place_of(state_dir, manifest), *up = xasprintf("%s/state", state_dir);

	if (oid_is_zero(manifest) || access(place, F_OK) == 0)
		return 0;
	if (io_mkdirs(up, 0700, err) < 0)
		return err->code;
	if (rename(dir, place) < 0)
		return err_errno(err, "cannot keep the state '%s'", dir);
	return io_sync_parent(place, err);
}
