#include "report/state.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "report/explain.h"
#include "report/table.h"
#include "report/width.h"

#define WAITING_MAX 5
#define DETAIL_COLUMNS 400

static const char *const words[] = {
	[STATE_RUNNING] = "running", [STATE_STOPPED] = "stopped", [STATE_WAITING] = "waiting", [STATE_ENDED] = "ended",
};

static const char *const colours[] = {
	[STATE_RUNNING] = COLOUR_GOOD, [STATE_STOPPED] = COLOUR_BOLD, [STATE_WAITING] = COLOUR_ASK, [STATE_ENDED] = COLOUR_BOLD,
};

static const char *const ends[] = {
	[BUDGET_GO] = "", [BUDGET_EXPERIMENTS] = "its experiments are used up", [BUDGET_WALL] = "its time is used up",
	[BUDGET_TOKENS] = "its tokens are used up", [BUDGET_USD] = "its money is used up",
	[BUDGET_PLATEAU] = "no gain for as many experiments as its plateau permits", [BUDGET_TARGET] = "its target is reached",
	[BUDGET_FAILURES] = "too many failures in a row",
};

static double best_value(const struct history *h)
{
	double v;

	return h->best_measured && measured_value(h->best_measured, h->policy->goal.metric, &v) ? v : NAN;
}

static enum budget_end budget_end(const struct history *h)
{
	return h->needs_baseline ? BUDGET_GO : budget_check(h->policy, &h->spent, best_value(h));
}

static const char *live(const struct state_in *in, const char *key)
{
	return in->live ? event_get(in->live, key) : NULL;
}

/* Why the last loop ended by the campaign's own rules, where nothing was recorded since; NULL. */
static const char *last_end(const struct state_in *in)
{
	struct oid tip;

	if (!in->live || !event_is(in->live, "end", "ended") || !event_get_oid(in->live, "tip", &tip) ||
	    !oid_eq(&tip, &in->history->tip))
		return NULL;
	return event_get(in->live, "why");
}

enum state state_of(const struct state_in *in)
{
	if (in->running)
		return STATE_RUNNING;
	if (in->history->loop_waits)
		return STATE_WAITING;
	if (history_waiting(in->history))
		return STATE_WAITING;
	return budget_end(in->history) != BUDGET_GO || last_end(in) ? STATE_ENDED : STATE_STOPPED;
}

const char *state_word(enum state s)
{
	return words[s];
}

static void why_running(const struct state_in *in, struct str *ret)
{
	static const struct {
		const char *key, *before;
	} parts[] = { { "experiment", "experiment " }, { "phase", ", " }, { "stage", " " }, { "sample", ", sample " } };
	char text[NUM_TEXT];
	int64_t wall;

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		const char *value = live(in, parts[i].key);

		if (!value)
			continue;
		str_puts(ret, ret->len > 0 || i == 0 ? parts[i].before : "");
		size_t from = ret->len;
		text_line(value, strlen(value), 64, ret);
		/* the loop shouts the names of its states */
		for (; !strcmp(parts[i].key, "phase") && from < ret->len; from++)
			ret->buf[from] = (char)tolower((unsigned char)ret->buf[from]);
	}
	if (!in->live || !event_get_secs(in->live, "phase_wall", &wall) || wall < NS_PER_S)
		return;
	if (wall < 60 * NS_PER_S)
		snprintf(text, sizeof(text), "%ds", (int)(wall / NS_PER_S));
	else
		words_seconds(wall / NS_PER_S * NS_PER_S, text);
	str_printf(ret, ", for %s", text);
}

static void state_why(const struct state_in *in, struct str *ret)
{
	enum budget_end end = budget_end(in->history);
	size_t waiting = history_waiting(in->history);

	if (in->running) {
		why_running(in, ret);
		return;
	}
	if (in->history->loop_waits) {
		str_puts(ret, explain_loop(in->history->loop_waits));
		if (end == BUDGET_FAILURES)	/* said already */
			return;
	} else if (waiting > 0)
		str_printf(ret, "for a person to answer %zu experiment%s", waiting, waiting == 1 ? "" : "s");
	if (end != BUDGET_GO && ret->len > 0)
		str_puts(ret, "; ");
	str_puts(ret, ends[end]);
	if (end == BUDGET_GO && !ret->len && last_end(in))
		text_line(last_end(in), strlen(last_end(in)), 120, ret);
}

/* A line that was built without colour is cut to the terminal. */
static void line(const struct state_in *in, const char *colour, const char *text, struct str *ret)
{
	bool paint = in->colour && *colour;

	if (paint)
		str_puts(ret, colour);
	if (in->columns > 0)
		width_cut(text, in->columns, ret);
	else
		str_puts(ret, text);
	if (paint)
		str_puts(ret, COLOUR_OFF);
	str_putc(ret, '\n');
}

void state_headline(const struct state_in *in, struct str *ret)
{
	enum state s = state_of(in);
	STR why = STR_INIT;

	str_printf(ret, "campaign %s is %s", in->history->campaign, words[s]);
	state_why(in, &why);
	if (why.len > 0)
		str_printf(ret, "%s%s", s == STATE_WAITING && !in->history->loop_waits ? " " : ": ", why.buf);
}

static void head(const struct state_in *in, struct str *ret)
{
	STR text = STR_INIT;

	state_headline(in, &text);
	line(in, colours[state_of(in)], text.buf, ret);
}

static void best_line(const struct state_in *in, const struct outline *o, struct str *ret)
{
	const struct history *h = in->history;
	char value[NUM_TEXT], base[NUM_TEXT], gain[NUM_TEXT], share[NUM_TEXT];
	STR text = STR_INIT;

	if (isnan(o->best)) {
		line(in, "", "best     not measured yet", ret);
		return;
	}
	words_number(o->best, value);
	words_number(o->baseline, base);
	words_delta(o->gain, gain);
	words_percent(o->share, share);
	str_printf(&text, "best     %s %s", o->metric, value);
	if (o->gain != 0 && !isnan(o->gain))
		str_printf(&text, ", from %s at the baseline: gain %s (%s)", base, gain, share);
	else
		str_puts(&text, ", the baseline");
	line(in, "", text.buf, ret);
	if (history_record(h, h->best_number)) {
		const struct record *r = history_record(h, h->best_number);

		str_clear(&text);
		str_printf(&text, "         %.7s  %d: ", oid_hex(&h->best).s, r->number);
		words_subject(r, &text);
		line(in, COLOUR_DIM, text.buf, ret);
	}
}

/* One part of the budget line: "wall 1h 02m of 8h". */
static void part(struct str *text, const char *name, const char *used, const char *limit)
{
	str_printf(text, "%s%s %s of %s", text->len > 9 ? ", " : "", name, used, limit);
}

static void part_count(struct str *text, const char *name, int64_t used, int64_t limit)
{
	char a[NUM_TEXT], b[NUM_TEXT];

	if (limit < 0)
		return;
	words_number((double)used, a);
	words_number((double)limit, b);
	part(text, name, a, b);
}

/* The ledger knows the time of the last decision; a running loop knows better. */
static int64_t wall_used(const struct state_in *in)
{
	int64_t now;

	if (in->running && in->live && event_get_secs(in->live, "elapsed", &now) && now > in->history->spent.wall)
		return now;
	return in->history->spent.wall;
}

static void budget_line(const struct state_in *in, struct str *ret)
{
	const struct spent *s = &in->history->spent;
	const struct policy *p = in->history->policy;
	char a[NUM_TEXT], b[NUM_TEXT];
	STR text = STR_INIT;

	str_puts(&text, "budget   ");
	part_count(&text, "experiments", s->experiments, p->budget.experiments);
	if (p->budget.wall >= 0) {
		words_seconds(wall_used(in), a);
		words_seconds(p->budget.wall, b);
		part(&text, "time", a, b);
	}
	part_count(&text, "tokens", s->tokens, p->budget.tokens);
	if (p->budget.usd >= 0) {
		words_number(s->usd, a);
		words_number(p->budget.usd, b);
		part(&text, "usd", a, b);
	}
	part_count(&text, "plateau", s->plateau, p->budget.plateau);
	if (s->failures > 0)
		part_count(&text, "failures", s->failures, p->escalate.failures);
	str_puts(&text, " used");
	line(in, "", text.buf, ret);
}

static void last_verdicts(const struct state_in *in, const struct outline *o, struct str *ret)
{
	static const struct column columns[] = {
		{ .right = true }, { .right = false }, { .right = true }, { .right = true }, { .grow = true },
	};
	CLEANUP(table_free) struct table t = { 0 };
	size_t left = in->verdicts;

	if (!left || !in->history->n_records)
		return;
	table_init(&t, columns, ARRAY_SIZE(columns));
	for (size_t i = in->history->n_records; i > 0 && left > 0; i--) {
		const struct record *r = history_record(in->history, (int)i - 1);
		struct point point, *p = &point;
		char value[NUM_TEXT], gain[NUM_TEXT];
		STR verdict = STR_INIT, subject = STR_INIT;

		if (!r)
			continue;
		left--;
		point = outline_point(in->history, r);
		words_verdict(p->record, &verdict);
		words_subject(p->record, &subject);
		words_number(p->value, value);
		words_delta(outline_gain(o, p), gain);
		table_addf(&t, COLOUR_ID, "%d", p->record->number);
		table_add(&t, outcome_colour(p->outcome), verdict.buf);
		table_add(&t, "", value);
		table_add(&t, p->outcome == OUTCOME_KEPT ? COLOUR_GOOD : "", gain);
		table_add(&t, "", subject.buf);
	}
	str_putc(ret, '\n');
	table_format(&t, in->columns, in->colour, ret);
}

static void waiting_one(const struct state_in *in, const struct record *r, struct str *ret)
{
	STR text = STR_INIT, subject = STR_INIT;

	words_subject(r, &subject);
	str_printf(&text, "%d waits for an answer: %s: %s", r->number, words_reason(r->verdict, r->reason), subject.buf);
	line(in, COLOUR_ASK, text.buf, ret);
	explain_answers(in->history, r, "    ", ret);
}

static void waiting_all(const struct state_in *in, struct str *ret)
{
	const struct history *h = in->history;
	STR text = STR_INIT;
	size_t n = history_waiting(h);
	int at = 0;

	if (n > 0 || h->loop_waits)
		str_putc(ret, '\n');
	if (h->loop_waits) {
		line(in, COLOUR_ASK, "the loop waits for a person; to go on:", ret);
		str_puts(&text, "    ");
		explain_command(h, "resume", -1, "", &text);
		line(in, "", text.buf, ret);
	}
	for (int shown = 0; shown < WAITING_MAX && (at = history_next(h, at, RECORD_WAITING)) >= 0; shown++)
		waiting_one(in, history_record(h, at++), ret);
	if (n > WAITING_MAX) {
		str_clear(&text);
		str_printf(&text, "and %zu more: git harness log --verdict=escalate", n - WAITING_MAX);
		line(in, "", text.buf, ret);
	}
}

static void closing(const struct state_in *in, struct str *ret)
{
	STR text = STR_INIT;

	for (size_t i = 0; in->warnings && i < in->warnings->n; i++) {
		str_clear(&text);
		str_puts(&text, i == 0 ? "\nwarning: " : "warning: ");
		text_line(in->warnings->v[i], strlen(in->warnings->v[i]), DETAIL_COLUMNS, &text);
		str_printf(ret, "%s%s%s\n", in->colour ? COLOUR_ASK : "", text.buf, in->colour ? COLOUR_OFF : "");
	}
	if (state_of(in) != STATE_STOPPED)
		return;
	str_clear(&text);
	explain_command(in->history, "resume", -1, " goes on", &text);
	str_putc(ret, '\n');
	line(in, COLOUR_DIM, text.buf, ret);
}

void state_text(const struct state_in *in, struct str *ret)
{
	CLEANUP(outline_free) struct outline o = { 0 };

	outline_best(in->history, &o);
	head(in, ret);
	best_line(in, &o, ret);
	budget_line(in, ret);
	last_verdicts(in, &o, ret);
	waiting_all(in, ret);
	closing(in, ret);
}
