/* Finding and opening repositories, settings, identity, objects; compared with what git itself says. */
#include "git_room.h"

#include <dlfcn.h>

#include "git/cli.h"

static struct err err;

static void repo_at(const char *start, struct repo **ret)
{
	repo_free(*ret);
	*ret = NULL;
	OK(repo_open(start, ret, &err));
}

static void close_repo(struct repo **repo)
{
	repo_free(*repo);
}
#define REPO CLEANUP(close_repo) struct repo

static void agrees(const struct repo *repo)
{
	same(repo_git_dir(repo), "git rev-parse --path-format=absolute --git-dir");
	same(repo_common_dir(repo), "git rev-parse --path-format=absolute --git-common-dir");
	same(repo_prefix(repo), "git rev-parse --show-prefix");
	if (repo_work_dir(repo))
		same(repo_work_dir(repo), "git rev-parse --show-toplevel");
}

static void places(void **state)
{
	REPO *repo = NULL;

	(void)state;
	sh("git init -q a && cd a && mkdir -p sub/deep && git commit -q --allow-empty -m one && git worktree add -q ../b 2>&1");
	assert_int_equal(chdir("a/sub/deep"), 0);
	repo_at(NULL, &repo);
	agrees(repo);
	assert_string_equal(repo_prefix(repo), "sub/deep/");
	assert_int_equal(chdir("../../../b"), 0);
	repo_at(NULL, &repo);
	agrees(repo);
	assert_string_not_equal(repo_git_dir(repo), repo_common_dir(repo));
	assert_int_equal(chdir("../a/.git"), 0);
	repo_at(NULL, &repo);
	assert_string_equal(repo_prefix(repo), "");
	sh("git init -q --bare ../../c.git && ln -s a/sub ../../link");
	assert_int_equal(chdir("../../link"), 0);
	repo_at(NULL, &repo);
	agrees(repo);
	assert_int_equal(chdir("../../c.git"), 0);
	repo_at(NULL, &repo);
	agrees(repo);
	assert_null(repo_work_dir(repo));
}

static void submodule(void **state)
{
	REPO *repo = NULL;

	(void)state;
	sh("git init -q lib && git -C lib commit -q --allow-empty -m l && git init -q top &&"
	   "git -C top -c protocol.file.allow=always submodule --quiet add ../lib lib");
	assert_int_equal(chdir("top/lib"), 0);
	repo_at(NULL, &repo);
	agrees(repo);
	assert_true(ends_with(repo_git_dir(repo), "/top/.git/modules/lib"));
}

static void environment(void **state)
{
	REPO *repo = NULL;

	(void)state;
	sh("git init -q a && git init -q b && mkdir w");
	assert_int_equal(chdir("a"), 0);
	setenv("GIT_DIR", "../b/.git", 1);
	repo_at(NULL, &repo);
	agrees(repo);
	assert_true(ends_with(repo_git_dir(repo), "/b/.git"));
	assert_true(ends_with(repo_work_dir(repo), "/a"));
	setenv("GIT_WORK_TREE", "../w", 1);
	repo_at(NULL, &repo);
	same(repo_work_dir(repo), "git rev-parse --show-toplevel");
	repo_at(".", &repo);		/* a recorded path is not led astray */
	assert_true(ends_with(repo_git_dir(repo), "/a/.git"));
	unsetenv("GIT_DIR");
	unsetenv("GIT_WORK_TREE");
	setenv("GIT_CEILING_DIRECTORIES", room_dir, 1);
	sh("mkdir -p ../none");
	assert_int_equal(chdir("../none"), 0);
	assert_int_equal(repo_open(NULL, &repo, &err), ERR_GIT);
	unsetenv("GIT_CEILING_DIRECTORIES");
	assert_int_equal(repo_open(NULL, &repo, &err), ERR_GIT);
	assert_non_null(strstr(err.msg, "not a git repository"));
}

/* A pre-receive hook sees what was pushed before it is anywhere else. */
static void quarantine(void **state)
{
	REPO *repo = NULL;
	struct oid id;

	(void)state;
	sh("git init -q --bare a.git && mkdir -p a.git/objects/incoming");
	assert_int_equal(chdir("a.git"), 0);
	AUTOFREE char *hex = out("echo pushed | GIT_OBJECT_DIRECTORY=objects/incoming git hash-object -w --stdin");
	assert_true(oid_parse(hex, &id));
	setenv("GIT_DIR", ".", 1);
	setenv("GIT_OBJECT_DIRECTORY", "objects/incoming", 1);
	setenv("GIT_ALTERNATE_OBJECT_DIRECTORIES", "objects", 1);
	repo_at(NULL, &repo);
	assert_true(repo_has(repo, &id));
	unsetenv("GIT_DIR");
	repo_at(".", &repo);
	assert_false(repo_has(repo, &id));
	unsetenv("GIT_OBJECT_DIRECTORY");
	unsetenv("GIT_ALTERNATE_OBJECT_DIRECTORIES");
}

static void extensions(void **state)
{
	REPO *repo = NULL;

	(void)state;
	sh("git init -q a && git -C a config core.repositoryFormatVersion 1 && cd a && git config extensions.worktreeConfig true &&"
	   "git config extensions.preciousObjects true && git config --worktree harness.place here");
	repo_at("a", &repo);
	assert_string_equal(repo_setting(repo, "harness.place"), "here");
	sh("git init -q w && git -C w config core.repositoryFormatVersion 1 && git -C w config extensions.relativeWorktrees true");
	repo_at("w", &repo);		/* an older git says no, and says so itself */
	sh("git -C a config extensions.frobnicate 1");
	assert_int_equal(repo_open("a", &repo, &err), ERR_GIT);
	assert_non_null(strstr(err.msg, "'frobnicate'"));
	sh("git init -q --object-format=sha256 s 2>&1");
	assert_int_equal(repo_open("s", &repo, &err), ERR_GIT);
	assert_non_null(strstr(err.msg, "SHA-256"));
	sh("git init -q r && cd r && git config core.repositoryFormatVersion 1 && git config extensions.refStorage reftable");
	assert_int_equal(repo_open("r", &repo, &err), ERR_GIT);
	assert_non_null(strstr(err.msg, "refStorage"));
	assert_null(strchr(err.msg, '\n'));
}

static void bare_by_worktree_config(void **state)
{
	REPO *repo = NULL;

	(void)state;
	sh("git init -q --bare m.git && cd m.git && git config core.repositoryFormatVersion 1 &&"
	   "git config extensions.worktreeConfig true && git config --unset core.bare && git config --worktree core.bare true");
	assert_int_equal(chdir("m.git"), 0);
	repo_at(NULL, &repo);
	assert_null(repo_work_dir(repo));
}

static void owner(void **state)
{
	REPO *repo = NULL;

	(void)state;
	if (getuid())
		return;		/* only root can give a repository away */
	sh("git init -q a && chown -R 12345 a");
	assert_int_equal(repo_open("a", &repo, &err), ERR_GIT);
	assert_non_null(strstr(err.msg, "dubious ownership"));
	sh("git config --global --add safe.directory '%s/a'", room_dir);
	repo_at("a", &repo);
	sh("git init -q b && chown -R 12345 b");
	assert_int_equal(repo_open("b", &repo, &err), ERR_GIT);
}

static void settings(void **state)
{
	REPO *repo = NULL;

	(void)state;
	sh("git init -q a && cd a && git config --global harness.one global && git config harness.one local &&"
	   "git config --add harness.one last && git config 'harness.Sub.Two' 'a\nb' && printf '[harness]\\n\\tflag\\n' >>.git/config &&"
	   "git config harness.no off && git config harness.n 3");
	assert_int_equal(chdir("a"), 0);
	setenv("GIT_CONFIG_COUNT", "1", 1);
	setenv("GIT_CONFIG_KEY_0", "harness.env", 1);
	setenv("GIT_CONFIG_VALUE_0", "x", 1);
	repo_at(NULL, &repo);
	assert_string_equal(repo_setting(repo, "harness.one"), "last");
	assert_string_equal(repo_setting(repo, "harness.Sub.two"), "a\nb");
	assert_string_equal(repo_setting(repo, "harness.env"), "x");
	assert_null(repo_setting(repo, "harness.none"));
	assert_true(repo_setting_bool(repo, "harness.flag", false));
	assert_false(repo_setting_bool(repo, "harness.no", true));
	assert_true(repo_setting_bool(repo, "harness.n", false));
	assert_true(repo_setting_bool(repo, "harness.none", true));
	repo_at(".", &repo);
	assert_null(repo_setting(repo, "harness.env"));
	unsetenv("GIT_CONFIG_COUNT");
}

static void identity(void **state)
{
	REPO *repo = NULL;
	struct ident who = { 0 };

	(void)state;
	sh("git init -q a");
	assert_int_equal(chdir("a"), 0);
	repo_at(NULL, &repo);
	OK(repo_ident(repo, &who, &err));
	assert_string_equal(who.name, "Ann");
	assert_string_equal(who.mail, "ann@example.com");
	assert_true(who.when > 1700000000);
	ident_free(&who);
	setenv("GIT_COMMITTER_NAME", "Bj\xc3\xb6rn von <x> Y", 1);
	repo_at(NULL, &repo);
	OK(repo_ident(repo, &who, &err));
	assert_string_equal(who.name, "Bj\xc3\xb6rn von x Y");
	ident_free(&who);
	unsetenv("GIT_COMMITTER_NAME");
	sh("git config --global --unset user.name && git config --global --unset user.email && git config --global user.useConfigOnly true");
	repo_at(NULL, &repo);
	assert_int_equal(repo_ident(repo, &who, &err), ERR_NOT_FOUND);
	assert_non_null(strstr(err.msg, "hint: git config --global user.email"));
}

static void history(void **state)
{
	REPO *repo = NULL;
	struct oid a, b, c, id;
	char *branch = NULL;
	bool yes;

	(void)state;
	sh("git init -q a");
	assert_int_equal(chdir("a"), 0);
	repo_at(".", &repo);
	OK(repo_head(repo, &branch, &id, &err));
	assert_string_equal(branch, "refs/heads/main");
	assert_true(oid_is_zero(&id));
	free(branch);
	sh("git commit -q --allow-empty -m a && git checkout -q -b x && git commit -q --allow-empty -m b && git tag -a -m t t &&"
	   "git checkout -q main && git commit -q --allow-empty -m c && git checkout -q --orphan o && git commit -q --allow-empty -m o &&"
	   "git checkout -q --detach main");
	a = id_of("main~1");
	b = id_of("x");
	c = id_of("main");
	OK(repo_head(repo, &branch, &id, &err));
	assert_null(branch);
	assert_true(oid_eq(&id, &c));
	OK(repo_resolve(repo, "t", &id, &err));
	assert_true(oid_eq(&id, &b));
	OK(repo_resolve(repo, oid_hex(&c).s, &id, &err));
	assert_int_equal(repo_resolve(repo, "--all", &id, &err), ERR_NOT_FOUND);
	assert_int_equal(repo_resolve(repo, "main:", &id, &err), ERR_NOT_FOUND);
	assert_int_equal(repo_resolve(repo, "", &id, &err), ERR_NOT_FOUND);
	OK(repo_merge_base(repo, &b, &c, &id, &err));
	assert_true(oid_eq(&id, &a));
	id = id_of("o");
	assert_int_equal(repo_merge_base(repo, &b, &id, &id, &err), ERR_NOT_FOUND);
	OK(repo_descends(repo, &b, &a, &yes, &err));
	assert_true(yes);
	OK(repo_descends(repo, &b, &b, &yes, &err));
	assert_true(yes);
	OK(repo_descends(repo, &b, &c, &yes, &err));
	assert_false(yes);
}

static void checked_out(void **state)
{
	REPO *repo = NULL;
	AUTOFREE char *path = NULL;

	(void)state;
	sh("git init -q a && cd a && git commit -q --allow-empty -m a && git branch x && git branch y && git worktree add -q ../wt x &&"
	   "git worktree add -q --detach ../loose");
	repo_at("loose", &repo);
	OK(repo_checked_out(repo, "refs/heads/main", &path, &err));
	same(path, "git -C a rev-parse --show-toplevel");
	free(path);
	OK(repo_checked_out(repo, "refs/heads/x", &path, &err));
	same(path, "git -C wt rev-parse --show-toplevel");
	free(path);
	OK(repo_checked_out(repo, "refs/heads/y", &path, &err));
	assert_null(path);
	sh("rm -rf wt");
	OK(repo_checked_out(repo, "refs/heads/x", &path, &err));
	assert_null(path);
	sh("git clone -q --bare a b.git");
	repo_at("b.git", &repo);
	OK(repo_checked_out(repo, "refs/heads/main", &path, &err));
	assert_null(path);
}

static void objects(void **state)
{
	REPO *repo = NULL;
	STR text = STR_INIT;
	struct oid id, hash;
	int64_t size;

	(void)state;
	sh("git init -q a && git -C a config core.autocrlf true");
	repo_at("a", &repo);
	OK(repo_write_blob(repo, "a\r\n\0b", 5, &id, &err));
	repo_hash_blob("a\r\n\0b", 5, &hash);
	assert_true(oid_eq(&id, &hash));
	same(oid_hex(&id).s, "printf 'a\\r\\n\\0b' | git -C a hash-object --stdin");
	assert_true(repo_has(repo, &id));
	OK(repo_blob_size(repo, &id, &size, &err));
	assert_int_equal(size, 5);
	OK(repo_read_blob(repo, &id, 5, &text, &err));
	assert_memory_equal(text.buf, "a\r\n\0b", 5);
	assert_int_equal(repo_read_blob(repo, &id, 4, &text, &err), ERR_LIMIT);
	OK(repo_write_blob(repo, NULL, 0, &id, &err));
	assert_string_equal(oid_hex(&id).s, "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391");
	hash.raw[3] ^= 1;
	assert_int_equal(repo_blob_size(repo, &hash, &size, &err), ERR_NOT_FOUND);
	assert_false(repo_has(repo, &hash));
	OK(repo_flush(repo, &err));
	sh("git -C a gc -q --prune=never && git -C a fsck --strict");
	assert_true(repo_has(repo, &id));
}

static void programs(void **state)
{
	const char *const big[] = { "hash-object", "--stdin", NULL }, *const bad[] = { "cat-file", "-t", "nonsense", NULL };
	const char *const show[] = { "config", "--get", "user.name", NULL }, *const missing[] = { "config", "no.such", NULL };
	STR in = STR_INIT;
	STR text = STR_INIT;
	int status = 0;

	(void)state;
	for (int i = 0; i < 300000; i++)
		str_puts(&in, "0123456789");
	OK(git_cli(&(struct git_run){ .in = in.buf, .in_len = in.len }, big, &text, &err));
	assert_int_equal(text.len, 41);
	str_clear(&text);
	setenv("GIT_CONFIG_COUNT", "1", 1);
	setenv("GIT_CONFIG_KEY_0", "user.name", 1);
	setenv("GIT_CONFIG_VALUE_0", "Eve", 1);
	OK(git_cli(&(struct git_run){ 0 }, show, &text, &err));
	assert_string_equal(text.buf, "Ann\n");
	unsetenv("GIT_CONFIG_COUNT");
	sh("git init -q a");
	assert_int_equal(git_cli(&(struct git_run){ .dir = "a" }, bad, NULL, &err), ERR_GIT);
	assert_string_equal(err.msg, "git cat-file: Not a valid object name nonsense");
	OK(git_cli(&(struct git_run){ .ret_exit = &status }, missing, NULL, &err));
	assert_int_equal(status, 1);
	assert_int_equal(git_cli(&(struct git_run){ .dir = "nowhere" }, show, NULL, &err), ERR_IO);
}

/* Hostile configuration of the repository itself: opening and reading runs none of it. */
static void nothing_runs(void **state)
{
	REPO *repo = NULL;
	AUTOFREE char *path = NULL;
	struct ident who = { 0 };
	struct oid id;

	(void)state;
	sh("git init -q a && cd a && git commit -q --allow-empty -m a &&"
	   "for k in core.fsmonitor core.pager core.editor core.sshCommand core.askPass diff.external gpg.program alias.config alias.rev-parse;"
	   "do git config $k \"touch '%s/ran'; false\"; done", room_dir);
	repo_at("a", &repo);
	assert_non_null(repo_setting(repo, "core.pager"));
	OK(repo_ident(repo, &who, &err));
	ident_free(&who);
	OK(repo_resolve(repo, "main", &id, &err));
	OK(repo_checked_out(repo, "refs/heads/main", &path, &err));
	assert_int_equal(access("ran", F_OK), -1);
}

/* libgit2's call for certificates ends in our program, and brings none. */
static void no_certificates(void **state)
{
	void *found = dlsym(RTLD_DEFAULT, "mbedtls_x509_crt_parse_file");
	REPO *repo = NULL;

	(void)state;
	sh("git init -q a");
	repo_at("a", &repo);	/* our definition comes with core/git */
	if (!found)
		skip();		/* a libgit2 without mbedTLS: nobody asks */
	assert_int_equal(((int (*)(void *, const char *))(uintptr_t)found)(NULL, "/etc/ssl/certs/ca-certificates.crt"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROOM_TEST(places), ROOM_TEST(submodule), ROOM_TEST(environment), ROOM_TEST(quarantine), ROOM_TEST(extensions),
		ROOM_TEST(bare_by_worktree_config), ROOM_TEST(owner), ROOM_TEST(settings), ROOM_TEST(identity),
		ROOM_TEST(history), ROOM_TEST(checked_out), ROOM_TEST(objects), ROOM_TEST(programs), ROOM_TEST(nothing_runs),
		ROOM_TEST(no_certificates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
