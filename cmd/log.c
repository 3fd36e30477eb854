/*
 * git harness log - what was decided, newest first, one line an experiment.
 */
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "cmd/cmd.h"
#include "cmd/frame.h"
#include "report/json.h"
#include "report/table.h"

#define LOG_MAX ((size_t)1 << 30)
#define PIECE ((size_t)1 << 16)

struct options {
	bool json;
	int count;
	const char *verdict;
};

static const struct opt options[] = {
	FLAG(0, "json", struct options, json, "an array of objects instead"),
	INT('n', "max-count", struct options, count, "<count>", "only that many"),
	STRING(0, "verdict", struct options, verdict, "<verdict>", "only accept, reject, escalate, or one reason (crash, no-gain ...)"),
	END,
};

struct filter {
	int count;
	enum verdict verdict;	/* NONE: any */
	enum reason reason;	/* NONE: any */
};

static int filter_init(const struct options *o, struct filter *ret, struct err *err)
{
	*ret = (struct filter){ .count = o->count };
	if (!o->verdict || verdict_parse(o->verdict, &ret->verdict) || reason_parse(o->verdict, &ret->reason))
		return 0;
	err_set(err, ERR_USAGE, "'%s' is no verdict and no reason", o->verdict);
	return err_hint(err, "accept, reject, escalate; better, no-gain, worse, guard, crash, timeout ...");
}

static bool wanted(const struct filter *f, const struct record *r)
{
	if (f->verdict != VERDICT_NONE)
		return r->verdict == f->verdict;
	return f->reason == REASON_NONE || r->reason == f->reason;
}

/* Calls fn for each record that is wanted, newest first; it lives during the call. */
static int each(const struct history *h, const struct filter *f, int (*fn)(void *data, const struct record *r, struct err *err),
		void *data, struct err *err)
{
	int left = f->count >= 0 ? f->count : INT32_MAX;

	for (size_t i = h->n_records; i > 0 && left > 0; i--) {
		const struct record *r = history_look(h, (int)i - 1);

		if (!r || !wanted(f, r))
			continue;
		if (fn(data, r, err) < 0)
			return err->code;
		left--;
	}
	return 0;
}

struct listing {
	const struct history *history;
	struct outline outline;
	struct table table;
	struct json json;
};

static int add_row(void *data, const struct record *r, struct err *err)
{
	struct listing *l = data;
	const struct point point = outline_point(l->history, r), *p = &point;
	char value[NUM_TEXT], gain[NUM_TEXT], wall[NUM_TEXT];
	STR verdict = STR_INIT, subject = STR_INIT;

	(void)err;
	words_verdict(r, &verdict);
	words_subject(r, &subject);
	words_number(p->value, value);
	words_delta(outline_gain(&l->outline, p), gain);
	words_seconds(r->wall, wall);
	table_addf(&l->table, COLOUR_ID, "%d", r->number);
	table_add(&l->table, outcome_colour(p->outcome), verdict.buf);
	table_add(&l->table, "", value);
	table_add(&l->table, p->outcome == OUTCOME_KEPT ? COLOUR_GOOD : "", gain);
	table_add(&l->table, COLOUR_DIM, wall);
	table_addf(&l->table, COLOUR_DIM, "%.7s", oid_hex(words_commit(r)).s);
	table_add(&l->table, "", subject.buf);
	return 0;
}

static int print_table(struct cmd_ctx *ctx, const struct filter *f, struct err *err)
{
	const char *metric = ctx->history->policy->goal.metric;
	bool terminal = table_terminal(pager_in_use()) > 0;
	/* titles for people only: what reads a pipe expects one line an experiment */
	const struct column columns[] = {
		{ .title = terminal ? "#" : NULL, .right = true },
		{ .title = terminal ? "verdict" : NULL },
		{ .title = terminal ? metric : NULL, .right = true },
		{ .title = terminal ? "gain" : NULL, .right = true },
		{ .title = terminal ? "took" : NULL, .right = true },
		{ .title = terminal ? "commit" : NULL },
		{ .title = terminal ? "hypothesis" : NULL, .grow = true },
	};
	struct listing l = { .history = ctx->history };
	STR out = STR_MAX(LOG_MAX);

	outline_best(ctx->history, &l.outline);
	table_init(&l.table, columns, ARRAY_SIZE(columns));
	each(ctx->history, f, add_row, &l, err);
	table_format(&l.table, table_terminal(pager_in_use()), cmd_colour(ctx, stdout), &out);
	table_free(&l.table);
	outline_free(&l.outline);
	return cmd_print(&out, err);
}

/* Printed piece by piece: a long campaign's text is larger than its ledger. */
static int add_object(void *data, const struct record *r, struct err *err)
{
	struct listing *l = data;

	report_json_record(&l->json, l->history, r, NULL);
	if (l->json.out->len < PIECE)
		return 0;
	if (cmd_print(l->json.out, err) < 0)
		return err->code;
	str_clear(l->json.out);
	return 0;
}

static int print_json(struct cmd_ctx *ctx, const struct filter *f, struct err *err)
{
	struct listing l = { .history = ctx->history };
	STR out = STR_INIT;

	json_init(&l.json, &out, true);
	json_begin_array(&l.json, NULL);
	if (each(ctx->history, f, add_object, &l, err) < 0)
		return err->code;
	json_end_array(&l.json);
	str_putc(&out, '\n');
	return cmd_print(&out, err);
}

static int run(struct cmd_ctx *ctx, struct err *err)
{
	const struct options *o = ctx->opts;
	struct filter f;

	if (filter_init(o, &f, err) < 0)
		return err->code;
	return o->json ? print_json(ctx, &f, err) : print_table(ctx, &f, err);
}

const struct cmd cmd_log = {
	.name = "log", .args = "", .summary = "what was decided, newest first, one line an experiment",
	.opts = options, .opts_size = sizeof(struct options),
	.needs = CMD_REPO | CMD_CAMPAIGN | CMD_HISTORY | CMD_PAGER, .run = run,
};
