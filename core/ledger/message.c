#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"
#include "git/commit.h"
#include "ledger/ledger.h"

#define SUBJECT_COLUMNS 72
#define WHOLE 10000		/* characters; a hypothesis longer than that is cut */
#define OURS "Harness-"

static void trim_end(struct str *s)
{
	while (s->len && strchr(" \t\r\n", s->buf[s->len - 1]))
		str_truncate(s, s->len - 1);
}

/* Tools that read trailers or mails take a line of three dashes for the end of the message. */
static void add_paragraphs(struct str *ret, const char *text)
{
	STR visible = STR_INIT, open = STR_INIT, safe = STR_INIT;
	const char *at;

	text_redact(text, strlen(text), &open);
	text_visible(open.buf, open.len, true, &visible);
	trailers_strip(visible.buf, OURS, &safe);
	trim_end(&safe);
	at = safe.buf + strspn(safe.buf, "\n");
	if (!*at)
		return;
	str_putc(ret, '\n');
	while (*at) {
		size_t len = strcspn(at, "\n");

		if (!strncmp(at, "---", 3))
			str_putc(ret, ' ');
		str_add(ret, at, len);
		str_putc(ret, '\n');
		at += len + (at[len] == '\n');
	}
}

/* Returns true where the subject had to be cut: the whole of it then opens the body. */
static bool add_subject(const struct message_in *in, struct str *ret)
{
	STR open = STR_INIT, line = STR_INIT, whole = STR_INIT;
	bool cut;

	if (in->subject)
		text_redact(in->subject, strlen(in->subject), &open);
	text_line(open.buf, open.len, WHOLE, &line);
	trailers_strip(line.buf, OURS, &whole);
	trim_end(&whole);
	if (whole.len)
		text_line(whole.buf, whole.len, SUBJECT_COLUMNS, ret);
	else
		str_printf(ret, "experiment %d", in->record->number);
	cut = whole.len && strcmp(whole.buf, ret->buf) != 0;
	str_putc(ret, '\n');
	return cut;
}

static void add_goal(const struct message_in *in, struct str *ret)
{
	const struct record *r = in->record;
	const char *goal = in->policy->goal.metric;
	char text[NUM_TEXT];
	STR value = STR_INIT;
	double v;

	if (!measured_value(&r->measured, goal, &v))
		return;
	num_format(v, text);
	str_printf(&value, "%s=%s", goal, text);
	if (r->has_value && r->has_best) {
		num_format(r->best, text);
		str_printf(&value, " best=%s", text);
		num_format6(r->delta, text);
		str_printf(&value, " delta=%s", text);
	}
	trailer_add(ret, "Harness-Metric", value.buf);
}

static void add_metrics(const struct message_in *in, struct str *ret)
{
	CLEANUP(strs_free) struct strs names = { 0 };

	add_goal(in, ret);
	policy_metrics(in->policy, &names);
	for (size_t i = 1; i < names.n; i++) {
		STR value = STR_INIT;
		char text[NUM_TEXT];
		double v;

		if (!measured_value(&in->record->measured, names.v[i], &v))
			continue;
		num_format(v, text);
		str_printf(&value, "%s=%s", names.v[i], text);
		trailer_add(ret, "Harness-Metric", value.buf);
	}
}

static void add_line(struct str *ret, const char *key, const char *value)
{
	STR safe = STR_INIT;

	text_line(value, strlen(value), 500, &safe);
	trailer_add(ret, key, safe.buf);
}

void ledger_message(const struct message_in *in, struct str *ret)
{
	const struct record *r = in->record;
	STR verdict = STR_INIT;
	char number[NUM_TEXT];

	if (add_subject(in, ret))
		add_paragraphs(ret, in->subject);
	if (in->body)
		add_paragraphs(ret, in->body);
	num_format(r->number, number);
	str_printf(&verdict, "%s (%s)", verdict_names[r->verdict], reason_names[r->reason]);
	trailer_add(ret, "Harness-Campaign", in->campaign);
	trailer_add(ret, "Harness-Experiment", number);
	trailer_add(ret, "Harness-Verdict", verdict.buf);
	add_metrics(in, ret);
	trailer_add(ret, "Harness-Policy", oid_hex(in->policy_blob).s);
	if (r->agent)
		add_line(ret, "Harness-Agent", r->agent);
	if (in->approved_by)
		add_line(ret, "Harness-Approved-By", in->approved_by);
}
