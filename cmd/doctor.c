/*
 * git harness doctor - what this machine can enforce, probe by probe.
 * Nothing that a repository names is run: the attacks are our own, let loose in a throw-away repository. What cannot be tried is UNKNOWN and
 * counts as not enforced.
 */
#include "cmd/doctor.h"

#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "base/json.h"
#include "base/mem.h"
#include "cmd/cmd.h"
#include "policy/policy.h"

#define LEVEL 1
#define LEVEL_NAME "verify only"

struct options {
	bool json;
	const char *attack;
};

static const struct opt options[] = {
	FLAG(0, "json", struct options, json, "one JSON object"),
	STRING(0, "attack", struct options, attack, "<name>:<target>", NULL),
	END,
};

static const char *const answer_keys[] = { "prevented", "detected", "not-enforced", "unknown" };

static const char *const notes[] = {
	"the pre-commit hook is a courtesy to people, never counted here",
	"out of scope at any level: bugs of the kernel, agents run as root, side channels, overfitting to the metric you show",
};

/* How the policy at hand measures; NULL where there is none to read. */
static const char *measurement(void)
{
	STR text = STR_MAX(POLICY_MAX + 1);
	AUTOFREE char *path = NULL;
	struct policy *policy = NULL;
	struct repo *repo = NULL;
	struct err ignored;
	const char *ret = NULL;

	if (repo_open(NULL, &repo, &ignored) < 0)
		return NULL;
	path = repo_work_dir(repo) ? xasprintf("%s/%s", repo_work_dir(repo), POLICY_FILE) : NULL;
	if (path && !io_read_file(path, POLICY_MAX, &text, &ignored) &&
	    !policy_parse(POLICY_FILE, text.buf, text.len, &policy, &ignored))
		ret = policy->execute.command ?
			"this policy executes and evaluates apart: candidate code does not run in the evaluator's process" :
			"this policy has no execute step: candidate code that an evaluator runs in its own process can forge its number";
	policy_free(policy);
	repo_free(repo);
	return ret;
}

static void print_finding(const struct probe *p, const struct finding *f, struct str *ret)
{
	static const char *const form[] = { "PREVENTED by %s", "DETECTED afterwards by %s", "NOT ENFORCED (%s)", "UNKNOWN (%s)" };
	char answer[sizeof(f->how) + 32];

	snprintf(answer, sizeof(answer), form[f->answer], f->how);
	str_printf(ret, "%-42s %s\n", p->what, answer);
}

/* What helps, each thing once. */
static void print_remedies(const struct finding *found, struct str *ret)
{
	struct strs said = { 0 };

	for (size_t i = 0; i < probes_n; i++) {
		if (!found[i].remedy || found[i].answer < NOT_ENFORCED || strs_has(&said, found[i].remedy))
			continue;
		str_printf(ret, "%s%s\n", said.n ? "   and: " : "to do:  ", found[i].remedy);
		strs_add(&said, found[i].remedy);
	}
	strs_free(&said);
}

static void print_backend(const struct pool *pool, struct str *ret)
{
	str_printf(ret, "workspaces: %s", pool_backend(pool));
	if (pool_why(pool))
		str_printf(ret, " (not overlay: %s)", pool_why(pool));
	str_putc(ret, '\n');
}

static void print_people(const struct lab *lab, const struct finding *found, const char *measured, struct str *ret)
{
	for (size_t i = 0; i < probes_n; i++)
		print_finding(&probes[i], &found[i], ret);
	str_putc(ret, '\n');
	print_remedies(found, ret);
	if (measured)
		str_printf(ret, "note:   %s\n", measured);
	for (size_t i = 0; i < ARRAY_SIZE(notes); i++)
		str_printf(ret, "note:   %s\n", notes[i]);
	print_backend(lab->pool, ret);
	str_printf(ret, "enforcement level: %d (%s)\n", LEVEL, LEVEL_NAME);
}

static void print_json(const struct lab *lab, const struct finding *found, const char *measured, struct str *ret)
{
	struct json j;

	json_init(&j, ret, true);
	json_begin_object(&j, NULL);
	json_int(&j, "level", LEVEL);
	json_str(&j, "name", LEVEL_NAME);
	json_str(&j, "backend", pool_backend(lab->pool));
	json_str(&j, "why", pool_why(lab->pool));
	json_begin_array(&j, "probes");
	for (size_t i = 0; i < probes_n; i++) {
		json_begin_object(&j, NULL);
		json_str(&j, "name", probes[i].name);
		json_str(&j, "what", probes[i].what);
		json_str(&j, "answer", answer_keys[found[i].answer]);
		json_str(&j, "how", found[i].how);
		json_str(&j, "remedy", found[i].answer >= NOT_ENFORCED ? found[i].remedy : NULL);
		json_end_object(&j);
	}
	json_end_array(&j);
	json_begin_array(&j, "notes");
	if (measured)
		json_str(&j, NULL, measured);
	for (size_t i = 0; i < ARRAY_SIZE(notes); i++)
		json_str(&j, NULL, notes[i]);
	json_end_array(&j);
	json_end_object(&j);
	str_putc(ret, '\n');
}

/* A probe that fails to run is an answer too: nobody knows. */
static void ask(struct lab *lab, const struct probe *p, struct finding *ret)
{
	struct err err = { 0 };

	*ret = (struct finding){ .answer = UNKNOWN, .how = "it could not be tried" };
	if (p->run(lab, ret, &err) >= 0)
		return;
	ret->answer = UNKNOWN;
	snprintf(ret->how, sizeof(ret->how), "%.*s", (int)strcspn(err.msg, "\n"), err.msg);
}

static int doctor(struct cmd_ctx *ctx, struct err *err)
{
	const struct options *o = ctx->opts;
	CLEANUP(lab_close) struct lab lab = { 0 };
	AUTOFREE struct finding *found = xcalloc(probes_n, sizeof(*found));
	const char *measured;
	STR out = STR_INIT;

	if (o->attack) {
		ctx->exit = attack_run(o->attack);
		return 0;
	}
	measured = measurement();
	if (lab_open(&lab, err) < 0)
		return err_wrap(err, "cannot set up a place for the probes");
	for (size_t i = 0; i < probes_n; i++) {
		ask(&lab, &probes[i], &found[i]);
		if (found[i].answer >= NOT_ENFORCED)
			ctx->exit = 1;
	}
	if (o->json)
		print_json(&lab, found, measured, &out);
	else
		print_people(&lab, found, measured, &out);
	return cmd_print(&out, err);
}

const struct cmd cmd_doctor = {
	.name = "doctor", .args = "", .summary = "what this machine can enforce, honestly, probe by probe",
	.about = "Exit status 1 when something is not enforced.",
	.opts = options, .opts_size = sizeof(struct options), .max_args = 0, .run = doctor,
};
