/* Workspaces hold the tree and nothing else, whatever was done to them before. */
#include "run_room.h"

#include <signal.h>
#include <sys/wait.h>

#include "run/task.h"

static void simple_repo(void)
{
	sh("git init -q . && mkdir -p src/deep frozen && echo 1 >src/a.c && echo 2 >src/deep/b.c && echo f >frozen/eval.sh &&"
	   "chmod +x frozen/eval.sh && ln -s ../src/a.c frozen/link && printf '*.o\nignored/\n' >.gitignore &&"
	   "printf '*.crlf text eol=crlf\n' >.gitattributes && printf 'x\ny\n' >t.crlf && echo ü >'grün ä.txt' &&"
	   "git add -A 2>/dev/null && git commit -qm one && git tag one &&"
	   "echo 11 >src/a.c && rm src/deep/b.c && mkdir src/deep/b.c && echo 3 >src/deep/b.c/c && rm frozen/link && echo l >frozen/link &&"
	   "chmod -x frozen/eval.sh && git add -A && git commit -qm two && git tag two");
}

static void a_workspace_is_the_tree(void **state)
{
	struct bed b = { 0 };
	struct workspace *one, *two, *again;
	AUTOFREE char *before = NULL;

	(void)state;
	simple_repo();
	before = out("cat .git/config .git/HEAD; ls -l --time-style=full-iso .git/index; git for-each-ref");
	bed_open(&b);
	assert_string_equal(pool_backend(b.pool), "worktree");
	one = ws_open(&b, "one");
	two = ws_open(&b, "two");
	assert_string_not_equal(workspace_dir(one), workspace_dir(two));
	holds_exactly(one, "one");
	holds_exactly(two, "two");
	same("x\r\ny\r", "cat '%s/t.crlf'", workspace_dir(one));
	assert_true(is_there("%s", workspace_tmp(one)) && is_there("%s", workspace_outside(one)));
	sh("touch '%s/x' '%s/y'", workspace_tmp(one), workspace_outside(one));
	workspace_release(one);
	workspace_release(two);
	again = ws_open(&b, "two");
	assert_ptr_equal(again, two);	/* the one that has it already */
	two = ws_open(&b, "two");
	assert_ptr_equal(two, one);
	holds_exactly(two, "two");
	assert_false(is_there("%s/x", workspace_tmp(two)) || is_there("%s/y", workspace_outside(two)));
	workspace_release(two);
	two = ws_open(&b, "one");
	holds_exactly(two, "one");
	bed_close(&b);
	same(before, "cat .git/config .git/HEAD; ls -l --time-style=full-iso .git/index; git for-each-ref");
	same("1", "git worktree list | wc -l");
	same("0", "ls \"$HOME/.cache/git-harness\"/*/ | grep -v lock | wc -l");
}

/* Each is run in a used workspace; the next one must not know. $O is a directory outside that must stay as it is. */
static const char *const tricks[] = {
	"echo evil >src/a.c",
	/* same size, same time */
	"printf 9 >src/a.c.new && touch -r src/a.c src/a.c.new && dd if=src/a.c.new of=src/a.c conv=notrunc 2>/dev/null && touch -r src/a.c.new src/a.c",
	"git update-index --assume-unchanged src/a.c && echo evil >src/a.c",
	"git update-index --skip-worktree src/a.c && rm src/a.c",
	"rm -rf src frozen .gitignore",
	"chmod 755 src/a.c; chmod 000 frozen src/deep; chmod 4755 frozen/eval.sh; true",
	"mkdir -p ignored/x && touch a.o ignored/x/y 'new file' src/new && mkfifo src/fifo && ln -s / src/root",
	"git init -q nested && touch nested/f && git init -q --bare src/bare.git",
	"mv src moved && ln -s moved src",
	"rm -rf src && ln -s \"$O\" src",
	"rm src/a.c && mkdir src/a.c && touch src/a.c/x && rm -r frozen && touch frozen",
	"rm src/a.c && ln -s \"$O/precious\" src/a.c",
	"ln -f \"$O/precious\" src/a.c",
	"mkdir -p d && chmod 000 d && mkdir src/d && touch src/d/x && chmod 000 src/d src . ; true",
	"git checkout -q -b mine && echo x >>src/a.c && git commit -qam evil && git stash -q -u; git tag evil",
	"git config --local core.autocrlf true; git config --local core.sparseCheckout true; mkdir -p \"$(git rev-parse --git-dir)/info\"; echo /none >\"$(git rev-parse --git-dir)/info/sparse-checkout\"",
	"touch \"$(git rev-parse --git-dir)/index.lock\" ../index.lock",
	"git merge -q --no-commit two >/dev/null 2>&1; touch \"$(git rev-parse --git-dir)/MERGE_HEAD\"; git bisect start >/dev/null",
	"echo garbage >\"$(git rev-parse --git-dir)/index\"; echo garbage >../index",
	"GIT_INDEX_FILE=../index git rm -q --cached -r . && GIT_INDEX_FILE=../index git add src",
	"rm .git && git init -q . && git config core.fsmonitor 'touch \"$O\"/fsmonitor'",
	"echo \"gitdir: $O\" >.git",
	"rm -rf \"$(git rev-parse --git-dir)\"",
	"D=$(git rev-parse --git-dir) && echo \"$O\" >\"$D/gitdir\"",
	"D=$(git rev-parse --git-dir) && echo \"$O\" >\"$D/commondir\"",
	"D=$(git rev-parse --git-dir) && rm \"$D/HEAD\" && mkfifo \"$D/HEAD\"",
	"D=$(git rev-parse --git-dir) && echo '[core] fsmonitor = touch '\"$O\"'/fsmonitor' >\"$D/config.worktree\"",
	"W=$PWD && cd .. && mv \"$W\" away && ln -s \"$O\" \"$W\"",
	"cd .. && rm -rf tmp outside && ln -s \"$O\" tmp && touch outside",
	"cd .. && rm -rf *",
	"rm -rf \"$HOME/.cache\"",
	"printf '* text eol=crlf\n' >src/.gitattributes; printf '* ident\n' >.gitattributes",
	"mkdir -p .git2 && for i in 1 2 3 4 5 6 7 8 9; do mkdir d$i && cd d$i; done",
	"command -v setfacl >/dev/null && setfacl -d -m u::rwx,g::rwx,o::rwx src; chmod 777 src; true",
};

static void no_trick_reaches_the_next_run(void **state)
{
	struct bed b = { 0 };

	(void)state;
	simple_repo();
	sh("mkdir \"$HOME/o\" && echo p >\"$HOME/o/precious\"");
	bed_open(&b);
	for (size_t i = 0; i < ARRAY_SIZE(tricks); i++) {
		struct workspace *ws = ws_open(&b, "one");
		struct workspace *next;

		try_in(workspace_dir(ws), tricks[i]);
		workspace_release(ws);
		next = ws_open(&b, i % 2 ? "one" : "two");
		sh("git config --unset core.autocrlf; git config --unset core.sparseCheckout; true");
		holds_exactly(next, i % 2 ? "one" : "two");
		same("precious p", "cd \"$HOME/o\" && echo $(ls) $(cat precious)");
		same("755 755", "cd '%s' && stat -c %%a src frozen | tr '\\n' ' ' | sed 's/ $//'", workspace_dir(next));
		workspace_release(next);
	}
	bed_close(&b);
	same("1", "git worktree list | wc -l");
}

static void what_was_touched_is_named(void **state)
{
	struct bed b = { 0 };
	struct workspace *ws;
	struct err err = { 0 };
	char *path;

	(void)state;
	simple_repo();
	bed_open(&b);
	ws = ws_open(&b, "one");
	OK(workspace_touched(ws, &path, &err));
	assert_null(path);
	sh("cd '%s' && touch src/a.c t.crlf frozen/eval.sh && touch new && cp -p src/a.c x && mv x src/a.c", workspace_dir(ws));
	OK(workspace_touched(ws, &path, &err));
	assert_null(path);
	sh("cd '%s' && mv src src2 && ln -s src2 src", workspace_dir(ws));
	OK(workspace_touched(ws, &path, &err));
	assert_string_equal(path, "src/a.c");
	free(path);
	sh("cd '%s' && rm src && mv src2 src && printf 3 | dd of=src/deep/b.c conv=notrunc 2>/dev/null", workspace_dir(ws));
	OK(workspace_touched(ws, &path, &err));
	assert_string_equal(path, "src/deep/b.c");
	free(path);
	assert_int_equal(workspace_remove(ws, "src/a.c", &err), ERR_REFUSED);
	assert_int_equal(workspace_remove(ws, "src", &err), ERR_REFUSED);
	sh("cd '%s' && mkdir out && ln -s \"$HOME\" out/home && touch out/m.json", workspace_dir(ws));
	OK(workspace_remove(ws, "out/m.json", &err));
	OK(workspace_remove(ws, "out/home/room", &err));
	OK(workspace_remove(ws, "none/such", &err));
	assert_false(is_there("%s/out/m.json", workspace_dir(ws)));
	assert_true(is_there("%s", room_dir));
	bed_close(&b);
}

static void what_a_killed_harness_left_is_taken_away(void **state)
{
	struct bed b = { 0 };
	int status, ready[2];
	char c;
	pid_t pid;

	(void)state;
	simple_repo();
	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (!pid) {
		bed_open(&b);
		ws_open(&b, "one");
		ws_open(&b, "two");
		sh("cd \"$HOME\"/.cache/git-harness/*/2 && rm -rf harness-main-2/src && touch index.lock");
		if (write(ready[1], "x", 1) == 1)
			raise(SIGKILL);
	}
	assert_int_equal(read(ready[0], &c, 1), 1);
	waitpid(pid, &status, 0);
	same("3", "git worktree list | wc -l");
	bed_open(&b);
	same("1", "git worktree list | wc -l");
	holds_exactly(ws_open(&b, "two"), "two");
	bed_close(&b);
	same("1", "git worktree list | wc -l");
}

static int never(void *data, struct task *task, const struct task_end *end, struct err *err)
{
	(void)data;
	(void)task;
	(void)end;
	(void)err;
	return 0;
}

/* A process of the killed harness that would go on writing is dead before the next one has the workspaces. */
static void the_next_harness_waits_for_dying_processes(void **state)
{
	AUTOFREE char *running = NULL;
	struct bed b = { 0 };
	int status;
	pid_t pid;

	(void)state;
	simple_repo();
	pid = fork();
	if (!pid) {
		struct task_spec spec = { .command = "trap '' TERM; echo $$ >pid.new; mv pid.new pid; while :; do :; done" };
		struct reactor *r;
		struct task *t;
		struct err err;

		bed_open(&b);
		spec.dir = room_base;
		if (reactor_new(&r, &err) < 0 || task_start(r, &spec, never, NULL, &t, &err) < 0)
			_exit(1);
		while (!is_there("%s/pid", room_base))
			usleep(1000);
		raise(SIGKILL);
	}
	waitpid(pid, &status, 0);
	assert_true(WIFSIGNALED(status));
	bed_open(&b);
	running = out("cat %s/pid", room_base);
	assert_int_equal(kill(atoi(running), 0), -1);
	bed_close(&b);
}

static void artifacts_go_from_one_to_the_next(void **state)
{
	CLEANUP(strs_free) struct strs paths = { 0 };
	AUTOFREE char *keep = xasprintf("%s/keep", room_base);
	struct bed b = { 0 };
	struct workspace *from, *to;
	struct err err = { 0 };

	(void)state;
	simple_repo();
	bed_open(&b);
	from = ws_open(&b, "one");
	to = ws_open(&b, "one");
	strs_add(&paths, "out/model.bin");
	strs_add(&paths, "out/dir");
	strs_add(&paths, "absent");
	strs_add(&paths, "src/link");
	sh("cd '%s' && mkdir -p out/dir/sub && echo m >out/model.bin && echo d >out/dir/sub/d && chmod 700 out/dir/sub/d &&"
	   "ln -s \"$HOME\" src/link && ln -s / out/dir/root && mkfifo out/dir/fifo && chmod 000 out/dir/sub out/model.bin", workspace_dir(from));
	OK(workspace_keep(from, keep, &paths, 4, &err));
	assert_int_equal(workspace_keep(from, keep, &paths, 3, &err), ERR_LIMIT);
	OK(workspace_keep(from, keep, &paths, 4, &err));
	OK(workspace_place(to, keep, &paths, &err));
	same("out out/dir out/dir/sub out/dir/sub/d out/model.bin", "cd '%s' && find out | sort | tr '\\n' ' ' | sed 's/ $//'",
	     workspace_dir(to));
	same("555 555 500", "cd '%s' && stat -c %%a out/dir out/dir/sub out/dir/sub/d | tr '\\n' ' ' | sed 's/ $//'", workspace_dir(to));
	assert_false(is_there("%s/src/link", workspace_dir(to)));
	workspace_release(to);
	holds_exactly(ws_open(&b, "one"), "one");
	strs_add(&paths, "src/a.c");
	OK(workspace_keep(from, keep, &paths, 100, &err));
	assert_int_equal(workspace_place(to, keep, &paths, &err), ERR_REFUSED);
	bed_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROOM_TEST(a_workspace_is_the_tree),
		ROOM_TEST(no_trick_reaches_the_next_run),
		ROOM_TEST(what_was_touched_is_named),
		ROOM_TEST(what_a_killed_harness_left_is_taken_away),
		ROOM_TEST(the_next_harness_waits_for_dying_processes),
		ROOM_TEST(artifacts_go_from_one_to_the_next),
	};

	umask(022);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
