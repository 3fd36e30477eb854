/* Patches and branches, proposed one by one: in order, each once, and what does not fit is said and passed over. */
#include "git_room.h"

#include <math.h>

#include "agent/agent.h"
#include "git/tree.h"

static struct err err;

struct world {
	struct repo *repo;
	struct policy policy;
	struct oid start, tree;
	struct attempt past[16];
	size_t n;
	struct agent *agent;
};

static void world_open(struct world *w, const char *from)
{
	w->policy.agent.use = AGENT_PATCHES;
	w->policy.agent.from = (char *)from;
	repo_free(w->repo);
	w->repo = NULL;
	OK(repo_open(NULL, &w->repo, &err));
	w->start = id_of("main");
	w->tree = id_of("main^{tree}");
	OK(agent_open(w->repo, &w->policy, &w->start, &w->agent, &err));
	assert_string_equal(agent_name(w->agent), "patches");
}

static void world_close(struct world *w)
{
	for (size_t i = 0; i < w->n; i++)
		free((char *)w->past[i].source);
	agent_free(w->agent);
	repo_free(w->repo);
}
#define WORLD CLEANUP(world_close) struct world

static void next(struct world *w, enum proposal_kind kind, const char *source, struct proposal *p)
{
	struct ask ask = { .repo = w->repo, .policy = &w->policy, .campaign = "main", .number = (int)w->n + 1, .base_commit = w->start,
			   .base_tree = w->tree, .start_commit = w->start, .past = w->past, .n_past = w->n };

	proposal_clear(p);
	OK(agent_propose(w->agent, &ask, p, &err));
	if (p->kind != kind)
		fail_msg("kind %d and not %d: %s", p->kind, kind, p->why ? p->why : "no why");
	if (!source) {
		assert_null(p->source);
		return;
	}
	assert_string_equal(p->source, source);
	w->past[w->n++] = (struct attempt){ .number = (int)w->n + 1, .source = xstrdup(source), .verdict = VERDICT_REJECT };
}

/* A file's text in a proposed tree. */
static void holds(struct world *w, const struct proposal *p, const char *path, const char *text)
{
	STR found = STR_INIT;

	OK(tree_read(w->repo, &p->tree, path, 4096, &found, &err));
	assert_string_equal(found.buf, text);
}

static void start_repo(void)
{
	sh("git init -q r && cd r && printf '1\\n2\\n3\\n4\\n5\\n6\\n7\\n8\\n9\\n' >n && echo a >a && git add . && git commit -qm start");
	assert_int_equal(chdir("r"), 0);
}

/* Three commits as people send them. */
static void make_stack(const char *how)
{
	sh("git checkout -qb work && sed -i 's/^1$/one/' n && git commit -qam 'Spell one' -m 'It reads better.' &&"
	   "sed -i 's/^one$/ONE/' n && git commit -qam 'Shout' &&"
	   "mkdir d && echo b >d/b && sed -i 's/^9$/nine/' n && git add . && git commit -qm 'Gr\303\274\303\237e: a long subject that a mail has to fold over two "
	   "of its lines because it is so long' && %s && git checkout -q main && git branch -qD work", how);
}

static void directory(void **state)
{
	WORLD w = { 0 };
	CLEANUP(proposal_clear) struct proposal p = { 0 };

	(void)state;
	start_repo();
	make_stack("git format-patch -q -o stack main && echo no >stack/README");
	world_open(&w, "stack");
	next(&w, PROPOSAL_TREE, "stack/0001-Spell-one.patch", &p);
	assert_string_equal(p.subject, "Spell one");
	assert_string_equal(p.body, "It reads better.\n");
	holds(&w, &p, "n", "one\n2\n3\n4\n5\n6\n7\n8\n9\n");
	next(&w, PROPOSAL_FAILED, "stack/0002-Shout.patch", &p);
	assert_string_equal(p.subject, "Shout");
	assert_non_null(strstr(p.why, "does not apply"));
	next(&w, PROPOSAL_TREE, "stack/0003-Gr-e-a-long-subject-that-a-mail-has-to-fold-over-two.patch", &p);
	assert_string_equal(p.subject, "Gr\303\274\303\237e: a long subject that a mail has to fold over two of its lines because it is so long");
	holds(&w, &p, "d/b", "b\n");
	holds(&w, &p, "n", "1\n2\n3\n4\n5\n6\n7\n8\nnine\n");
	next(&w, PROPOSAL_NONE, NULL, &p);
}

/* On what was accepted before, and told by a new process. */
static void stack_grows(void **state)
{
	WORLD w = { 0 };
	CLEANUP(proposal_clear) struct proposal p = { 0 };

	(void)state;
	start_repo();
	make_stack("git format-patch -q -o stack main");
	world_open(&w, "stack/*.patch");
	next(&w, PROPOSAL_TREE, "stack/0001-Spell-one.patch", &p);
	w.tree = p.tree;
	next(&w, PROPOSAL_TREE, "stack/0002-Shout.patch", &p);
	holds(&w, &p, "n", "ONE\n2\n3\n4\n5\n6\n7\n8\n9\n");
	agent_free(w.agent);
	w.agent = NULL;
	OK(agent_open(w.repo, &w.policy, &w.start, &w.agent, &err));
	next(&w, PROPOSAL_TREE, "stack/0003-Gr-e-a-long-subject-that-a-mail-has-to-fold-over-two.patch", &p);
	holds(&w, &p, "n", "one\n2\n3\n4\n5\n6\n7\n8\nnine\n");
}

static void mailbox(void **state)
{
	WORLD w = { 0 };
	CLEANUP(proposal_clear) struct proposal p = { 0 };
	AUTOFREE char *from = NULL, *first = NULL, *second = NULL, *third = NULL, *top = NULL;

	(void)state;
	start_repo();
	make_stack("git format-patch -q --stdout main >'../all#1.mbox'");
	top = out("pwd");
	from = xasprintf("%s/../all#1.mbox", top);
	first = xasprintf("%s#1", from);
	second = xasprintf("%s#2", from);
	third = xasprintf("%s#3", from);
	world_open(&w, from);
	next(&w, PROPOSAL_TREE, first, &p);
	assert_string_equal(p.subject, "Spell one");
	w.tree = p.tree;
	next(&w, PROPOSAL_TREE, second, &p);
	assert_string_equal(p.subject, "Shout");
	next(&w, PROPOSAL_TREE, third, &p);
	holds(&w, &p, "d/b", "b\n");
	next(&w, PROPOSAL_NONE, NULL, &p);
}

/* No mail around it; rubbish; nothing at all. */
static void plain(void **state)
{
	WORLD w = { 0 };
	CLEANUP(proposal_clear) struct proposal p = { 0 };

	(void)state;
	start_repo();
	sh("mkdir -p s/deep && sed -i 's/^5$/five/' n && git diff >s/deep/2.diff && git checkout -q n && echo rubbish >s/1.diff && : >s/3.diff &&"
	   "printf 'Subject: nothing\\n\\nno diff here\\n' >s/4.diff && ln -s 1.diff s/5.diff");
	world_open(&w, "s/**/*.diff");
	next(&w, PROPOSAL_FAILED, "s/1.diff", &p);
	assert_string_equal(p.subject, "1.diff");
	next(&w, PROPOSAL_FAILED, "s/4.diff", &p);
	assert_string_equal(p.subject, "nothing");
	next(&w, PROPOSAL_TREE, "s/deep/2.diff", &p);
	assert_string_equal(p.subject, "2.diff");
	holds(&w, &p, "n", "1\n2\n3\n4\nfive\n6\n7\n8\n9\n");
	next(&w, PROPOSAL_NONE, NULL, &p);
}

static void branches(void **state)
{
	WORLD w = { 0 };
	CLEANUP(proposal_clear) struct proposal p = { 0 };

	(void)state;
	start_repo();
	sh("git branch ideas/none && git checkout -qb ideas/a && sed -i 's/^1$/one/' n && git commit -qam 'first step' && echo x >x && git add x &&"
	   "git commit -qm 'Spell one' -m 'In two steps.' && git checkout -qb ideas/sub/deep main && git commit -q --allow-empty -m no &&"
	   "git checkout -qb ideas/b main && sed -i 's/^1$/uno/' n && git commit -qam 'Speak' &&"
	   "git checkout -q --orphan ideas/c && git commit -qm alone && git checkout -q main && echo b >a && git commit -qam 'main moved on'");
	world_open(&w, "refs/heads/ideas/*");
	next(&w, PROPOSAL_TREE, "refs/heads/ideas/a", &p);
	assert_string_equal(p.subject, "Spell one");
	assert_string_equal(p.body, "In two steps.\n");
	holds(&w, &p, "n", "one\n2\n3\n4\n5\n6\n7\n8\n9\n");
	holds(&w, &p, "a", "b\n");
	holds(&w, &p, "x", "x\n");
	w.tree = p.tree;
	next(&w, PROPOSAL_FAILED, "refs/heads/ideas/b", &p);
	assert_string_equal(p.subject, "Speak");
	assert_non_null(strstr(p.why, "conflicts with best in 'n'"));
	next(&w, PROPOSAL_FAILED, "refs/heads/ideas/c", &p);
	assert_non_null(strstr(p.why, "no history in common"));
	next(&w, PROPOSAL_TREE, "refs/heads/ideas/none", &p);
	assert_true(oid_eq(&p.tree, &w.tree));
	next(&w, PROPOSAL_NONE, NULL, &p);
	sh("git branch ideas/z ideas/a");
	next(&w, PROPOSAL_TREE, "refs/heads/ideas/z", &p);
}

static void refuses(struct world *w, const char *from, const char *part)
{
	w->policy.agent.from = (char *)from;
	assert_int_equal(agent_open(w->repo, &w->policy, &w->start, &w->agent, &err), ERR_INVALID);
	if (!strstr(err.msg, part))
		fail_msg("'%s' is not in: %s", part, err.msg);
	assert_non_null(strstr(err.msg, from));
}

static void errors(void **state)
{
	WORLD w = { 0 };

	(void)state;
	start_repo();
	sh("mkdir empty");
	world_open(&w, "refs/heads/main");
	agent_free(w.agent);
	w.agent = NULL;
	refuses(&w, "empty", "nothing");
	refuses(&w, "none/at/all", "nothing");
	refuses(&w, "empty/*.patch", "nothing");
	refuses(&w, "refs/heads/ideas/*", "nothing");
	refuses(&w, "refs/tags/*", "only branches");
	refuses(&w, "empty/[x", "never closed");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROOM_TEST(directory), ROOM_TEST(stack_grows), ROOM_TEST(mailbox), ROOM_TEST(plain), ROOM_TEST(branches), ROOM_TEST(errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
