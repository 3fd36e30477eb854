#include "loop/measure.h"

#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "base/mem.h"
#include "base/num.h"
#include "loop/measure_internal.h"
#include "loop/checkpoint.h"

#define KEEP_MAX ((int64_t)16 << 30)	/* where the policy has no budget.disk */

/* 0 to 2^31-1: FNV-1a 64 over "<policy> <tree> <stage> <sample>", folded, so that a resumed run is the undisturbed one. */
static int64_t measure_seed(const struct oid *policy, const struct oid *tree, const char *stage, int sample)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	AUTOFREE char *text = xasprintf("%s %s %s %d", oid_hex(policy).s, oid_hex(tree).s, stage, sample);

	for (const char *p = text; *p; p++)
		hash = (hash ^ (unsigned char)*p) * UINT64_C(0x100000001b3);
	return (int64_t)((hash ^ hash >> 32) & 0x7fffffff);
}

void outcome_clear(struct outcome *o)
{
	free(o->why);
	free(o->path);
	*o = (struct outcome){ .exit = -1 };
}

void measure_init(struct measure *m, const struct bench *bench, measure_line_fn *line, measure_end_fn *end, void *data)
{
	const struct strs *devices = &bench->policy->parallel.devices;

	*m = (struct measure){
		.bench = bench, .line = line, .end = end, .data = data, .stages = bench->policy->n_stages,
		.keep = bench->keep, .keep_state = bench->keep_state, .device = devices->n ? devices->v[0] : NULL,
		.outcome = { .exit = -1 },
		.execute_log = { .limit = -1 }, .evaluate_log = { .limit = -1 },
	};
}

static void let_go(struct measure *m)
{
	task_free(m->task);
	m->task = NULL;
	if (m->bench)
		turn_drop(m->bench->turns, &m->turn);
	metric_reader_free(m->reader);
	m->reader = NULL;
	if (m->ran)
		workspace_release(m->ran);
	if (m->ws)
		workspace_release(m->ws);
	m->ran = m->ws = NULL;
}

void measure_again(struct measure *m)
{
	let_go(m);
	m->round++;
	m->executed = false;
	m->stage = 0;
	m->sample = 0;
	measured_free(&m->pending);
	m->stage_wall = m->stage_cpu = m->stage_rss = m->evaluation = 0;
}

void measure_cancel(struct measure *m, bool at_once)
{
	if (m->turn.queued)
		turn_drop(m->bench->turns, &m->turn);
	if (!m->task)
		return;
	m->cancelled = true;	/* said now: the task may end by itself before it hears */
	task_cancel(m->task, at_once);
}

void measure_clear(struct measure *m)
{
	let_go(m);
	measured_free(&m->measured);
	measured_free(&m->pending);
	outcome_clear(&m->outcome);
	free(m->state);
	capture_free(&m->execute_log);
	capture_free(&m->evaluate_log);
	*m = (struct measure){ 0 };
}

const char *measure_phase(const struct measure *m, int *ret_sample)
{
	const struct policy *p = m->bench->policy;

	*ret_sample = 0;
	if (m->stage >= p->n_stages)
		return NULL;
	if (p->stages[m->stage].samples_max > 1)
		*ret_sample = m->sample + 1;
	return p->stages[m->stage].name;
}

int measure_fail(struct measure *m, enum reason reason, const char *why)
{
	m->outcome.reason = reason;
	if (!m->outcome.why)
		m->outcome.why = xstrdup(why);
	return 0;
}

void measure_log(struct capture *log, const char *title, const struct task *task)
{
	STR text = STR_INIT;

	str_printf(&text, "== %s\n", title);
	capture_text(task_capture(task), &text);
	if (text.buf[text.len - 1] != '\n')
		str_putc(&text, '\n');
	capture_add(log, text.buf, text.len);
}

/* The end of a process to what it means (DESIGN section 6). `yields`: execute, or the stage that yields the goal. */
void measure_judge_exit(struct measure *m, const struct task_end *end, const char *stage, bool yields)
{
	m->outcome.stage = stage;
	m->outcome.exit = end->timed_out ? -1 : end->exit;
	if (end->timed_out)
		measure_fail(m, REASON_TIMEOUT, NULL);
	else if (end->exit == 125)
		measure_fail(m, REASON_INCONCLUSIVE, NULL);
	else if (end->exit == 126 || end->exit == 127)
		m->outcome.suspect = true;
	if (m->outcome.suspect)
		measure_fail(m, yields ? REASON_CRASH : REASON_GATE, "the command could not be run");
	else if (m->outcome.reason == REASON_NONE && end->exit)
		measure_fail(m, yields || end->exit >= 128 ? REASON_CRASH : REASON_GATE, NULL);
}

void measure_add_end(struct event *line, const struct task_end *end)
{
	if (!end->timed_out)
		event_add_int(line, "exit", end->exit);
	event_add_secs(line, "wall", end->wall);
	event_add_secs(line, "cpu", end->cpu);
	event_add_int(line, "maxrss", end->maxrss);
	if (end->timed_out)
		event_add_int(line, "timeout", 1);
}

void measure_add_outcome(struct event *line, const struct outcome *o)
{
	if (o->reason == REASON_NONE)
		return;
	event_add(line, "reason", reason_names[o->reason]);
	event_add(line, "why", o->why);
	event_add(line, "path", o->path);
	if (o->suspect)
		event_add_int(line, "suspect", 1);
}

int measure_tell(struct measure *m, const char *kind, struct event *line, struct err *err)
{
	if (m->trial)
		return 0;
	if (m->round && strcmp(kind, "sample"))
		event_add_int(line, "confirm", m->round);
	return m->line(m->data, kind, line, err);
}

void measure_env(struct measure *m, const struct strs *pass, struct workspace *ws, const char *stage, int sample,
		 struct strs *ret)
{
	const struct bench *b = m->bench;

	task_env(pass, workspace_tmp(ws), ret);
	strs_addf(ret, "GIT_HARNESS_CAMPAIGN=%s", b->campaign);
	strs_addf(ret, "GIT_HARNESS_EXPERIMENT=%d", m->number);
	strs_addf(ret, "GIT_HARNESS_SAMPLE=%d", sample);
	strs_addf(ret, "GIT_HARNESS_SEED=%lld",
		  (long long)measure_seed(&b->policy_blob, &m->tree, stage, sample));
	if (m->device) {
		strs_addf(ret, "GIT_HARNESS_DEVICE=%s", m->device);
		strs_addf(ret, "CUDA_VISIBLE_DEVICES=%s", m->device);
	}
}

/* ---- execute ---- */

/* What the run made and may not keep is its own fault, not the harness's. */
static int blame_output(struct measure *m, struct err *err)
{
	if (err->code != ERR_LIMIT && err->code != ERR_REFUSED)
		return err->code;
	m->executed = false;
	m->outcome.stage = "execute";
	return measure_fail(m, err->code == ERR_LIMIT ? REASON_BUDGET : REASON_SURFACE, err->msg);
}

static int keep_output(struct measure *m, struct event *line, struct err *err)
{
	const struct policy *p = m->bench->policy;
	int64_t max = p->execute.budget.disk >= 0 ? p->execute.budget.disk : KEEP_MAX;
	struct oid manifest;

	if (p->execute.artifacts.n && workspace_keep(m->ran, m->keep, &p->execute.artifacts, max, err) < 0)
		return blame_output(m, err);
	if (!p->execute.state.n || m->trial)
		return 0;
	if (workspace_keep(m->ran, m->keep_state, &p->execute.state, max, err) < 0)
		return blame_output(m, err);
	if (checkpoint_manifest(m->bench->repo, m->keep_state, &manifest, err) < 0)
		return err->code;
	if (!oid_is_zero(&manifest))
		event_add_oid(line, "state", &manifest);
	return 0;
}

static int execute_ended(void *data, struct task *task, const struct task_end *end, struct err *err)
{
	struct measure *m = data;
	EVENT line = { 0 };

	m->task = NULL;
	measure_log(&m->execute_log, m->bench->policy->execute.command, task);
	task_free(task);
	if (end->cancelled)
		return m->end(m->data, m, err);
	outcome_clear(&m->outcome);
	measure_judge_exit(m, end, "execute", true);
	measure_add_end(&line, end);
	m->executed = m->outcome.reason == REASON_NONE;
	if (m->executed && keep_output(m, &line, err) < 0)
		return err_wrap(err, "cannot keep what experiment %d made", m->number);
	measure_add_outcome(&line, &m->outcome);
	workspace_release(m->ran);
	m->ran = NULL;
	if (measure_tell(m, "execute", &line, err) < 0)
		return err->code;
	turn_drop(m->bench->turns, &m->turn);
	return m->end(m->data, m, err);
}

static int start_execute(void *data, struct err *err)
{
	struct measure *m = data;
	const struct policy *p = m->bench->policy;
	CLEANUP(strs_free) struct strs env = { 0 };
	struct task_spec spec;

	if (workspace_open(m->bench->pool, &m->commit, &m->tree, &m->ran, err) < 0)
		return err_wrap(err, "cannot open a workspace to execute in");
	if (m->state && workspace_restore(m->ran, m->state, &p->execute.state, err) < 0)
		return err_wrap(err, "cannot bring back the state of best");
	measure_env(m, &p->execute.env, m->ran, "execute", m->round + 1, &env);
	spec = (struct task_spec){
		.command = p->execute.command, .dir = workspace_dir(m->ran),
		.enclosure = workspace_enclosure(m->ran), .env = &env,
		.wall = p->execute.budget.wall, .output = p->execute.budget.output, .close_fds = m->bench->close_fds,
	};
	if (task_start(m->bench->reactor, &spec, execute_ended, m, &m->task, err) < 0)
		return err_wrap(err, "cannot start the execute step");
	return 0;
}

int measure_execute(struct measure *m, struct err *err)
{
	if (m->failed)
		return m->end(m->data, m, err);
	outcome_clear(&m->outcome);
	if (!m->bench->policy->execute.command || m->executed) {
		m->executed = true;
		return m->end(m->data, m, err);
	}
	return turn_take(m->bench->turns, &m->turn, false, start_execute, m, err);
}

/* ---- going on after a crash ---- */

static void take_values(struct measured *into, const struct bench *b, const struct event *line)
{
	for (size_t i = 0; i < b->metrics.n; i++) {
		const char *at = event_get(line, b->metrics.v[i]);

		while (at && *at) {
			size_t len = strcspn(at, ",");
			double value;

			if (num_parse(at, len, &value))
				measured_add(into, b->metrics.v[i], value);
			at += len + (at[len] == ',');
		}
	}
}

static void replay_failure(struct measure *m, const char *kind, const struct event *line)
{
	const struct policy *p = m->bench->policy;
	const char *stage = event_get(line, "stage");
	int64_t code = -1;

	m->failed = true;
	reason_parse(event_get(line, "reason"), &m->outcome.reason);
	m->outcome.why = xstrdup(event_get(line, "why"));
	m->outcome.path = xstrdup(event_get(line, "path"));
	m->outcome.suspect = event_is(line, "suspect", "1");
	m->outcome.exit = event_get_int(line, "exit", &code) ? (int)code : -1;
	m->outcome.stage = strcmp(kind, "execute") ? NULL : "execute";
	for (size_t i = 0; stage && i < p->n_stages; i++)
		if (!strcmp(p->stages[i].name, stage))
			m->outcome.stage = p->stages[i].name;
}

void measure_replay(struct measure *m, const char *kind, const struct event *line)
{
	int64_t wall = 0, cpu = 0, rss = 0, confirm = 0;

	event_get_secs(line, "wall", &wall);
	if (event_get_int(line, "confirm", &confirm) && confirm > m->round)
		measure_again(m);
	if (event_get(line, "reason")) {
		replay_failure(m, kind, line);
	} else if (!strcmp(kind, "execute")) {
		m->executed = true;
	} else if (!strcmp(kind, "sample")) {
		if (m->sample == 0)
			m->stage_wall = m->stage_cpu = m->stage_rss = 0;
		take_values(&m->pending, m->bench, line);
		event_get_secs(line, "cpu", &cpu);
		event_get_int(line, "maxrss", &rss);
		m->sample++;
		m->stage_wall += wall;
		m->stage_cpu += cpu;
		m->stage_rss = rss > m->stage_rss ? rss : m->stage_rss;
		m->evaluation += wall;
	} else if (!strcmp(kind, "evaluate")) {
		take_values(&m->measured, m->bench, line);
		measured_free(&m->pending);
		if (!m->sample)
			m->evaluation += wall;
		m->sample = 0;
		m->stage++;
	}
}
