#include <dirent.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "git/note.h"
#include "git/ref.h"
#include "ledger/ledger.h"
#include "ledger/lock.h"
#include "ledger/names.h"

#define PATIENCE (2 * NS_PER_S)

/* The refs of a "locks" line without its "unlocked": a writer that let go of them is not who holds them now. */
static const char *left_locked(const struct events *lines)
{
	const char *refs = NULL;

	for (size_t i = 0; i < lines->n; i++) {
		if (event_is(&lines->v[i], "event", "locks"))
			refs = event_get(&lines->v[i], "refs");
		else if (event_is(&lines->v[i], "event", "unlocked"))
			refs = NULL;
	}
	return refs;
}

static bool is_owned(const char *campaigns, const char *name)
{
	AUTOFREE char *dir = xasprintf("%s/%s", campaigns, name);
	EVENT owner = { 0 };
	struct err ignored;
	bool held;

	return lock_owner(dir, &held, &owner, &ignored) == 0 && held;
}

/* Does another campaign run? Its writer shares the notes with us. */
static bool others_run(struct repo *repo, const char *refs)
{
	AUTOFREE char *campaigns = xasprintf("%s/campaigns", repo_state_dir(repo));
	AUTOFREE char *ours = starts_with(refs, LEDGER_PREFIX)
		? xstrndup(refs + strlen(LEDGER_PREFIX), strcspn(refs, ",") - strlen(LEDGER_PREFIX)) : NULL;
	DIR *dir = opendir(campaigns);
	struct dirent *d;
	bool ret = false;

	while (dir && !ret && (d = readdir(dir)))
		ret = d->d_name[0] != '.' && !str_eq(d->d_name, ours) && is_owned(campaigns, d->d_name);
	if (dir)
		closedir(dir);
	return ret;
}

/* A live writer keeps its lock for milliseconds; one that stands for two seconds is the dead owner's. */
static bool goes_away(struct repo *repo, const char *ref)
{
	AUTOFREE char *path = xasprintf("%s/%s.lock", repo_common_dir(repo), ref);
	const struct timespec moment = { .tv_nsec = 10 * NS_PER_MS };
	int64_t until = clock_mono() + PATIENCE;
	struct stat first, now;

	if (lstat(path, &first) < 0)
		return true;
	while (clock_mono() < until) {
		nanosleep(&moment, NULL);
		if (lstat(path, &now) < 0 || now.st_ino != first.st_ino)
			return true;
	}
	return false;
}

int ledger_unlock(struct repo *repo, const struct events *journal_lines, struct err *err)
{
	const char *refs = left_locked(journal_lines);
	bool shared = refs && others_run(repo, refs);

	while (refs && *refs) {
		size_t len = strcspn(refs, ",");
		AUTOFREE char *name = xstrndup(refs, len);

		refs += len + (refs[len] == ',');
		if (!*name || (shared && !strcmp(name, note_ref(repo)) && goes_away(repo, name)))
			continue;
		if (ref_unlock_stale(repo, name, err) < 0)
			return err_wrap(err, "cannot remove the lock that a dead owner left on '%s'", name);
	}
	return 0;
}
