#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/num.h"
#include "loop/measure_internal.h"
#include "run/dir.h"

#define METRICS_FILE_MAX ((size_t)1 << 20)
#define NS_MIN_SAMPLE (10 * NS_PER_MS)

static int next(struct measure *m, struct err *err);

void expect_clear(struct expect *e, size_t n_stages)
{
	for (size_t i = 0; e->stages && i < n_stages; i++)
		strs_free(&e->stages[i]);
	free(e->stages);
	*e = (struct expect){ .goal_stage = -1 };
}

void expect_learn(const struct policy *p, const struct events *lines, struct expect *ret)
{
	CLEANUP(strs_free) struct strs names = { 0 };

	expect_clear(ret, p->n_stages);
	ret->stages = xcalloc(p->n_stages, sizeof(*ret->stages));
	policy_metrics(p, &names);
	for (size_t i = 0; i < lines->n; i++) {
		const char *stage = event_get(&lines->v[i], "stage");
		size_t k = 0;

		if (!stage || !event_is(&lines->v[i], "event", "evaluate"))
			continue;
		while (k < p->n_stages && strcmp(p->stages[k].name, stage))
			k++;
		for (size_t j = 0; k < p->n_stages && j < names.n; j++) {
			if (!event_get(&lines->v[i], names.v[j]) || strs_has(&ret->stages[k], names.v[j]))
				continue;
			strs_add(&ret->stages[k], names.v[j]);
			if (!strcmp(names.v[j], p->goal.metric))
				ret->goal_stage = (int)k;
		}
	}
}

static const struct stage *stage_of(const struct measure *m)
{
	return &m->bench->policy->stages[m->stage];
}

/* Does this stage yield the goal? Unknown before the baseline has shown it: then its failure is an error of the set-up anyway. */
static bool yields_goal(const struct measure *m)
{
	return m->bench->expect.goal_stage == (int)m->stage;
}

static void sink(void *data, enum task_stream stream, const void *ptr, size_t len)
{
	struct measure *m = data;
	enum metrics_from from = stage_of(m)->metrics;

	if ((from == METRICS_STDOUT && stream == TASK_OUT) || (from == METRICS_FD && stream == TASK_METRICS))
		metric_reader_feed(m->reader, ptr, len);
}

static int metrics_file(struct measure *m, struct err *err)
{
	const char *name;
	AUTOCLOSE int dir = dir_open_parent(workspace_root(m->ws), stage_of(m)->metrics_path, AS_IS, &name);
	AUTOCLOSE int fd = dir < 0 ? -1 : openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	STR text = STR_INIT;
	struct err why;

	(void)err;
	if (fd >= 0 && io_read_fd(fd, METRICS_FILE_MAX, &text, &why) < 0)
		return measure_fail(m, REASON_METRIC_INVALID, why.msg);
	metric_reader_feed(m->reader, text.buf, text.len);
	return 0;
}

/* What another stage yields is none of this one's business: a number that a candidate prints there must not count. */
static bool is_its(const struct measure *m, const char *name)
{
	const struct expect *e = &m->bench->expect;

	return m->baseline || !e->stages || strs_has(&e->stages[m->stage], name);
}

/* All that this stage printed at the baseline; a baseline takes what comes, but the same names in every sample. */
static bool is_due(const struct measure *m, const char *name)
{
	return m->baseline ? m->sample > 0 && measured_find(&m->pending, name) : m->bench->expect.stages != NULL;
}

static int collect_one(struct measure *m, const char *name, struct measured *into)
{
	const char *why;
	double value;

	switch (metric_get(m->reader, name, &value, &why)) {
	case METRIC_INVALID:
		m->outcome.why = xasprintf("%s: %s", name, why);
		return measure_fail(m, REASON_METRIC_INVALID, NULL);
	case METRIC_MISSING:
		if (!is_due(m, name))
			return 0;
		m->outcome.why = xasprintf("%s was not printed", name);
		return measure_fail(m, REASON_METRIC_MISSING, NULL);
	case METRIC_VALUE:
		break;
	}
	if (m->baseline && !m->round && measured_find(&m->measured, name)) {
		m->outcome.why = xasprintf("'%s' was printed by an earlier stage already; a metric belongs to one stage", name);
		return measure_fail(m, REASON_METRIC_INVALID, NULL);
	}
	measured_add(into, name, value);
	return 0;
}

/* One sample's numbers, each exactly once. */
static void collect(struct measure *m, struct measured *into)
{
	const struct strs *names = &m->bench->metrics;

	metric_reader_end(m->reader);
	for (size_t i = 0; i < names->n && m->outcome.reason == REASON_NONE; i++)
		if (is_its(m, names->v[i]))
			collect_one(m, names->v[i], into);
}

static void add_values(struct event *line, const struct measured *values)
{
	for (size_t i = 0; i < values->n; i++) {
		STR text = STR_INIT;

		for (size_t k = 0; k < values->s[i].n; k++) {
			char num[NUM_TEXT];

			num_format(values->s[i].v[k], num);
			str_printf(&text, "%s%s", k ? "," : "", num);
		}
		event_add(line, values->s[i].metric, text.buf);
	}
}

static void pool_values(struct measured *into, const struct measured *from)
{
	for (size_t i = 0; i < from->n; i++)
		for (size_t k = 0; k < from->s[i].n; k++)
			measured_add(into, from->s[i].metric, from->s[i].v[k]);
}

/* The stage is over, well or not: its one line for the record. */
static int stage_line(struct measure *m, const struct task_end *end, struct err *err)
{
	struct task_end whole = end ? *end : (struct task_end){ 0 };
	EVENT line = { 0 };

	whole.wall = m->stage_wall;
	whole.cpu = m->stage_cpu;
	whole.maxrss = m->stage_rss;
	event_add(&line, "stage", stage_of(m)->name);
	measure_add_end(&line, &whole);
	measure_add_outcome(&line, &m->outcome);
	add_values(&line, &m->pending);
	return measure_tell(m, "evaluate", &line, err);
}

static int stop(struct measure *m, const struct task_end *end, struct err *err)
{
	if (stage_line(m, end, err) < 0)
		return err->code;
	turn_drop(m->bench->turns, &m->turn);
	workspace_release(m->ws);
	m->ws = NULL;
	return m->end(m->data, m, err);
}

static int stage_over(struct measure *m, struct err *err)
{
	if (stage_line(m, NULL, err) < 0)
		return err->code;
	pool_values(&m->measured, &m->pending);
	measured_free(&m->pending);
	m->stage++;
	m->sample = 0;
	m->stage_wall = m->stage_cpu = m->stage_rss = 0;
	turn_drop(m->bench->turns, &m->turn);
	return next(m, err);
}

static int sample_line(struct measure *m, const struct task_end *end, const struct measured *values, struct err *err)
{
	EVENT line = { 0 };

	event_add(&line, "stage", stage_of(m)->name);
	event_add_int(&line, "sample", m->sample + 1);
	measure_add_end(&line, end);
	add_values(&line, values);
	return measure_tell(m, "sample", &line, err);
}

static bool over_ratio(const struct measure *m)
{
	const struct policy *p = m->bench->policy;

	return p->execute.command && !m->baseline &&
	       (double)m->evaluation > p->evaluation_ratio * (double)p->execute.budget.wall;
}

static int sample_ended(void *data, struct task *task, const struct task_end *end, struct err *err)
{
	struct measure *m = data;
	CLEANUP(measured_free) struct measured values = { 0 };

	m->task = NULL;
	measure_log(&m->evaluate_log, stage_of(m)->command, task);
	task_free(task);
	if (end->cancelled)
		return m->end(m->data, m, err);
	if (m->rebuilding) {
		m->stage++;
		turn_drop(m->bench->turns, &m->turn);
		return next(m, err);
	}
	m->stage_wall += end->wall;
	m->stage_cpu += end->cpu;
	m->stage_rss = end->maxrss > m->stage_rss ? end->maxrss : m->stage_rss;
	m->evaluation += end->wall;
	measure_judge_exit(m, end, stage_of(m)->name, yields_goal(m));
	if (m->outcome.reason == REASON_TIMEOUT && over_ratio(m)) {
		m->outcome.reason = REASON_BUDGET;
		m->outcome.why = xstrdup("evaluation took more than evaluation_ratio allows");
	}
	if (m->outcome.reason == REASON_NONE && stage_of(m)->metrics == METRICS_FILE && metrics_file(m, err) < 0)
		return err->code;
	if (m->outcome.reason == REASON_NONE)
		collect(m, &values);
	metric_reader_free(m->reader);
	m->reader = NULL;
	pool_values(&m->pending, &values);
	if (m->outcome.reason != REASON_NONE)
		return stop(m, end, err);
	if (sample_line(m, end, &values, err) < 0)
		return err->code;
	m->outcome.stage = NULL;
	m->outcome.exit = -1;
	m->sample++;
	return next(m, err);
}

/* What is left of evaluation_ratio caps the sample; a baseline shows what it takes and is not cut. */
static int64_t sample_wall(const struct measure *m)
{
	const struct policy *p = m->bench->policy;
	int64_t wall = stage_of(m)->budget.wall;
	double left;

	if (!p->execute.command || m->baseline || m->trial)
		return wall;
	left = p->evaluation_ratio * (double)p->execute.budget.wall - (double)m->evaluation;
	if (wall > 0 && (double)wall < left)
		return wall;
	if (left >= (double)INT64_MAX)
		return 0;
	return left < (double)NS_MIN_SAMPLE ? NS_MIN_SAMPLE : (int64_t)left;
}

/* Numbers that were there before the command ran are nobody's measurement. */
static int metrics_tracked(struct measure *m, struct err *err)
{
	m->outcome.stage = stage_of(m)->name;
	m->outcome.path = xstrdup(stage_of(m)->metrics_path);
	measure_fail(m, REASON_SURFACE, "the file that the stage writes its metrics to is tracked");
	return stop(m, NULL, err);
}

static int start_sample(void *data, struct err *err)
{
	struct measure *m = data;
	static const struct strs none;
	const struct stage *s = stage_of(m);
	CLEANUP(strs_free) struct strs env = { 0 };
	AUTOFREE char *touched = NULL;
	struct task_spec spec;
	int number = m->round * s->samples_max + (m->rebuilding ? 0 : m->sample) + 1;

	if (workspace_touched(m->ws, &touched, err) < 0)
		return err->code;
	if (touched) {
		m->outcome.stage = s->name;
		m->outcome.path = touched;
		touched = NULL;
		measure_fail(m, REASON_SURFACE, "a tracked file was changed while it was measured");
		return stop(m, NULL, err);
	}
	if (s->metrics == METRICS_FILE && workspace_remove(m->ws, s->metrics_path, err) < 0)
		return err->code == ERR_REFUSED ? metrics_tracked(m, err) : err->code;
	metric_reader_free(m->reader);
	m->reader = metric_reader_new(&m->bench->metrics, s->metrics != METRICS_STDOUT);
	measure_env(m, &none, m->ws, s->name, number, &env);
	spec = (struct task_spec){
		.command = s->command, .dir = workspace_dir(m->ws),
		.enclosure = workspace_enclosure(m->ws), .env = &env, .wall = sample_wall(m),
		.output = s->budget.output, .metrics_fd = s->metrics == METRICS_FD, .sink = sink, .sink_data = m,
		.close_fds = m->bench->close_fds,
	};
	if (task_start(m->bench->reactor, &spec, sample_ended, m, &m->task, err) < 0)
		return err_wrap(err, "cannot start stage '%s'", s->name);
	return 0;
}

/* A baseline has run all stages: every metric of the policy must have come, from one stage each. */
static void baseline_complete(struct measure *m)
{
	const struct strs *names = &m->bench->metrics;

	for (size_t i = 0; i < names->n && m->outcome.reason == REASON_NONE; i++)
		if (!measured_find(&m->measured, names->v[i])) {
			m->outcome.why = xasprintf("no stage printed '%s'", names->v[i]);
			measure_fail(m, REASON_METRIC_MISSING, NULL);
		}
}

static int next(struct measure *m, struct err *err)
{
	if (m->cancelled)
		return m->end(m->data, m, err);
	if (m->rebuilding && m->stage >= m->resume_stage)
		m->rebuilding = false;
	if (m->stage < m->stages && !m->rebuilding && m->sample >= stage_of(m)->samples_max)
		return stage_over(m, err);
	if (m->stage < m->stages)	/* a stage's samples share one turn */
		return m->turn.held ? start_sample(m, err)
				    : turn_take(m->bench->turns, &m->turn, stage_of(m)->exclusive, start_sample, m, err);
	workspace_release(m->ws);
	m->ws = NULL;
	if (m->baseline && m->stages == m->bench->policy->n_stages)
		baseline_complete(m);
	return m->end(m->data, m, err);
}

/* A candidate that tracks a file where an artifact belongs is to blame itself. */
static int artifacts_refused(struct measure *m, struct err *err)
{
	if (err->code != ERR_REFUSED)
		return err_wrap(err, "cannot hand over the artifacts of experiment %d", m->number);
	workspace_release(m->ws);
	m->ws = NULL;
	measure_fail(m, REASON_SURFACE, err->msg);
	return m->end(m->data, m, err);
}

int measure_evaluate(struct measure *m, struct err *err)
{
	const struct policy *p = m->bench->policy;

	if (m->failed)
		return m->end(m->data, m, err);
	outcome_clear(&m->outcome);
	if (m->stage >= m->stages)
		return m->end(m->data, m, err);
	if (workspace_open(m->bench->pool, &m->commit, &m->tree, &m->ws, err) < 0)
		return err_wrap(err, "cannot open a workspace to evaluate in");
	if (p->execute.command && p->execute.artifacts.n &&
	    workspace_place(m->ws, m->keep, &p->execute.artifacts, err) < 0)
		return artifacts_refused(m, err);
	/* After a crash the workspace is new: stages that are measured already run once more for what they build, unmeasured. */
	if (m->stage > 0) {
		m->resume_stage = m->stage;
		m->stage = 0;
		m->rebuilding = true;
	}
	return next(m, err);
}
