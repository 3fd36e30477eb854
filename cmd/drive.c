#include "cmd/drive.h"

#include <ctype.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"
#include "report/table.h"
#include "report/width.h"
#include "report/words.h"

struct screen {
	bool live;		/* a line is repainted on stderr */
	bool drawn;
	bool colour;
	bool quiet;
	size_t width;		/* of stdout's terminal; 0: none */
	int ready;		/* --detach: where the starter waits; -1 */
};

static void wipe(struct screen *s)
{
	if (s->drawn)
		fputs("\r\033[K", stderr);
	s->drawn = false;
}

static size_t columns(void)
{
	struct winsize w;

	return ioctl(STDERR_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col > 20 ? w.ws_col - 1u : 79;
}

static void add_time(struct str *line, const struct event *live, const char *key, const char *before, const char *after)
{
	char text[NUM_TEXT];
	int64_t ns;

	if (!event_get_secs(live, key, &ns))
		return;
	if (ns < NS_PER_S)
		snprintf(text, sizeof(text), "0s");
	else
		num_format_duration(ns / NS_PER_S * NS_PER_S, text);
	str_printf(line, "%s%s%s", before, text, after);
}

/* Nothing where there is no text. */
static void add_text(struct str *line, const char *before, const char *text, const char *after)
{
	if (text)
		str_printf(line, "%s%s%s", before, text, after);
}

/* experiment, phase, elapsed, best, budget left */
static void paint(void *data, const struct event *live)
{
	struct screen *s = data;
	const char *left = event_get(live, "experiments_left");
	STR line = STR_INIT, cut = STR_INIT;

	if (!s->live)
		return;
	add_text(&line, "", event_get(live, "open"), " | ");
	add_text(&line, "experiment ", event_get(live, "experiment"), " ");
	for (const char *p = event_get(live, "phase"); p && *p; p++)
		str_putc(&line, (char)tolower((unsigned char)*p));
	add_text(&line, " ", event_get(live, "stage"), "");
	add_text(&line, " #", event_get(live, "sample"), "");
	add_time(&line, live, "phase_wall", " ", "");
	add_text(&line, " | best ", event_get(live, "best"), "");
	add_text(&line, " | ", left, " experiments");
	add_time(&line, live, "wall_left", left ? ", " : " | ", "");
	if (left || event_get(live, "wall_left"))
		str_puts(&line, " left");
	text_line(line.buf, line.len, columns(), &cut);
	fprintf(stderr, "\r\033[K%s", cut.buf);
	fflush(stderr);
	s->drawn = true;
}

static void say(void *data, const char *line)
{
	STR safe = STR_INIT;

	wipe(data);
	text_visible(line, strlen(line), true, &safe);
	fprintf(stderr, "%s\n", safe.buf);
}

/* number, verdict, value, gain (positive is better), subject: as git harness log shows them */
static void verdict_line(void *data, const struct history *h, const struct record *r)
{
	struct screen *s = data;
	STR line = STR_INIT, subject = STR_INIT, verdict = STR_INIT;
	char value[NUM_TEXT], gain[NUM_TEXT];
	const char *colour = r->verdict == VERDICT_ACCEPT ? COLOUR_GOOD : r->verdict == VERDICT_ESCALATE ? COLOUR_ASK : COLOUR_DIM;

	wipe(s);
	if (s->quiet)
		return;
	words_verdict(r, &verdict);
	words_number(r->has_value ? r->value : (double)NAN, value);
	words_delta(r->has_value && r->has_best ? words_gain(h->policy, r->best, r->value) : (double)NAN, gain);
	words_subject(r, &subject);
	str_printf(&line, "%4d  %-23s  %12s  %11s  %s", r->number, verdict.buf, value, gain, subject.buf);
	if (s->colour)
		fputs(colour, stdout);
	str_clear(&subject);
	if (s->width)
		width_cut(line.buf, s->width, &subject);
	else
		str_puts(&subject, line.buf);
	printf("%s%s\n", subject.buf, s->colour ? COLOUR_OFF : "");
	fflush(stdout);
}

static void waiting(const struct history *h)
{
	for (int i = 0; (i = history_next(h, i, RECORD_WAITING)) >= 0; i++)
		printf("experiment %d waits for a person (%s): git harness show %d, then approve %d or deny %d -m <why>\n", i,
		       reason_names[history_record(h, i)->reason], i, i, i);
}

static void summary(const struct history *h, const struct loop_result *r)
{
	const struct record *first = history_record(h, h->last_baseline), *best = history_record(h, h->best_number);
	char a[NUM_TEXT], b[NUM_TEXT];

	printf("%s: %s; %d experiment%s, %d accepted\n", h->campaign, *r->why ? r->why : "stopped", r->experiments,
	       r->experiments == 1 ? "" : "s", r->accepted);
	if (first && best && first->has_value && best->has_value) {
		num_format(first->value, a);
		num_format(best->value, b);
		printf("best: %s %s", h->policy->goal.metric, b);
		if (best->baseline)
			printf(" (the baseline)\n");
		else
			printf(" (experiment %d; baseline %s)\n", best->number, a);
	}
	waiting(h);
	if (r->end == LOOP_SIGNAL)
		printf("git harness resume goes on\n");
}

static int exit_of(const struct drive *d, const struct history *h, const struct loop_result *r)
{
	if (r->end == LOOP_BROKEN)
		return 125;
	if (r->end == LOOP_SIGNAL)
		return 128 + r->signal;
	if (r->end == LOOP_ESCALATED || history_waiting(h))
		return 2;
	return d->exit_code && !r->gain ? 1 : 0;
}

/* From here on the output of a detached loop goes to its log. */
static int let_starter_go(struct screen *s, const struct cmd_ctx *ctx, struct err *err)
{
	AUTOFREE char *path = xasprintf("%s/log", ctx->state_dir);
	AUTOCLOSE int log = open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0644);
	AUTOCLOSE int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (log < 0 || nothing < 0)
		return err_errno(err, "cannot open '%s'", log < 0 ? path : "/dev/null");
	if (write(s->ready, "", 1) != 1)
		return err_errno(err, "cannot tell the starter");
	close(s->ready);
	s->ready = -1;
	fflush(NULL);
	if (dup2(nothing, STDIN_FILENO) < 0 || dup2(log, STDOUT_FILENO) < 0 || dup2(log, STDERR_FILENO) < 0)
		return err_errno(err, "cannot write to '%s'", path);
	return 0;
}

static int run(struct cmd_ctx *ctx, struct drive *d, struct screen *s, struct err *err)
{
	struct loop_result result = { 0 };
	struct loop *loop;
	int rc;

	d->loop.tell = say;
	d->loop.live = paint;
	d->loop.recorded = verdict_line;
	d->loop.data = s;
	if (loop_open(ctx->repo, &d->loop, &loop, err) < 0) {
		wipe(s);
		return err->code;
	}
	if (s->ready >= 0 && let_starter_go(s, ctx, err) < 0) {
		loop_free(loop);
		return err->code;
	}
	rc = loop_run(loop, &result, err);
	wipe(s);
	if (rc >= 0) {
		if (!ctx->quiet)
			summary(loop_history(loop), &result);
		ctx->exit = exit_of(d, loop_history(loop), &result);
	}
	loop_free(loop);
	return rc;
}

static int await_child(struct cmd_ctx *ctx, pid_t pid, int ready, struct err *err)
{
	ssize_t n;
	int status;
	char byte;

	n = read(ready, &byte, 1);
	close(ready);
	if (n == 1) {
		printf("running as process %d; git harness status --watch shows it, git harness stop ends it\nlog: %s/log\n",
		       (int)pid, ctx->state_dir);
		return 0;
	}
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status) || !WEXITSTATUS(status))
		return err_set(err, ERR_REFUSED, "the loop ended before it could start");
	ctx->exit = WEXITSTATUS(status);	/* it has said why */
	return 0;
}

/* The child goes on without the terminal; the starter waits until it holds the lock or has failed, so that an error is seen here. */
static int detach(struct cmd_ctx *ctx, struct drive *d, struct screen *s, struct err *err)
{
	int ready[2];
	pid_t pid;

	fflush(NULL);
	if (pipe2(ready, O_CLOEXEC) < 0)
		return err_errno(err, "cannot make a pipe");
	pid = fork();
	if (pid < 0)
		return err_errno(err, "cannot fork");
	if (pid) {
		close(ready[1]);
		return await_child(ctx, pid, ready[0], err);
	}
	close(ready[0]);
	setsid();
	s->ready = ready[1];
	s->live = s->colour = false;
	s->width = 0;
	return run(ctx, d, s, err);
}

int drive(struct cmd_ctx *ctx, struct drive *d, struct err *err)
{
	struct screen s = {
		.live = ctx->progress, .colour = cmd_colour(ctx, stdout),
		.quiet = ctx->quiet, .width = table_terminal(false), .ready = -1,
	};
	AUTOFREE char *hooks = NULL;
	struct err nowhere;

	signal(SIGPIPE, SIG_IGN);	/* a reader that goes away, a `tee` that the same Ctrl-C ended, must not end the loop */
	if (cmd_data("hooks", &hooks, &nowhere) == 0)
		d->loop.hooks = hooks;
	d->loop.campaign = ctx->campaign;
	return d->detach ? detach(ctx, d, &s, err) : run(ctx, d, &s, err);
}
