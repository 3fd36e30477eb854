/* Two backends, one answer: the same tree is the same directory, the same edits are the same change, whatever they are. */
#include "run_room.h"

#include <fcntl.h>

#include "base/mem.h"
#include "base/path.h"
#include "run/task.h"

/* git mv of a directory is left out: rename(2) of one that is in a lower layer fails (EXDEV), which mv knows to help itself with and git does not. */
/* In the suite, which is run often; HARNESS_SCRIPTS=2000 HARNESS_SEED=<n> for other and longer series. */
#ifdef __SANITIZE_ADDRESS__
#define SCRIPTS 100
#else
#define SCRIPTS 400
#endif

enum { WORKTREE, OVERLAY, BACKENDS };
static const char *const names[BACKENDS] = { "worktree", "overlay" };

static bool overlay_works(void)
{
	struct bed b = { 0 };
	struct pool_spec spec = { .campaign = "probe", .include = &b.include };
	struct err err = { 0 };
	bool ret;

	sh("git init -q . && git commit -q --allow-empty -m x && git config harness.backend overlay");
	OK(repo_open(".", &b.repo, &err));
	spec.checkout = repo_work_dir(b.repo);
	ret = pool_open(b.repo, &spec, &b.pool, &err) >= 0;
	if (!ret && getenv("HARNESS_MUST_WORK"))
		fail_msg("%s", err.msg);
	if (!ret)
		print_message("no overlay here: %s\n", err.msg);
	bed_close(&b);
	sh("rm -rf .git");
	return ret;
}

/* Of one repository, one pool a backend. */
static void beds_open(struct bed *b, const struct strs *include)
{
	for (int i = 0; i < BACKENDS; i++) {
		struct pool_spec spec = { .campaign = names[i], .include = &b[i].include };
		struct err err = { 0 };

		unsetenv("XDG_CACHE_HOME");
		sh("git config harness.backend %s", names[i]);
		OK(repo_open(".", &b[i].repo, &err));
		for (size_t k = 0; include && k < include->n; k++)
			strs_add(&b[i].include, include->v[k]);
		spec.checkout = repo_work_dir(b[i].repo);
		OK(pool_open(b[i].repo, &spec, &b[i].pool, &err));
		assert_string_equal(pool_backend(b[i].pool), names[i]);
	}
}

static char *run_in(struct workspace *ws, const char *script)
{
	struct strs env = { 0 };
	struct task_end end;
	struct err err = { 0 };
	STR log = STR_INIT;
	struct task_spec spec = { .command = script, .dir = workspace_dir(ws), .enclosure = workspace_enclosure(ws), .env = &env,
				  .output = -1 };

	task_env(&(const struct strs){ 0 }, workspace_tmp(ws), &env);
	strs_add(&env, "GIT_CONFIG_GLOBAL=/dev/null");
	strs_add(&env, "GIT_AUTHOR_DATE=1700000000 +0000");
	strs_add(&env, "GIT_COMMITTER_DATE=1700000000 +0000");
	OK(task_run(&spec, &end, &log, &err));
	strs_free(&env);
	return str_detach(&log);
}

/* Everything in it but git's own: names, types, modes, targets, bytes. */
static const char listing[] =
	"LC_ALL=C; export LC_ALL; find . -name .git -prune -o -printf '%p %y %m %l\\n' | sort; "
	"find . -name .git -prune -o -type f -readable -exec cksum {} + | sort -k3";

static bool want(void *data, const char *path)
{
	(void)data;
	return !strcmp(path, "src") || starts_with(path, "src/") || starts_with(path, "dir") || ends_with(path, ".py");
}

static char *harvested(struct bed *b, struct workspace *ws, const struct oid *tree, struct oid *ret_tree)
{
	CLEANUP(harvest_free) struct harvest h = { 0 };
	CLEANUP(tree_changes_free) struct tree_changes changes = { 0 };
	AUTOFREE char *touched = NULL;
	struct rules *rules;
	struct err err = { 0 };
	STR text = STR_INIT;

	OK(rules_open(b->repo, tree, &rules, &err));
	OK(workspace_touched(ws, &touched, &err));
	OK(workspace_harvest(ws, rules, want, NULL, &h, &err));
	rules_free(rules);
	str_printf(&text, "touched %s\n", touched ? touched : "nothing");
	for (size_t i = 0; i < h.n; i++) {
		struct found *f = &h.v[i];
		struct tree_entry new = { f->new_mode, f->blob };

		str_printf(&text, "%s %o %o %s %lld%s%s\n", f->path, f->old.mode, f->new_mode, oid_hex(&f->blob).s,
			   S_ISREG(f->new_mode) ? (long long)f->size : 0, f->special ? " special" : "", f->refused_attr ? " attr" : "");
		if (!f->special && f->new_mode != 0160000)
			tree_changes_add(&changes, f->path, &f->old, &new);
	}
	for (size_t i = 0; i < h.dropped.n; i++)
		str_printf(&text, "dropped %s\n", h.dropped.v[i]);
	str_printf(&text, "%d dropped, over %s\n", (int)h.n_dropped, h.over ? h.over : "nothing");
	tree_changes_sort(&changes);
	if (ret_tree)
		OK(tree_update(b->repo, tree, &changes, ret_tree, &err));
	return str_detach(&text);
}

/* ---- random edits ---- */

static uint32_t seed;

static unsigned pick(unsigned n)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % n;
}

static const char *path(void)
{
	static const char *const all[] = {
		"a", "src/a.c", "src/b.c", "src/deep/c.c", "src/deep/d/e", "frozen/eval.sh", "frozen/link", "dir/x", "dir/y", "'odd name'",
		"src", "src/deep", "frozen", "dir", "src/deep/d", "new", "src/new", "src/new/n", "dir/z", "src/deep/new.py", "t.py",
		"made.o", "src/made.o", "ignored", "ignored/x", "dir/link", "src/to-dir", "src/a.c/in", "dir/x/in", "gone", "many/1", "many",
	};

	return all[pick(ARRAY_SIZE(all))];
}

/* with_git: also what git does by its index. */
static void add_edit(struct str *s, bool with_git)
{
	const char *p = path(), *q = path();

	switch (pick(with_git ? 30 : 25)) {
	case 0: case 1: case 2: case 3: str_printf(s, "echo %u >%s", pick(5), p); break;
	case 4: case 5: str_printf(s, "mkdir -p \"$(dirname %s)\" && echo %u >%s", p, pick(3), p); break;
	case 6: case 7: str_printf(s, "rm -rf %s", p); break;
	case 8: case 9: str_printf(s, "mv %s %s", p, q); break;
	case 10: str_printf(s, "test -d %s || chmod +x %s", p, p); break;
	case 11: str_printf(s, "test -d %s || chmod -x %s", p, p); break;
	case 12:	/* no change to git, but one that its checkout undoes or not */
		str_printf(s, "%s || test -d %s || chmod 600 %s", with_git ? "true" : "false", p, p);
		break;
	case 13: str_printf(s, "ln -sfn ../%s %s", q, p); break;
	case 14: str_printf(s, "ln -f %s %s", p, q); break;
	case 15: str_printf(s, "touch %s", p); break;
	case 16: str_printf(s, "mkdir -p %s", p); break;
	case 17: str_printf(s, "rm -rf %s; mkdir %s; echo %u >%s/in", p, p, pick(3), p); break;
	case 18: str_printf(s, "rm -rf %s; echo %u >%s", p, pick(3), p); break;
	case 19: str_printf(s, "cp -a %s keep && rm -rf %s && mv keep %s", p, p, p); break;
	case 20: str_printf(s, "mv %s away && mkdir %s && mv away/* %s/; rm -rf away", p, p, p); break;
	case 21: str_printf(s, "git init -q %s", p); break;
	case 22: str_printf(s, "mkfifo %s", p); break;
	case 23: str_printf(s, "test -d %s || cp -a %s %s", p, p, q); break;	/* a directory into itself: by chance */
	case 24: str_printf(s, "printf x >>%s", p); break;
	case 25: str_puts(s, "git -c user.name=x -c user.email=x@y stash -q"); break;
	case 26: str_printf(s, "git rm -rqf --ignore-unmatch %s", p); break;
	case 27: str_printf(s, "test -d %s || git mv -f %s %s", p, p, q); break;
	case 28: str_puts(s, "git checkout -q -f HEAD -- ."); break;
	default: str_puts(s, "git add -A; git -c user.name=x -c user.email=x@y commit -qm x"); break;
	}
	str_puts(s, " 2>/dev/null\n");
}

/* Closed ones last: whether that stops the next edit depends on who one is. */
static void a_script(struct str *s, bool with_git)
{
	unsigned n = 1 + pick(7);

	str_puts(s, "exec >/dev/null 2>&1\n");
	while (n--)
		add_edit(s, with_git);
	if (!pick(3))
		str_printf(s, "chmod %s %s\n", pick(3) ? "000" : "500", pick(8) ? path() : ".");
}

static void a_tree(void)
{
	sh("git init -q . && mkdir -p src/deep/d frozen dir many && echo 1 >a && echo 1 >src/a.c && echo 2 >src/b.c && echo 2 >src/deep/c.c &&"
	   "echo 3 >src/deep/d/e && echo f >frozen/eval.sh && chmod +x frozen/eval.sh && ln -s ../src/a.c frozen/link && echo 4 >dir/x &&"
	   "echo 5 >dir/y && ln -s x dir/link && ln -s deep src/to-dir && echo odd >'odd name' && seq 40 | while read i; do echo $i >many/$i; done;"
	   "printf '*.o\nignored/\n' >.gitignore && git add -A && git commit -qm one");
}

static void compare(char *const got[BACKENDS], const char *what, const char *script)
{
	AUTOFREE char *diff = NULL;
	struct err err = { 0 };

	if (!strcmp(got[WORKTREE], got[OVERLAY]))
		return;
	for (int i = 0; i < BACKENDS; i++) {
		AUTOFREE char *file = path_join(getenv("HOME"), names[i]);

		OK(io_replace(file, got[i], strlen(got[i]), 0644, 0, &err));
	}
	diff = out("cd && diff -U0 %s %s | head -n 20; true", names[WORKTREE], names[OVERLAY]);
	fail_msg("%s differ after\n%s\n%s", what, script, diff);
}

static void random_edits_are_the_same(void **state)
{
	const char *many = getenv("HARNESS_SCRIPTS"), *start = getenv("HARNESS_SEED");
	int n = many ? atoi(many) : SCRIPTS;
	struct bed b[BACKENDS] = { { 0 } };
	struct oid commit, base, tree;

	(void)state;
	if (!overlay_works())
		skip();
	a_tree();
	beds_open(b, NULL);
	commit = id_of("HEAD");
	base = tree = id_of("HEAD^{tree}");
	seed = start ? (uint32_t)atoi(start) : 1;
	for (int i = 0; i < n; i++) {
		char *before[BACKENDS], *after[BACKENDS], *found[BACKENDS];
		struct oid made[BACKENDS];
		STR script = STR_INIT;

		a_script(&script, true);
		for (int k = 0; k < BACKENDS; k++) {
			struct workspace *ws;
			struct err err = { 0 };

			OK(workspace_open(b[k].pool, &commit, &tree, &ws, &err));
			before[k] = i % 4 ? xstrdup("") : run_in(ws, listing);
			free(run_in(ws, script.buf));
			after[k] = i % 4 || strstr(script.buf, "\nchmod ") ? xstrdup("") : run_in(ws, listing);
			found[k] = harvested(&b[k], ws, &tree, &made[k]);
			workspace_release(ws);
		}
		compare(before, "fresh workspaces", script.buf);
		compare(after, "edited workspaces", script.buf);
		compare(found, "harvests", script.buf);
		assert_true(oid_eq(&made[WORKTREE], &made[OVERLAY]));
		/* The next one begins with what this one made, until little is left. */
		tree = i % 16 == 15 ? base : made[WORKTREE];
		for (int k = 0; k < BACKENDS; k++) {
			free(before[k]);
			free(after[k]);
			free(found[k]);
		}
	}
	for (int k = 0; k < BACKENDS; k++)
		bed_close(&b[k]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROOM_TEST(random_edits_are_the_same),
	};

	return cmocka_run_group_tests_name("run/backends", tests, NULL, NULL);
}
