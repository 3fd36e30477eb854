/* The search of `tune`: the same from seed and past alone, never twice the same point, inside its bounds, clear about what does not fit. */
#include "git_room.h"

#include <math.h>

#include "agent/agent.h"
#include "base/num.h"
#include "git/tree.h"

static struct err err;

/* A made-up problem: its goal is the distance from a point inside the ranges. */
static struct param params[] = {
	{ .name = "lr", .file = "a.py", .pattern = "^lr = ([0-9.e-]+)$", .type = PARAM_LOG, .min = 1e-5, .max = 1 },
	{ .name = "depth", .file = "a.py", .pattern = "depth=([0-9]+)", .type = PARAM_INT, .min = 1, .max = 40 },
	{ .name = "mix", .file = "sub/b.txt", .pattern = "mix ([-0-9.]+);", .type = PARAM_LINEAR, .min = -1, .max = 1 },
	{ .name = "kind", .file = "a.py", .pattern = "kind = \"([a-z ]*)\"", .type = PARAM_CATEGORICAL },
};

struct world {
	struct repo *repo;
	struct policy policy;
	struct oid start, tree;		/* commit, best's tree */
	struct attempt *past;
	size_t n, alloc;
	double best;
};

static void world_open(struct world *w, struct param *p, size_t n)
{
	*w = (struct world){ .best = INFINITY };
	sh("git init -q r && cd r && mkdir sub && printf 'lr = 0.001\\ndepth=4 # lr = 3\\nkind = \"plain\"\\n' >a.py &&"
	   "printf 'mix 0.5;\\n' >sub/b.txt && git add . && git commit -qm start");
	assert_int_equal(chdir("r"), 0);
	OK(repo_open(NULL, &w->repo, &err));
	w->start = id_of("HEAD");
	w->tree = id_of("HEAD^{tree}");
	w->policy.agent.use = AGENT_TUNE;
	w->policy.agent.params = p;
	w->policy.agent.n_params = n;
	w->policy.agent.seed = 7;
	w->policy.budget.experiments = -1;
}

static void world_close(struct world *w)
{
	repo_free(w->repo);
	free(w->past);
}
#define WORLD CLEANUP(world_close) struct world

static void agent_close(struct agent **a)
{
	agent_free(*a);
}
#define AGENT CLEANUP(agent_close) struct agent

static void ask_agent(struct world *w, struct agent *a, size_t n_past, const struct oid *best, struct proposal *ret)
{
	struct ask ask = { .repo = w->repo, .policy = &w->policy, .campaign = "main", .number = (int)n_past + 1, .base_commit = w->start,
			   .base_tree = *best, .start_commit = w->start, .past = w->past, .n_past = n_past };

	OK(agent_propose(a, &ask, ret, &err));
}

static double value_at(struct world *w, const struct oid *tree, const char *file, const char *after)
{
	STR text = STR_INIT;
	const char *at;
	double v;

	OK(tree_read(w->repo, tree, file, 4096, &text, &err));
	at = strstr(text.buf, after);
	assert_non_null(at);
	at += strlen(after);
	assert_true(num_parse(at, strcspn(at, " ;\n"), &v));
	return v;
}

static double goal(struct world *w, const struct oid *tree)
{
	double lr = value_at(w, tree, "a.py", "lr = "), depth = value_at(w, tree, "a.py", "depth="), mix = value_at(w, tree, "sub/b.txt", "mix ");

	assert_true(lr >= 1e-5 && lr <= 1);
	assert_true(depth >= 1 && depth <= 40 && depth == floor(depth));
	assert_true(mix >= -1 && mix <= 1);
	return fabs(log(lr / 0.03)) + fabs(depth - 23) / 10 + fabs(mix + 0.4);
}

/* Judge and record, as the loop would. */
static void record(struct world *w, const struct proposal *p)
{
	double value = goal(w, &p->tree);
	bool better = value < w->best;

	GROW(w->past, w->n, w->alloc);
	w->past[w->n] = (struct attempt){ .number = (int)w->n + 1, .base_tree = w->tree, .tree = p->tree,
					  .verdict = better ? VERDICT_ACCEPT : VERDICT_REJECT, .value = value };
	w->n++;
	if (better) {
		w->best = value;
		w->tree = p->tree;
	}
}

static void baseline(struct world *w)
{
	GROW(w->past, w->n, w->alloc);
	w->past[w->n++] = (struct attempt){ .baseline = true, .base_tree = w->tree, .tree = w->tree, .verdict = VERDICT_ACCEPT };
	w->best = goal(w, &w->tree);
}

static void run(struct world *w, struct agent *a, int times)
{
	for (int i = 0; i < times; i++) {
		CLEANUP(proposal_clear) struct proposal p = { 0 };

		ask_agent(w, a, w->n, &w->tree, &p);
		assert_int_equal(p.kind, PROPOSAL_TREE);
		assert_non_null(p.subject);
		assert_non_null(p.body);
		assert_non_null(p.source);
		for (size_t k = 0; k < w->n; k++)
			assert_false(oid_eq(&w->past[k].tree, &p.tree));
		record(w, &p);
	}
}

static void give_choices(struct param *p)
{
	p->choices = (struct strs){ 0 };
	strs_add(&p->choices, "plain");
	strs_add(&p->choices, "very fancy");
	strs_add(&p->choices, "");
}

/* It comes near, it stays inside, it repeats nothing; a new agent that is told any part of the past goes on as the old one did. */
static void search(void **state)
{
	WORLD w;
	AGENT *a = NULL;
	double first;

	(void)state;
	give_choices(&params[3]);
	world_open(&w, params, 4);
	first = w.best = goal(&w, &w.tree);
	OK(agent_open(w.repo, &w.policy, &w.start, &a, &err));
	assert_string_equal(agent_name(a), "tune");
	run(&w, a, 120);
	assert_true(w.best < first / 10);
	for (size_t n = 0; n < w.n; n += 7) {
		CLEANUP(proposal_clear) struct proposal p = { 0 };
		AGENT *fresh = NULL;

		OK(agent_open(w.repo, &w.policy, &w.start, &fresh, &err));
		ask_agent(&w, fresh, n, &w.past[n].base_tree, &p);
		assert_true(oid_eq(&p.tree, &w.past[n].tree));
		proposal_clear(&p);
		ask_agent(&w, a, n, &w.past[n].base_tree, &p);
		assert_true(oid_eq(&p.tree, &w.past[n].tree));
	}
	strs_free(&params[3].choices);
}

static void seeds_differ(void **state)
{
	WORLD w;
	struct proposal p[3] = { { 0 } };

	(void)state;
	world_open(&w, params, 3);
	for (int i = 0; i < 3; i++) {
		AGENT *a = NULL;

		w.policy.agent.seed = i == 2 ? 1 : i;
		OK(agent_open(w.repo, &w.policy, &w.start, &a, &err));
		ask_agent(&w, a, 0, &w.tree, &p[i]);
	}
	assert_false(oid_eq(&p[0].tree, &p[1].tree));
	assert_true(oid_eq(&p[1].tree, &p[2].tree));
	for (int i = 0; i < 3; i++)
		proposal_clear(&p[i]);
}

/* A point is known by what its parameters say, whatever else a person changed and however they spelt it. */
static void spelling(void **state)
{
	WORLD w;
	CLEANUP(proposal_clear) struct proposal p = { 0 };
	AGENT *a = NULL;
	struct oid other;

	(void)state;
	world_open(&w, params, 1);
	sh("sed -i 's/lr = 0.001$/lr = 1.0e-3/' a.py && git commit -qam spelt");
	other = id_of("HEAD^{tree}");
	OK(agent_open(w.repo, &w.policy, &w.start, &a, &err));
	ask_agent(&w, a, 0, &other, &p);
	assert_non_null(strstr(p.subject, "lr 0.001 -> "));
	assert_true(starts_with(p.source, "lr="));
	assert_true(value_at(&w, &p.tree, "a.py", "lr = ") != 0.001);
}

/* All the points of a small space, each once, then no more ideas. */
static void exhausted(void **state)
{
	WORLD w;
	AGENT *a = NULL;
	CLEANUP(proposal_clear) struct proposal p = { 0 };
	struct param two[2] = { params[1], params[3] };

	(void)state;
	two[0].max = 6;
	give_choices(&two[1]);
	world_open(&w, two, 2);
	OK(agent_open(w.repo, &w.policy, &w.start, &a, &err));
	baseline(&w);
	run(&w, a, 6 * 3 - 1);
	ask_agent(&w, a, w.n, &w.tree, &p);
	assert_int_equal(p.kind, PROPOSAL_NONE);
	strs_free(&two[1].choices);
}

static void many(void **state)
{
	WORLD w;
	AGENT *a = NULL;

	(void)state;
	world_open(&w, params, 3);
	w.best = goal(&w, &w.tree);
	OK(agent_open(w.repo, &w.policy, &w.start, &a, &err));
	run(&w, a, 2000);
	assert_true(w.best < 0.01);
}

/* What was tried under other names, or is no point at all, does not disturb. */
static void foreign_past(void **state)
{
	WORLD w;
	AGENT *a = NULL;
	struct oid bare, gone;

	(void)state;
	world_open(&w, params, 3);
	w.best = goal(&w, &w.tree);
	sh("git rm -qr sub && git commit -qm gone");
	bare = id_of("HEAD^{tree}");
	memset(&gone, 7, sizeof(gone));
	for (int i = 0; i < 3; i++) {
		GROW(w.past, w.n, w.alloc);
		w.past[w.n++] = (struct attempt){ .number = i, .baseline = !i, .base_tree = w.tree, .tree = i == 1 ? bare : i ? gone : w.tree,
						  .verdict = i ? VERDICT_REJECT : VERDICT_ACCEPT };
	}
	OK(agent_open(w.repo, &w.policy, &w.start, &a, &err));
	run(&w, a, 5);
	CLEANUP(proposal_clear) struct proposal p = { 0 };
	ask_agent(&w, a, w.n, &bare, &p);
	assert_int_equal(p.kind, PROPOSAL_FAILED);
	assert_non_null(strstr(p.why, "'sub/b.txt'"));
}

static void refuses(struct world *w, struct param p, const char *part)
{
	struct agent *a = NULL;

	w->policy.agent.params = &p;
	w->policy.agent.n_params = 1;
	assert_int_equal(agent_open(w->repo, &w->policy, &w->start, &a, &err), ERR_INVALID);
	if (!strstr(err.msg, part))
		fail_msg("'%s' is not in: %s", part, err.msg);
	assert_non_null(strstr(err.msg, p.name));
	assert_non_null(strstr(err.msg, p.pattern));
}

static void errors(void **state)
{
	WORLD w;
	struct param p = params[1];
	struct agent *a = NULL;

	(void)state;
	world_open(&w, &p, 1);
	refuses(&w, (p.pattern = "deepness=([0-9]+)", p), "matches nothing in 'a.py'");
	refuses(&w, (p.pattern = "[a-z]+ ?= ?([0-9]+)", p), "matches more than once in 'a.py'");
	refuses(&w, (p.pattern = "depth=([0-9]+", p), "pattern");
	refuses(&w, (p.pattern = "depth=[0-9]+", p), "exactly one group");
	refuses(&w, (p.pattern = "(depth)=([0-9]+)", p), "exactly one group");
	refuses(&w, (p.pattern = "depth(=)", p), "'=', found by pattern");
	refuses(&w, (p.pattern = "lr = (0.001)", p), "is not a whole number");
	refuses(&w, (p.pattern = "depth=([0-9])", p), "reads '1'");
	refuses(&w, (p.pattern = "kind|depth=([0-9]+)", p), "matches without its group");
	p = params[0];
	p.file = "none";
	w.policy.agent.params = &p;
	assert_true(agent_open(w.repo, &w.policy, &w.start, &a, &err) < 0);
	assert_non_null(strstr(err.msg, "none"));
	p = params[0];
	refuses(&w, (p.pattern = "^lr = ([0-9.]+)$", p.max = 1e16, p), "lr");	/* 1e+16 would not be found again */
	w.policy.agent.params = (struct param[]){ params[1], params[1] };
	w.policy.agent.n_params = 2;
	assert_int_equal(agent_open(w.repo, &w.policy, &w.start, &a, &err), ERR_INVALID);
	assert_non_null(strstr(err.msg, "the same place"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROOM_TEST(search), ROOM_TEST(seeds_differ), ROOM_TEST(spelling), ROOM_TEST(exhausted),
		ROOM_TEST(many), ROOM_TEST(foreign_past), ROOM_TEST(errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
