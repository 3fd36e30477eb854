#include "git/ref.h"

#include <errno.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "git/internal.h"
#include "git/note.h"

#define LOCK_WAIT (10 * NS_PER_S)	/* eight writers on a busy machine wait for each other that long */

/* One locked ref. A libgit2 transaction over several commits them in the order of their hashes, so each has its own. */
struct locked {
	char *name;
	git_transaction *tx;
	struct oid old;
	bool set;
};

struct ref_plan {
	struct repo *repo;
	struct locked *v;
	size_t n, alloc;
};

static bool permitted(struct repo *repo, const char *name)
{
	int valid = 0;

	if (git_reference_name_is_valid(&valid, name) < 0 || !valid)
		return false;
	return starts_with(name, "refs/heads/harness/") || starts_with(name, "refs/harness/") || !strcmp(name, note_ref(repo));
}

static char *file_of(struct repo *repo, const char *name)
{
	return xasprintf("%s/%s", repo->common_dir, name);
}

/* The ref's own value. Symbolic refs, as git writes them or as links in the file system, are never written through. */
static int read_own(struct repo *repo, const char *name, struct oid *ret, struct err *err)
{
	AUTOFREE char *file = file_of(repo, name);
	git_reference *ref = NULL;
	struct stat st;
	int rc = git_reference_lookup(&ref, repo->git, name);

	*ret = (struct oid){ 0 };
	if ((!rc && git_reference_type(ref) != GIT_REFERENCE_DIRECT) || (!lstat(file, &st) && S_ISLNK(st.st_mode)))
		err_set(err, ERR_REFUSED, "'%s' is a symbolic ref, which git harness does not write", name);
	else if (rc == GIT_ENOTFOUND)
		err->code = 0;
	else if (rc < 0)
		lib_fail(err, rc, "cannot read '%s'", name);
	else
		err->code = 0;
	if (!rc && !err->code)
		*ret = from_git(git_reference_target(ref));
	git_reference_free(ref);
	git_error_clear();
	return err->code;
}

int ref_read(struct repo *repo, const char *name, struct oid *ret, struct err *err)
{
	git_oid oid;
	int rc = git_reference_name_to_id(&oid, repo->git, name);

	if (rc < 0 && rc != GIT_ENOTFOUND)
		return lib_fail(err, rc, "cannot read '%s'", name);
	git_error_clear();
	*ret = (struct oid){ { 0 } };
	if (!rc)
		*ret = from_git(&oid);
	return 0;
}

int ref_list(struct repo *repo, const char *prefix, struct strs *ret, struct err *err)
{
	AUTOFREE char *glob = xasprintf("%s*", prefix);
	git_reference_iterator *it = NULL;
	const char *name;
	int rc = git_reference_iterator_glob_new(&it, repo->git, glob);

	while (!rc && (rc = git_reference_next_name(&name, it)) == 0)
		if (starts_with(name, prefix))
			strs_add(ret, name);
	git_reference_iterator_free(it);
	if (rc != GIT_ITEROVER)
		return lib_fail(err, rc, "cannot list the refs below '%s'", prefix);
	git_error_clear();
	strs_sort(ret);
	return 0;
}

/* "a/b" cannot be beside "a" or "a/b/c"; libgit2's transactions see that for loose refs only. */
static int check_place(struct repo *repo, const char *name, struct err *err)
{
	CLEANUP(strs_free) struct strs below = { 0 };
	AUTOFREE char *dir = xasprintf("%s/", name);
	AUTOFREE char *parent = xstrdup(name);
	struct oid there;

	for (char *slash = strrchr(parent, '/'); slash && slash - parent > 4; slash = strrchr(parent, '/')) {
		*slash = '\0';
		if (ref_read(repo, parent, &there, err) < 0)
			return err->code;
		if (oid_is_zero(&there))
			continue;
		err_set(err, ERR_EXISTS, "'%s' cannot be made while there is a ref '%s'", name, parent);
		if (starts_with(parent, "refs/heads/"))
			err_hint(err, "git branch -m %s %s-old", parent + 11, parent + 11);
		return err->code;
	}
	if (ref_list(repo, dir, &below, err) < 0)
		return err->code;
	return below.n ? err_set(err, ERR_EXISTS, "'%s' cannot be made while there is a ref '%s'", name, below.v[0]) : 0;
}

static void unlock(struct locked *l)
{
	git_transaction_free(l->tx);
	free(l->name);
	*l = (struct locked){ 0 };
}

/* Somebody else's lock is a matter of milliseconds (of seconds, where the disk is busy), or of a dead process. */
static int lock(struct repo *repo, git_transaction *tx, const char *name, struct err *err)
{
	int64_t end = clock_mono() + LOCK_WAIT;
	struct timespec pause = { .tv_nsec = NS_PER_MS / 2 };
	int rc;

	while ((rc = git_transaction_lock_ref(tx, name)) == GIT_ELOCKED && clock_mono() < end) {
		nanosleep(&pause, NULL);
		pause.tv_nsec = pause.tv_nsec * 3 / 2 + (long)(clock_mono() % NS_PER_MS);	/* not in step with the others */
		if (pause.tv_nsec > 20 * NS_PER_MS)
			pause.tv_nsec = 20 * NS_PER_MS;
	}
	if (!rc)
		return 0;
	if (rc != GIT_ELOCKED)
		return lib_fail(err, rc, "cannot lock '%s'", name);
	git_error_clear();
	err_set(err, ERR_LOCKED, "'%s' is locked by '%s/%s.lock'", name, repo->common_dir, name);
	return err_hint(err, "if no git is running in this repository, remove that file");
}

/* Under the lock: what may be written here, and the value that counts. */
static int lock_read(struct repo *repo, struct locked *l, struct err *err)
{
	int rc = git_transaction_new(&l->tx, repo->git);

	if (rc < 0)
		return lib_fail(err, rc, "cannot lock '%s'", l->name);
	/* a link must not be followed to its lock either */
	if (read_own(repo, l->name, &l->old, err) < 0)
		return err->code;
	if (oid_is_zero(&l->old) && check_place(repo, l->name, err) < 0)
		return err->code;
	if (lock(repo, l->tx, l->name, err) < 0)
		return err->code;
	if (read_own(repo, l->name, &l->old, err) < 0)
		return err->code;
	return oid_is_zero(&l->old) ? check_place(repo, l->name, err) : 0;
}

struct ref_plan *ref_plan_new(struct repo *repo)
{
	struct ref_plan *plan = xcalloc(1, sizeof(*plan));

	plan->repo = repo;
	return plan;
}

int ref_plan_lock(struct ref_plan *plan, const char *name, struct err *err)
{
	struct locked l = { 0 };

	if (!permitted(plan->repo, name))
		return err_set(err, ERR_BUG, "'%s' is no ref of git harness", name);
	l.name = xstrdup(name);
	if (lock_read(plan->repo, &l, err) < 0) {
		unlock(&l);
		return err->code;
	}
	GROW(plan->v, plan->n, plan->alloc);
	plan->v[plan->n++] = l;
	return 0;
}

static struct locked *find(const struct ref_plan *plan, const char *name)
{
	for (size_t i = 0; i < plan->n; i++)
		if (!strcmp(plan->v[i].name, name))
			return &plan->v[i];
	return NULL;
}

const struct oid *ref_plan_old(const struct ref_plan *plan, const char *name)
{
	const struct locked *l = find(plan, name);

	return l ? &l->old : NULL;
}

/* Who and when, for the reflog. Without an identity git would refuse; a ref of ours moves all the same, as "git harness". */
static int signature(struct repo *repo, git_signature **ret, struct err *err)
{
	CLEANUP(ident_free) struct ident who = { 0 };
	int rc;

	if (repo_ident(repo, &who, err) < 0)
		who = (struct ident){ .name = xstrdup("git harness"), .mail = xstrdup("unknown"), .when = clock_wall() / NS_PER_S };
	rc = git_signature_new(ret, who.name, who.mail, who.when, who.offset);
	return rc < 0 ? lib_fail(err, rc, "cannot write a reflog as '%s'", who.name) : 0;
}

/* libgit2 knows core.logAllRefUpdates from the repository's own file only; "always" may stand in the user's. */
static void keep_log(struct repo *repo, const char *name)
{
	const char *value = repo_setting(repo, "core.logallrefupdates");

	if (value && !strcasecmp(value, "always") && git_reference_ensure_log(repo->git, name) < 0)
		git_error_clear();
}

int ref_plan_set(struct ref_plan *plan, const char *name, const struct oid *new, const char *reflog, struct err *err)
{
	struct locked *l = find(plan, name);
	const git_oid target = to_git(new);
	git_signature *who = NULL;
	int rc;

	if (!l || oid_is_zero(new))
		return err_set(err, ERR_BUG, "'%s' is %s", name, l ? "given no value" : "not locked");
	if (!repo_has(plan->repo, new))
		return err_set(err, ERR_NOT_FOUND, "no object %s for '%s'", oid_hex(new).s, name);
	if (signature(plan->repo, &who, err) < 0)
		return err->code;
	keep_log(plan->repo, name);
	rc = git_transaction_set_target(l->tx, name, &target, who, reflog);
	git_signature_free(who);
	if (rc < 0)
		return lib_fail(err, rc, "cannot set '%s'", name);
	l->set = true;
	return 0;
}

int ref_plan_commit(struct ref_plan *plan, void (*before)(void *data, const char *name), void *data, struct err *err)
{
	for (size_t i = 0; i < plan->n; i++) {
		struct locked *l = &plan->v[i];
		int rc;

		if (!l->set)
			continue;
		if (before)
			before(data, l->name);
		rc = git_transaction_commit(l->tx);
		if (rc < 0)
			return lib_fail(err, rc, "cannot move '%s'", l->name);
		l->set = false;
	}
	return 0;
}

void ref_plan_free(struct ref_plan *plan)
{
	if (!plan)
		return;
	for (size_t i = 0; i < plan->n; i++)
		unlock(&plan->v[i]);
	free(plan->v);
	free(plan);
}

static void plan_drop(struct ref_plan **plan)
{
	ref_plan_free(*plan);
}

static int expect(const char *name, const struct oid *old, const struct oid *now, struct err *err)
{
	if (oid_eq(old, now))
		return 0;
	if (oid_is_zero(old))
		return err_set(err, ERR_CONFLICT, "'%s' exists already, at %s", name, oid_hex(now).s);
	if (oid_is_zero(now))
		return err_set(err, ERR_CONFLICT, "'%s' is gone; it was to be at %s", name, oid_hex(old).s);
	return err_set(err, ERR_CONFLICT, "'%s' is at %s, not at %s", name, oid_hex(now).s, oid_hex(old).s);
}

int ref_update(struct repo *repo, const char *name, const struct oid *old, const struct oid *new, const char *reflog,
	       struct err *err)
{
	CLEANUP(plan_drop) struct ref_plan *plan = ref_plan_new(repo);

	if (ref_plan_lock(plan, name, err) < 0 || expect(name, old, ref_plan_old(plan, name), err) < 0 ||
	    ref_plan_set(plan, name, new, reflog, err) < 0)
		return err->code;
	return ref_plan_commit(plan, NULL, NULL, err);
}

/* packed-refs has a lock of its own, taken at the commit: when that one is held, the whole is tried again. */
int ref_delete(struct repo *repo, const char *name, const struct oid *old, struct err *err)
{
	int64_t end = clock_mono() + LOCK_WAIT;
	int rc;

	do {
		CLEANUP(plan_drop) struct ref_plan *plan = ref_plan_new(repo);

		if (ref_plan_lock(plan, name, err) < 0)
			return err->code;
		if (oid_is_zero(ref_plan_old(plan, name)))
			return err_set(err, ERR_NOT_FOUND, "no ref '%s'", name);
		if (expect(name, old, ref_plan_old(plan, name), err) < 0)
			return err->code;
		rc = git_transaction_remove(plan->v[0].tx, name);
		if (!rc)
			rc = git_transaction_commit(plan->v[0].tx);
	} while (rc == GIT_ELOCKED && clock_mono() < end && !nanosleep(&(struct timespec){ .tv_nsec = 5 * NS_PER_MS }, NULL));
	if (rc < 0)
		return lib_fail(err, rc, "cannot delete '%s'", name);
	if (git_reflog_delete(repo->git, name) < 0)
		git_error_clear();	/* a log nobody reads is no reason to fail */
	return 0;
}

int ref_unlock_stale(struct repo *repo, const char *name, struct err *err)
{
	AUTOFREE char *file = xasprintf("%s/%s.lock", repo->common_dir, name);

	if (!permitted(repo, name))
		return err_set(err, ERR_BUG, "'%s' is no ref of git harness", name);
	return unlink(file) < 0 && errno != ENOENT ? err_errno(err, "cannot remove '%s'", file) : 0;
}
