#include "ledger/record.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/num.h"

static bool record_owns(const struct event *line, const char *campaign, int number)
{
	int64_t n;

	return event_is(line, "campaign", campaign) && event_get_int(line, "experiment", &n) && n == number;
}

static int64_t line_counter(const struct event *line)
{
	int64_t n;

	return event_get_int(line, "n", &n) ? n : 0;
}

/* Lines are written in order; insertion only costs where a tool reordered them. */
static void order_lines(struct events *l, size_t from)
{
	for (size_t i = from + 1; i < l->n; i++) {
		struct event line = l->v[i];
		size_t at = i;

		for (; at > from && line_counter(&l->v[at - 1]) > line_counter(&line); at--)
			l->v[at] = l->v[at - 1];
		l->v[at] = line;
	}
}

int record_parse(const char *campaign, int number, const char *ptr, size_t len, struct events *ret, struct err *err)
{
	CLEANUP(events_free) struct events lines = { 0 };
	int nr = 0;

	while (len) {
		const char *newline = memchr(ptr, '\n', len);
		size_t used = newline ? (size_t)(newline - ptr) + 1 : len;
		struct event *line = events_push(&lines);

		nr++;
		if (!newline || !event_parse(ptr, used, line))
			return err_set(err, ERR_INVALID, "%s/%d: line %d of the record is no event line", campaign, number, nr);
		if (!record_owns(line, campaign, number))
			return err_set(err, ERR_INVALID, "%s/%d: line %d of the record belongs to another number", campaign,
				       number, nr);
		ptr += used;
		len -= used;
	}
	order_lines(&lines, 0);
	for (size_t i = 0; i < lines.n; i++)
		*events_push(ret) = lines.v[i];
	lines.n = 0;	/* moved */
	return 0;
}

static int64_t sum(int64_t known, const struct event *line, const char *key)
{
	int64_t more;

	if (!event_get_int(line, key, &more))
		return known;
	return known < 0 ? more : known + more;
}

static void take_text(const struct event *line, const char *key, char **ret)
{
	const char *value = event_get(line, key);

	if (!value)
		return;
	free(*ret);
	*ret = xstrdup(value);
}

static int fold_propose(const struct event *line, struct record *r, struct err *err)
{
	double usd;

	(void)err;
	event_get_oid(line, "base", &r->base);
	take_text(line, "agent", &r->agent);
	take_text(line, "source", &r->source);
	r->tokens_in = sum(r->tokens_in, line, "tokens_in");
	r->tokens_out = sum(r->tokens_out, line, "tokens_out");
	if (event_get_num(line, "usd", &usd))
		r->usd = r->usd < 0 ? usd : r->usd + usd;
	event_get_num(line, "confidence", &r->confidence);
	return 0;
}

static void fold_rss(const struct event *line, struct record *r)
{
	int64_t rss;

	if (event_get_int(line, "maxrss", &rss) && rss > r->maxrss)
		r->maxrss = rss;
}

static int fold_execute(const struct event *line, struct record *r, struct err *err)
{
	(void)err;
	r->run = true;
	fold_rss(line, r);
	return 0;
}

/* Keys of an evaluate line that are no metrics. */
static bool own_key(const char *key)
{
	static const char *const keys[] = {
		"t", "n", "campaign", "experiment", "event", "stage", "exit", "wall", "cpu", "maxrss", "timeout", "confirm",
		"reason", "why", "path", "suspect",	/* of a step that failed */
	};

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (!strcmp(keys[i], key))
			return true;
	}
	return false;
}

static int fold_samples(const struct pair *p, struct record *r, struct err *err)
{
	const char *at = p->value;

	for (;;) {
		size_t len = strcspn(at, ",");
		double value;

		if (!num_parse(at, len, &value))
			return err_set(err, ERR_INVALID, "'%s' of metric '%s' is no list of numbers", p->value, p->key);
		measured_add(&r->measured, p->key, value);
		if (!at[len])
			return 0;
		at += len + 1;
	}
}

static int fold_evaluate(const struct event *line, struct record *r, struct err *err)
{
	r->run = true;
	fold_rss(line, r);
	if (r->judged) {	/* this begins a new measurement */
		measured_free(&r->measured);
		r->judged = false;
	}
	for (size_t i = 0; i < line->n; i++) {
		if (!own_key(line->pairs[i].key) && fold_samples(&line->pairs[i], r, err) < 0)
			return err->code;
	}
	return 0;
}

/* Best moved while it was measured: what it beat does not count any more, it is measured again on the new best. */
static int fold_rebase(const struct event *line, struct record *r, struct err *err)
{
	(void)err;
	measured_free(&r->measured);
	event_get_oid(line, "base", &r->base);
	event_get_oid(line, "tree", &r->tree);
	event_get_oid(line, "draft", &r->draft);
	return 0;
}

static int fold_decide(const struct event *line, struct record *r, struct err *err)
{
	const char *verdict = event_get(line, "verdict"), *reason = event_get(line, "reason");
	int64_t level;

	if (!verdict || !verdict_parse(verdict, &r->verdict) || !reason || !reason_parse(reason, &r->reason))
		return err_set(err, ERR_INVALID, "no verdict and reason that are known (verdict=%s reason=%s)",
			       verdict ? verdict : "", reason ? reason : "");
	r->judged = true;
	r->approved = false;
	r->waiting = r->verdict == VERDICT_ESCALATE;
	r->has_value = event_get_num(line, "value", &r->value);
	r->has_best = event_get_num(line, "best", &r->best);
	event_get_num(line, "delta", &r->delta);
	take_text(line, "metric", &r->metric);
	take_text(line, "owner", &r->owner);
	event_get_oid(line, "base", &r->base);
	event_get_oid(line, "tree", &r->tree);
	if (event_get_int(line, "level", &level))
		r->level = (int)level;
	event_get_secs(line, "elapsed", &r->elapsed);
	r->baseline = r->reason == REASON_BASELINE;
	return 0;
}

static int fold_approve(const struct event *line, struct record *r, struct err *err)
{
	(void)err;
	r->waiting = false;
	r->approved = !event_get(line, "commit");
	return 0;
}

static int fold_deny(const struct event *line, struct record *r, struct err *err)
{
	(void)line;
	(void)err;
	r->waiting = r->approved = false;
	return 0;
}

static const struct {
	const char *event;
	int (*fold)(const struct event *line, struct record *r, struct err *err);
} folds[] = {
	{ "propose", fold_propose }, { "execute", fold_execute }, { "evaluate", fold_evaluate },
	{ "rebase", fold_rebase }, { "decide", fold_decide },   { "approve", fold_approve }, { "deny", fold_deny },
};

static int fold_line(const struct event *line, struct record *r, struct err *err)
{
	const char *name = event_get(line, "event"), *t = event_get(line, "t");
	int64_t wall;

	if (!r->started && t)
		r->started = clock_parse(t);
	if (event_get_secs(line, "wall", &wall))
		r->wall += wall;
	for (size_t i = 0; name && i < ARRAY_SIZE(folds); i++) {
		if (!strcmp(folds[i].event, name))
			return folds[i].fold(line, r, err);
	}
	return 0;	/* an event of a later version says nothing to this fold */
}

int record_fold(const struct events *lines, struct record *r, struct err *err)
{
	r->confidence = r->value = r->best = r->delta = NAN;
	r->usd = -1;
	r->tokens_in = r->tokens_out = r->maxrss = -1;
	for (size_t i = 0; i < lines->n; i++) {
		if (fold_line(&lines->v[i], r, err) < 0)
			return err_wrap(err, "number %d, line %zu of the record", r->number, i + 1);
	}
	if (r->verdict == VERDICT_NONE)
		return err_set(err, ERR_INVALID, "number %d: the record has no decide line", r->number);
	return 0;
}

void record_clear(struct record *r)
{
	measured_free(&r->measured);
	free(r->metric);
	free(r->subject);
	free(r->agent);
	free(r->source);
	free(r->owner);
	*r = (struct record){ 0 };
}

size_t record_annotates(const struct record *r, struct oid ret[3])
{
	size_t n = 0;

	if (!oid_is_zero(&r->commit))
		ret[n++] = r->commit;
	if (!oid_is_zero(&r->remade))
		ret[n++] = r->remade;
	if (!oid_is_zero(&r->draft) && !oid_eq(&r->draft, &r->commit))
		ret[n++] = r->draft;
	return n;
}

void record_decision(const struct decision *d, struct event *line)
{
	char delta[NUM_TEXT];

	event_add(line, "metric", d->metric);
	if (d->has_value)
		event_add_num(line, "value", d->value);
	if (d->has_best)
		event_add_num(line, "best", d->best);
	if (d->has_value && d->has_best) {
		num_format6(d->delta, delta);
		event_add(line, "delta", delta);
		event_add_num(line, "threshold", d->threshold);
	}
	event_add(line, "owner", d->owner);
}

const char *record_approver(const struct events *lines)
{
	const char *by = NULL;

	for (size_t i = 0; i < lines->n; i++) {
		if (event_is(&lines->v[i], "event", "approve"))
			by = event_get(&lines->v[i], "by");
	}
	return by;
}

/* Calls for each line of a note; own: is it that number's? */
static void split_note(const char *campaign, int number, const char *ptr, size_t len,
		       void (*fn)(void *data, const char *ptr, size_t len, bool own), void *data)
{
	while (len) {
		const char *newline = memchr(ptr, '\n', len);
		size_t used = newline ? (size_t)(newline - ptr) + 1 : len;
		EVENT line = { 0 };

		fn(data, ptr, used, event_parse(ptr, used, &line) && record_owns(&line, campaign, number));
		ptr += used;
		len -= used;
	}
}

struct splice {
	const struct str *lines;
	struct str *ret;
	bool done;
};

static void splice_line(void *data, const char *ptr, size_t len, bool own)
{
	struct splice *s = data;

	if (!own) {
		str_add(s->ret, ptr, len);
	} else if (!s->done) {
		str_add(s->ret, s->lines->buf, s->lines->len);
		s->done = true;
	}
}

bool record_into_note(const char *campaign, int number, const char *old, size_t len, const struct str *lines, struct str *ret)
{
	struct splice s = { .lines = lines, .ret = ret };

	str_clear(ret);
	split_note(campaign, number, old, len, splice_line, &s);
	if (!s.done) {
		if (ret->len && ret->buf[ret->len - 1] != '\n')
			str_putc(ret, '\n');
		str_add(ret, lines->buf, lines->len);
	}
	return ret->len != len || memcmp(ret->buf, old, len) != 0;
}

static void pick_line(void *data, const char *ptr, size_t len, bool own)
{
	if (own)
		str_add(data, ptr, len);
}

void record_of_note(const char *campaign, int number, const char *ptr, size_t len, struct str *ret)
{
	split_note(campaign, number, ptr, len, pick_line, ret);
}
