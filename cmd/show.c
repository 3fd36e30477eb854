/*
 * git harness show - one experiment in full: what was tried, what was measured, why it ended as it did, and where to look further.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "cmd/cmd.h"
#include "cmd/frame.h"
#include "git/cli.h"
#include "git/commit.h"
#include "ledger/names.h"
#include "report/explain.h"
#include "report/json.h"
#include "report/table.h"
#include "report/width.h"

#define LOG_MAX ((size_t)1 << 20)
#define LOG_LINES 12		/* of the end of the log that tells most */
#define BODY_MAX ((size_t)16 * 1024)
#define FILES_MAX 30

struct options {
	bool json;
};

static const struct opt options[] = {
	FLAG(0, "json", struct options, json, "one object with its events instead"),
	END,
};

struct view {
	struct cmd_ctx *ctx;
	const struct history *h;
	const struct record *r;
	struct events events;
	const struct event *decide;	/* the last one, or NULL */
	bool colour;
	size_t columns;
	struct str out;
};

static void view_free(struct view *v)
{
	events_free(&v->events);
	str_free(&v->out);
}

static const char *paint(const struct view *v, const char *colour)
{
	return v->colour ? colour : "";
}

static void title(struct view *v, const char *text)
{
	str_printf(&v->out, "\n%s%s%s\n", paint(v, COLOUR_BOLD), text, paint(v, COLOUR_OFF));
}

static int64_t known(int64_t n)
{
	return n > 0 ? n : 0;
}

static void id_line(struct view *v, const char *name, const struct oid *id)
{
	if (!oid_is_zero(id))
		str_printf(&v->out, "%-8s %s\n", name, oid_hex(id).s);
}

static void took(struct view *v)
{
	const struct record *r = v->r;
	char started[CLOCK_TEXT], wall[NUM_TEXT];

	clock_format(r->started, started);
	words_seconds(r->wall, wall);
	str_printf(&v->out, "started  %.10s %.8s UTC, took %s", started, started + 11, wall);
	if (r->tokens_in >= 0 || r->tokens_out >= 0)
		str_printf(&v->out, ", %lld tokens", (long long)(known(r->tokens_in) + known(r->tokens_out)));
	if (r->usd >= 0)
		str_printf(&v->out, ", $%.2f", r->usd);
	str_putc(&v->out, '\n');
}

static void head(struct view *v)
{
	const struct record *r = v->r;

	str_printf(&v->out, "%s%s %d%s of campaign %s: %s", paint(v, COLOUR_ID), r->baseline ? "baseline" : "experiment", r->number,
		   paint(v, COLOUR_OFF), v->h->campaign, paint(v, outcome_colour(outcome_of(r))));
	words_verdict(r, &v->out);
	str_printf(&v->out, "%s%s\n", r->waiting ? ", waiting for a person" : "", paint(v, COLOUR_OFF));
	id_line(v, "commit", &r->commit);
	if (!oid_eq(&r->accepted, &r->commit))
		id_line(v, "joined", &r->accepted);
	if (!r->baseline)
		id_line(v, "against", &r->base);
	if (r->agent) {
		str_puts(&v->out, "agent    ");
		text_line(r->agent, strlen(r->agent), 100, &v->out);
		str_putc(&v->out, '\n');
	}
	took(v);
}

/* Text of several lines, safe, each line indented, and cut at `columns` where that is not 0. */
static void indented(struct view *v, const char *ptr, size_t len, const char *indent, size_t columns)
{
	STR safe = STR_INIT, one = STR_INIT;
	const char *p, *end;

	text_visible(ptr, len, true, &safe);
	for (p = safe.buf; *p; p = *end ? end + 1 : end) {
		end = strchrnul(p, '\n');
		str_puts(&v->out, end > p ? indent : "");
		str_clear(&one);
		str_add(&one, p, (size_t)(end - p));
		width_cut(one.buf, columns > strlen(indent) ? columns - strlen(indent) : one.len, &v->out);
		str_putc(&v->out, '\n');
	}
}

/* The commit's message without the trailers that stand in the lines around anyway. */
static int message(struct view *v, struct err *err)
{
	struct commit c = { 0 };
	STR text = STR_INIT;

	if (v->r->baseline || oid_is_zero(&v->r->commit))
		return 0;
	if (commit_read(v->ctx->repo, &v->r->commit, &c, err) < 0)
		return err->code;
	trailers_strip(c.message, "Harness-", &text);
	commit_free(&c);
	while (text.len > 0 && strchr("\n\t ", text.buf[text.len - 1]))
		str_truncate(&text, text.len - 1);
	str_putc(&v->out, '\n');
	indented(v, text.buf, text.len < BODY_MAX ? text.len : BODY_MAX, "    ", 0);
	return 0;
}

static void why(struct view *v)
{
	title(v, "Why");
	str_puts(&v->out, "  ");
	explain_verdict(v->h, v->r, v->decide, &v->out);
	str_putc(&v->out, '\n');
	explain_answers(v->h, v->r, "    ", &v->out);
}

static void put_table(struct view *v, const char *name, struct table *t)
{
	if (t->n == 0)
		return;
	title(v, name);
	t->indent = 2;
	table_format(t, v->columns, v->colour, &v->out);
}

static void stage_row(struct table *t, const struct event *e)
{
	const char *stage = event_get(e, "stage"), *confirm = event_get(e, "confirm"), *status = event_get(e, "exit");
	char wall[NUM_TEXT], cpu[NUM_TEXT], rss[NUM_TEXT];
	int64_t ns = -1, bytes = -1;

	table_addf(t, "", "%s%s%s", stage ? stage : event_get(e, "event"), confirm ? ", confirmation " : "", confirm ? confirm : "");
	if (event_get(e, "timeout"))
		table_add(t, COLOUR_BAD, "timed out");
	else if (event_is(e, "event", "propose"))
		table_add(t, "", "");
	else
		table_addf(t, str_eq(status, "0") ? "" : COLOUR_BAD, "exit %s", status ? status : "-");
	words_seconds(event_get_secs(e, "wall", &ns) ? ns : -1, wall);
	ns = -1;
	words_seconds(event_get_secs(e, "cpu", &ns) ? ns : -1, cpu);
	words_bytes(event_get_int(e, "maxrss", &bytes) ? bytes : -1, rss);
	table_add(t, "", wall);
	table_add(t, "", cpu);
	table_add(t, "", rss);
}

static void stages(struct view *v)
{
	static const struct column columns[] = {
		{ .title = "" }, { .title = "" }, { .title = "took", .right = true }, { .title = "cpu", .right = true },
		{ .title = "memory", .right = true },
	};
	CLEANUP(table_free) struct table t = { 0 };

	table_init(&t, columns, ARRAY_SIZE(columns));
	for (size_t i = 0; i < v->events.n; i++) {
		const struct event *e = &v->events.v[i];

		if (event_is(e, "event", "propose") || event_is(e, "event", "execute") || event_is(e, "event", "evaluate"))
			stage_row(&t, e);
	}
	put_table(v, "Steps", &t);
}

static void samples(const struct series *s, struct str *ret)
{
	char text[NUM_TEXT];

	for (size_t i = 0; s->n > 1 && i < s->n && i < 16; i++) {
		words_number(s->v[i], text);
		str_printf(ret, "%s%s", i > 0 ? ", " : "", text);
	}
	if (s->n > 16)
		str_puts(ret, ", ...");
}

static void metrics(struct view *v)
{
	static const struct column columns[] = {
		{ .title = "" }, { .title = "median", .right = true }, { .title = "spread", .right = true },
		{ .title = "samples", .grow = true },
	};
	const struct measured *m = &v->r->measured;
	CLEANUP(table_free) struct table t = { 0 };

	table_init(&t, columns, ARRAY_SIZE(columns));
	for (size_t i = 0; i < m->n; i++) {
		char value[NUM_TEXT], spread[NUM_TEXT];
		STR all = STR_INIT;

		if (m->s[i].n == 0)
			continue;
		words_number(stats_median(m->s[i].v, m->s[i].n), value);
		words_number(m->s[i].n > 1 ? stats_spread(m->s[i].v, m->s[i].n) : NAN, spread);
		samples(&m->s[i], &all);
		table_add(&t, "", m->s[i].metric);
		table_add(&t, "", value);
		table_add(&t, "", spread);
		table_add(&t, "", all.buf);
	}
	put_table(v, "Metrics", &t);
}

/* One record of `git diff-tree --numstat -z`: "<added>\t<deleted>\t<path>". */
static void file_row(struct table *t, char *text)
{
	char *deleted = strchr(text, '\t'), *path = deleted ? strchr(deleted + 1, '\t') : NULL;

	if (!path)
		return;
	*deleted++ = *path++ = '\0';
	table_add(t, "", path);
	if (!strcmp(text, "-")) {
		table_add(t, "", "binary");
		table_add(t, "", "");
		return;
	}
	table_addf(t, COLOUR_GOOD, "+%s", text);
	table_addf(t, COLOUR_BAD, "-%s", deleted);
}

static int files(struct view *v, struct err *err)
{
	static const struct column columns[] = { { .right = false }, { .right = true }, { .right = true } };
	struct oid_hex base = oid_hex(&v->r->base), commit = oid_hex(&v->r->commit);
	const char *args[] = { "diff-tree", "-r", "-z", "--numstat", "--no-renames", "--no-ext-diff", "--no-textconv", base.s, commit.s, NULL };
	struct git_run git = { .dir = NULL, .git_dir = repo_git_dir(v->ctx->repo) };
	CLEANUP(table_free) struct table t = { 0 };
	STR out = STR_INIT;
	size_t n = 0;

	if (v->r->baseline || oid_is_zero(&v->r->commit) || oid_is_zero(&v->r->base))
		return 0;
	if (git_cli(&git, args, &out, err) < 0)
		return err->code;
	table_init(&t, columns, ARRAY_SIZE(columns));
	for (char *p = out.buf; p < out.buf + out.len; p += strlen(p) + 1)
		if (n++ < FILES_MAX)
			file_row(&t, p);
	put_table(v, "Files", &t);
	if (n > FILES_MAX)
		str_printf(&v->out, "  and %zu more\n", n - FILES_MAX);
	return 0;
}

/* The log of the step that decided: the agent's where it failed, execute's where that was the stage, else evaluate's. */
static const char *telling_log(const struct view *v, const struct oid **ret)
{
	const struct record *r = v->r;
	const char *stage = v->decide ? event_get(v->decide, "stage") : NULL;

	if (r->reason == REASON_AGENT_FAILED && !oid_is_zero(&r->agent_log)) {
		*ret = &r->agent_log;
		return "agent.log";
	}
	if (!oid_is_zero(&r->execute_log) && (str_eq(stage, "execute") || oid_is_zero(&r->evaluate_log))) {
		*ret = &r->execute_log;
		return "execute.log";
	}
	*ret = &r->evaluate_log;
	return "evaluate.log";
}

static int excerpt(struct view *v, const char **ret_name, struct err *err)
{
	const struct oid *blob;
	const char *name = telling_log(v, &blob), *from;
	STR text = STR_INIT, heading = STR_INIT;
	int lines = 0;

	*ret_name = NULL;
	if (oid_is_zero(blob))
		return 0;
	if (repo_read_blob(v->ctx->repo, blob, LOG_MAX, &text, err) < 0)
		return err->code;
	while (text.len > 0 && text.buf[text.len - 1] == '\n')
		str_truncate(&text, text.len - 1);
	*ret_name = name;
	if (text.len == 0)
		return 0;
	from = text.buf + text.len;
	while (from > text.buf && !(from[-1] == '\n' && ++lines == LOG_LINES))
		from--;
	str_printf(&heading, "%s of %s", from > text.buf ? "End" : "All", name);
	title(v, heading.buf);
	indented(v, from, (size_t)(text.buf + text.len - from), "  | ", v->columns);
	return 0;
}

static void more(struct view *v, const char *log)
{
	char ledger[NAME_MAX_REF], dir[NAME_MAX_REF];

	title(v, "More");
	if (!v->r->baseline) {
		str_puts(&v->out, "  ");
		explain_command(v->h, "diff", v->r->number, "\n", &v->out);
	}
	str_printf(&v->out, "  git show --notes=harness %.12s\n", oid_hex(words_commit(v->r)).s);
	name_ledger(v->h->campaign, ledger);
	name_experiment_dir(v->r->number, dir);
	if (log)
		str_printf(&v->out, "  git show %s:%s/%s\n", ledger, dir, log);
	else
		str_printf(&v->out, "  git show %s:%s/record\n", ledger, dir);
}

static int print_text(struct view *v, struct err *err)
{
	const char *log = NULL;

	head(v);
	if (message(v, err) < 0)
		return err->code;
	why(v);
	metrics(v);
	stages(v);
	if (files(v, err) < 0 || excerpt(v, &log, err) < 0)
		return err->code;
	more(v, log);
	return cmd_print(&v->out, err);
}

static int print_json(struct view *v, struct err *err)
{
	struct json j;

	json_init(&j, &v->out, true);
	report_json_record(&j, v->h, v->r, &v->events);
	str_putc(&v->out, '\n');
	return cmd_print(&v->out, err);
}

static int run(struct cmd_ctx *ctx, struct err *err)
{
	const struct options *o = ctx->opts;
	CLEANUP(view_free) struct view v = { .ctx = ctx, .out = STR_INIT };

	if (cmd_number(ctx, ctx->argv[0], &v.r, err) < 0)
		return err->code;
	v.h = ctx->history;
	v.colour = cmd_colour(ctx, stdout);
	v.columns = table_terminal(pager_in_use());
	if (history_lines(ctx->repo, v.h, v.r->number, &v.events, err) < 0)
		return err->code;
	for (size_t i = 0; i < v.events.n; i++)
		if (event_is(&v.events.v[i], "event", "decide"))
			v.decide = &v.events.v[i];
	return o->json ? print_json(&v, err) : print_text(&v, err);
}

const struct cmd cmd_show = {
	.name = "show", .args = "<n>", .summary = "one experiment in full",
	.opts = options, .opts_size = sizeof(struct options), .min_args = 1, .max_args = 1,
	.needs = CMD_REPO | CMD_CAMPAIGN | CMD_HISTORY | CMD_PAGER, .run = run,
};
