/* The loop's own life: the reactor, signals, requests of people, and what comes next. */
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/mem.h"
#include "loop/session.h"

typedef int enter_fn(struct experiment *x, struct err *err);

static enter_fn *const enter[STATE_N] = {
	[BUDGET] = enter_budget, [BASELINE] = enter_baseline, [PROPOSE] = enter_propose, [CHECK] = enter_check,
	[EXECUTE] = enter_execute, [EVALUATE] = enter_evaluate, [DECIDE] = enter_decide, [ACCEPT] = enter_judged,
	[REJECT] = enter_judged, [ESCALATE] = enter_judged, [RECORD] = enter_record, [DONE] = enter_done,
};

void loop_say(struct loop *l, const char *fmt, ...)
{
	AUTOFREE char *text = NULL;
	va_list ap;

	if (!l->options.tell)
		return;
	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	va_end(ap);
	l->options.tell(l->options.data, text ? text : fmt);
}

int64_t loop_elapsed(const struct loop *l)
{
	return l->wall_before + clock_mono() - l->opened;
}

struct spent loop_spent(const struct loop *l)
{
	struct spent s = l->h->spent;

	s.wall = loop_elapsed(l);
	s.in_flight = (int64_t)loop_in_flight(l, KIND_NEW);
	return s;
}

/* ---- live state ---- */

static const char *const end_names[] = {
	[LOOP_ENDED] = "ended", [LOOP_STOPPED] = "stopped", [LOOP_ESCALATED] = "escalated", [LOOP_BROKEN] = "broken",
	[LOOP_SIGNAL] = "signal",
};

/* "3", or "3, 4, 7": what has a number. */
static void list_open(const struct loop *l, struct str *ret)
{
	for (size_t i = 0; i < l->n_slots; i++)
		if (l->slots[i].open)
			str_printf(ret, "%s%d", ret->len ? ", " : "", l->slots[i].number);
}

static const struct experiment *shown(const struct loop *l)
{
	for (size_t i = 0; !l->shown->open && i < l->n_slots; i++)
		if (l->slots[i].open)
			return &l->slots[i];
	return l->shown;
}

static int tell_live(struct loop *l, struct err *err)
{
	AUTOFREE char *path = xasprintf("%s/live", l->state_dir);
	const struct experiment *x = shown(l);
	struct spent s = loop_spent(l);
	EVENT live = { 0 };
	STR text = STR_INIT, open = STR_INIT;
	char now[CLOCK_TEXT];
	double best = history_best_value(l->h);
	int sample = 0;

	clock_format(clock_wall(), now);
	event_add(&live, "t", now);
	event_add_int(&live, "pid", getpid());
	if (x->open)
		event_add_int(&live, "experiment", x->number);
	list_open(l, &open);
	if (loop_in_flight(l, KIND_ANY) > 1)
		event_add(&live, "open", open.buf);
	event_add(&live, "phase", state_names[x->state]);
	if (x->run.bench && x->state == EVALUATE)
		event_add(&live, "stage", measure_phase(&x->run, &sample));
	if (sample)
		event_add_int(&live, "sample", sample);
	event_add_secs(&live, "phase_wall", x->since ? clock_mono() - x->since : 0);
	if (!isnan(best))
		event_add_num(&live, "best", best);
	if (l->policy->budget.experiments >= 0)
		event_add_int(&live, "experiments_left", l->policy->budget.experiments - s.experiments);
	if (l->policy->budget.wall >= 0)
		event_add_secs(&live, "wall_left", l->policy->budget.wall - s.wall);
	event_add_secs(&live, "elapsed", s.wall);
	if (l->ended) {
		event_add(&live, "end", end_names[l->result.end]);
		event_add(&live, "why", l->result.why);
		event_add_oid(&live, "tip", &l->h->tip);
	}
	event_format(&live, &text);
	str_putc(&text, '\n');
	if (l->options.live)
		l->options.live(l->options.data, &live);
	return io_replace(path, text.buf, text.len, 0644, 0, err);
}

static int tick(void *data, struct err *err)
{
	struct loop *l = data;

	watch_free(l->tick);
	l->tick = NULL;
	if (tell_live(l, err) < 0)
		return err->code;
	return reactor_timer(l->reactor, clock_mono() + NS_PER_S, tick, l, &l->tick, err);
}

/* ---- the machine ---- */

int experiment_post(struct experiment *x, enum move on)
{
	x->posted = on;
	return 0;
}

static int step(struct experiment *x, enum move on, struct err *err)
{
	const struct edge *e = edge_find(x->state, on);
	EVENT line = { 0 };

	if (!e)
		return err_set(err, ERR_BUG, "no edge from %s on %s", state_names[x->state], move_names[on]);
	event_add(&line, "event", "move");
	if (x->open)
		event_add_int(&line, "experiment", x->number);
	event_add(&line, "from", state_names[e->in]);
	event_add(&line, "on", move_names[on]);
	event_add(&line, "to", state_names[e->to]);
	if (e->in == CHECK)	/* what is measured from here on */
		event_add_oid(&line, "tree", &x->tree);
	event_add_secs(&line, "elapsed", loop_elapsed(x->loop));
	if (e->in != RECORD && experiment_journal(x, &line, false, err) < 0)
		return err->code;		/* on disk before it is true; what is recorded needs no journal any more */
	x->since = clock_mono();
	x->state = e->to;			/* the only place where state changes */
	x->loop->shown = x;
	if (tell_live(x->loop, err) < 0)
		return err->code;
	return enter[x->state](x, err);
}

/* Flat on purpose: a series of duplicates must not grow the stack. */
int experiment_pump(struct experiment *x, struct err *err)
{
	int rc = 0;

	if (x->pumping)
		return 0;
	/* Told to end while a step was ending by itself: what it found is in the journal, and the move is not made. */
	if (x->loop->halting && x->posted >= 0 && x->posted != MOVE_DISCARDED) {
		x->posted = -1;
		return loop_cancelled(x, err);
	}
	x->pumping = true;
	while (x->posted >= 0 && rc >= 0) {
		enum move on = (enum move)x->posted;

		x->posted = -1;
		rc = step(x, on, err);
	}
	x->pumping = false;
	return rc < 0 ? rc : loop_drive(x->loop, err);
}

void experiment_reset(struct experiment *x)
{
	struct loop *l = x->loop;
	bool pumping = x->pumping;
	size_t slot = x->slot;

	task_free(x->agent);
	if (x->ws)
		workspace_release(x->ws);
	watch_free(x->pause);
	measure_clear(&x->run);
	measure_clear(&x->trial);
	outcome_clear(&x->blame);
	proposal_clear(&x->proposal);
	event_free(&x->facts);
	events_free(&x->lines);
	events_free(&x->journal);
	free(x->dir);
	free(x->keep);
	free(x->keep_state);
	strs_free(&x->dropped_paths);
	free(x->why);
	free(x->path);
	*x = (struct experiment){ .loop = l, .slot = slot, .posted = -1, .exit = -1, .pumping = pumping, .state = BUDGET };
	x->proposal.confidence = (double)NAN;
	x->blame.exit = -1;
}

enum move experiment_blame(struct experiment *x, enum verdict verdict, enum reason reason, const char *why)
{
	free(x->why);
	x->why = xstrdup(why);
	x->reason = reason;
	x->decision = (struct decision){ .verdict = verdict, .reason = reason };
	return verdict == VERDICT_ESCALATE ? MOVE_ASK : MOVE_REFUSED;
}

/* ---- stopping ---- */

bool experiment_is_running(const struct experiment *x)
{
	return x->agent || x->run.task || x->trial.task;
}

static void cancel(struct experiment *x, bool at_once)
{
	if (x->agent)
		task_cancel(x->agent, at_once);
	measure_cancel(&x->run, at_once);
	measure_cancel(&x->trial, at_once);
}

void loop_stop_when_quiet(struct loop *l)
{
	l->stop = !loop_is_running(l);
}

/* The children are gone on a person's word: the open experiment stays in the journal, or is recorded as interrupted. */
int loop_cancelled(struct experiment *x, struct err *err)
{
	struct loop *l = x->loop;

	if (!x->open) {		/* asked in BUDGET, which opens no other then */
		l->stop_after = true;
		return 0;
	}
	if (!l->discard || x->kind == KIND_BASELINE) {
		loop_stop_when_quiet(l);
		return 0;
	}
	if ((!x->taken && x->kind == KIND_NEW) || oid_is_zero(&x->tree))	/* not checked: nothing may come of it */
		x->tree = x->base_tree;
	l->stop_after = true;
	experiment_blame(x, VERDICT_REJECT, REASON_INTERRUPTED, "stopped and discarded by a person");
	experiment_post(x, MOVE_DISCARDED);
	return experiment_pump(x, err);
}

/* loop_cancelled() comes with the end of each task; what has none is ended here. */
static int stop_at_once(struct loop *l, struct err *err)
{
	int rc = 0;

	l->halting = true;
	l->result.end = l->signal ? LOOP_SIGNAL : LOOP_STOPPED;
	l->result.signal = l->signal;
	if (!loop_in_flight(l, KIND_ANY))	/* asked in BUDGET, which opens no other then */
		l->stop_after = true;
	for (size_t i = 0; i < l->n_slots; i++)
		cancel(&l->slots[i], false);
	for (size_t i = 0; i < l->n_slots && rc >= 0; i++) {
		struct experiment *x = &l->slots[i];

		if (!x->open || experiment_is_running(x))
			continue;
		watch_free(x->pause);
		x->pause = NULL;
		rc = loop_cancelled(x, err);
	}
	return rc;
}

static void end_children(struct experiment *x)
{
	task_free(x->agent);
	x->agent = NULL;
	measure_clear(&x->run);
	measure_clear(&x->trial);
}

static int on_signal(void *data, struct err *err)
{
	struct loop *l = data;
	struct signalfd_siginfo info;

	if (read(l->signal_fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return 0;
	if (info.ssi_signo == SIGHUP)
		return 0;	/* go on without the terminal */
	if (l->signal) {	/* the second one ends at once */
		for (size_t i = 0; i < l->n_slots; i++)
			end_children(&l->slots[i]);
		l->stop = true;
		return 0;
	}
	l->signal = (int)info.ssi_signo;
	loop_say(l, loop_in_flight(l, KIND_ANY) > 1
		 ? "ending the running steps; the open experiments are kept for git harness resume"
		 : "ending the running step; the open experiment is kept for git harness resume");
	return stop_at_once(l, err);
}

/* ---- requests ---- */

static void say_what_stops(const struct loop *l, bool now, struct event *answer)
{
	size_t n = loop_in_flight(l, KIND_ANY);
	bool recorded = l->discard && n > loop_in_flight(l, KIND_BASELINE);
	STR open = STR_INIT;

	list_open(l, &open);
	if (!now && !n)
		event_addf(answer, "message", "stops before experiment %d", loop_free_number(l));
	else if (!n)
		event_add(answer, "message", "stopping; no experiment is open");
	else if (!now)
		event_addf(answer, "message", "stops after experiment%s %s", n > 1 ? "s" : "", open.buf);
	else if (recorded)
		event_addf(answer, "message", n > 1 ? "stopping; experiments %s are recorded as interrupted"
			   : "stopping; experiment %s is recorded as interrupted", open.buf);
	else
		event_addf(answer, "message", n > 1 ? "stopping; experiments %s stay open for git harness resume"
			   : "stopping; experiment %s stays open for git harness resume", open.buf);
}

static int answer_stop(struct loop *l, const struct event *request, struct event *answer, struct err *err)
{
	bool now = event_is(request, "now", "1");

	event_add(answer, "status", "ok");
	l->discard = now && event_is(request, "discard", "1");
	say_what_stops(l, now, answer);
	if (now)
		return stop_at_once(l, err);
	l->stop_after = true;
	return 0;
}

static int answer_one(struct loop *l, const struct event *request, const char *id, struct err *err)
{
	EVENT answer = { 0 };
	int rc;

	if (event_is(request, "ask", "stop"))
		rc = answer_stop(l, request, &answer, err);
	else
		rc = act_answer(l->repo, l->h, l->journal, request, &answer, err);
	l->policy = l->h->policy;
	if (rc < 0)
		return rc;
	return inbox_answer(l->state_dir, id, &answer, err);
}

/* Between experiments everything is answered; while one runs, a rollback, which would move best under it, waits until none does. */
int loop_serve(struct loop *l, bool running, struct err *err)
{
	CLEANUP(events_free) struct events requests = { 0 };
	CLEANUP(strs_free) struct strs ids = { 0 };

	if (l->serving)		/* what was asked for ends an experiment, and BUDGET asks again */
		return 0;
	if (inbox_read(l->state_dir, &requests, &ids, err) < 0)
		return err->code;
	l->drain = false;
	l->serving = true;
	for (size_t i = 0; i < requests.n; i++) {
		if (running && event_is(&requests.v[i], "ask", "rollback")) {
			l->drain = true;
			continue;
		}
		if (answer_one(l, &requests.v[i], ids.v[i], err) < 0)
			return err_wrap(err, "cannot answer a request");
	}
	l->serving = false;
	return 0;
}

static int on_inbox(void *data, struct err *err)
{
	struct loop *l = data;
	char drop[4096];

	while (read(l->inbox_fd, drop, sizeof(drop)) > 0)
		;
	if (loop_serve(l, true, err) < 0)
		return err->code;
	l->wake = true;		/* an approval may be something for an idle slot to do */
	return loop_drive(l, err);
}

/* ---- run ---- */

static int watch_signals(struct loop *l, sigset_t *before, struct err *err)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, before) < 0)
		return err_errno(err, "cannot block signals");
	l->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (l->signal_fd < 0)
		return err_errno(err, "cannot watch signals");
	return reactor_fd(l->reactor, l->signal_fd, EPOLLIN, on_signal, l, &l->signals, err);
}

static bool is_decided(const struct experiment *x)
{
	return x->state == ACCEPT || x->state == REJECT || x->state == ESCALATE || x->state == RECORD;
}

/* What was decided when the last owner died goes first, as it would have; then the others, then the idle ones. */
static int start_slots(struct loop *l, struct err *err)
{
	int rc = 0;

	l->driving = true;
	for (int turn = 0; turn < 2; turn++)
		for (size_t i = 0; i < l->n_slots && rc >= 0; i++) {
			struct experiment *x = &l->slots[i];

			if (!x->resumed || is_decided(x) != (turn == 0))
				continue;
			x->resumed = false;
			rc = enter[x->state](x, err);
			if (rc >= 0)
				rc = experiment_pump(x, err);
		}
	l->driving = false;
	l->wake = true;
	return rc < 0 ? rc : loop_drive(l, err);
}

int loop_run(struct loop *l, struct loop_result *ret, struct err *err)
{
	sigset_t before;
	int rc;

	l->inbox_fd = inbox_watch(l->state_dir, err);
	if (l->inbox_fd < 0 || watch_signals(l, &before, err) < 0 ||
	    reactor_fd(l->reactor, l->inbox_fd, EPOLLIN, on_inbox, l, &l->inbox, err) < 0 ||
	    tick(l, err) < 0)
		return err->code;
	rc = start_slots(l, err);
	if (rc >= 0)
		rc = reactor_run(l->reactor, &l->stop, err);
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (rc < 0)
		return rc;
	l->ended = true;
	*ret = l->result;
	return tell_live(l, err);
}
