#include "report/html.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "ledger/names.h"
#include "report/chart.h"

static const char style[] =
	"<style>\n"
	":root{color-scheme:light dark;--bg:#ffffff;--ink:#1f2328;--soft:#59636e;--line:#d8dee4;--pale:#f6f8fa;"
	"--good:#1a7f37;--bad:#cf222e;--ask:#9a6700}\n"
	"@media(prefers-color-scheme:dark){:root{--bg:#0d1117;--ink:#e6edf3;--soft:#9198a1;--line:#2a3038;--pale:#151b23;"
	"--good:#3fb950;--bad:#f85149;--ask:#d29922}}\n"
	"body{margin:0;background:var(--bg);color:var(--ink);"
	"font:15px/1.5 system-ui,-apple-system,'Segoe UI','Helvetica Neue',Arial,sans-serif}\n"
	"main{max-width:1120px;margin:0 auto;padding:40px 24px 64px}\n"
	"h1{font-size:26px;font-weight:600;margin:0 0 4px;letter-spacing:-.01em;overflow-wrap:anywhere}\n"
	"h2{font-size:17px;font-weight:600;margin:44px 0 10px}\n"
	"p{margin:0;color:var(--soft)}\n"
	"dl{display:grid;grid-template-columns:repeat(auto-fit,minmax(118px,1fr));gap:12px;margin:28px 0 30px}\n"
	"dl div{padding:11px 14px;border:1px solid var(--line);border-radius:8px}\n"
	"dt{color:var(--soft);font-size:13px}dd{margin:0;font-size:19px;white-space:nowrap;font-weight:600;font-variant-numeric:tabular-nums}\n"
	"svg{display:block;width:100%;height:auto}\n"
	".wide{overflow-x:auto}.wide svg{min-width:760px}\n"
	"table{border-collapse:collapse;width:100%;font-size:14px;font-variant-numeric:tabular-nums}\n"
	"th{text-align:left;font-weight:500;color:var(--soft);border-bottom:1px solid var(--line)}\n"
	"th,td{padding:6px 14px 6px 0;vertical-align:top;white-space:nowrap}\n"
	"td{border-bottom:1px solid var(--pale)}td:last-child,th:last-child{width:100%;white-space:normal;overflow-wrap:anywhere;padding-right:0}\n"
	".n{text-align:right}code{font:13px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;color:var(--soft)}\n"
	".good{color:var(--good)}.bad{color:var(--bad)}.ask{color:var(--ask)}.soft{color:var(--soft)}\n"
	"footer{margin-top:48px;padding-top:16px;border-top:1px solid var(--line);font-size:13px}\n"
	"</style>\n";

static void html(struct str *ret, const char *text)
{
	text_xml(text, strlen(text), ret);
}

static void tile(struct str *ret, const char *class, const char *name, const char *value)
{
	str_puts(ret, "<div><dt>");
	html(ret, name);
	str_printf(ret, "</dt><dd class=\"%s\">", class);
	html(ret, value);
	str_puts(ret, "</dd></div>\n");
}

/* Not at all where there is none. */
static void count_tile(struct str *ret, const char *class, const char *name, size_t n)
{
	char text[NUM_TEXT];

	snprintf(text, sizeof(text), "%zu", n);
	if (n > 0)
		tile(ret, class, name, text);
}

static void tiles(const struct outline *o, struct str *ret)
{
	char text[NUM_TEXT];

	str_puts(ret, "<dl>\n");
	words_number(o->best, text);
	tile(ret, "good", "best", text);
	words_number(o->baseline, text);
	tile(ret, "", "baseline", text);
	words_delta(o->gain, text);
	tile(ret, "", "gain", text);
	snprintf(text, sizeof(text), "%zu of %zu", o->counts[OUTCOME_KEPT], o->experiments);
	tile(ret, "", "kept", text);
	count_tile(ret, "", "failed", o->counts[OUTCOME_FAILED]);
	count_tile(ret, "ask", "waiting", o->counts[OUTCOME_WAITING]);
	words_seconds(o->wall, text);
	tile(ret, "", "time", text);
	if (o->tokens >= 0) {
		words_number((double)o->tokens, text);
		tile(ret, "", "tokens", text);
	}
	if (o->usd >= 0) {
		snprintf(text, sizeof(text), "$%.2f", o->usd);
		tile(ret, "", "cost", text);
	}
	str_puts(ret, "</dl>\n");
}

static void verdict(const struct point *p, struct str *ret)
{
	static const char *const classes[] = {
		[OUTCOME_BASELINE] = "soft", [OUTCOME_KEPT] = "good", [OUTCOME_DISCARDED] = "soft", [OUTCOME_FAILED] = "bad",
		[OUTCOME_WAITING] = "ask",
	};
	const struct record *r = p->record;

	str_printf(ret, "<td class=\"%s\" title=\"%s\">%s", classes[p->outcome], words_reason(r->verdict, r->reason),
		   outcome_word(p->outcome));
	if (!r->baseline && r->verdict != VERDICT_NONE)
		str_printf(ret, " (%s)", reason_names[r->reason]);
	str_puts(ret, "</td>");
}

static void row(const struct outline *o, const struct point *p, struct str *ret)
{
	char value[NUM_TEXT], gain[NUM_TEXT], wall[NUM_TEXT];
	const struct record *r = p->record;
	STR subject = STR_INIT;

	words_number(p->value, value);
	words_delta(outline_gain(o, p), gain);
	words_seconds(r->wall, wall);
	words_subject(r, &subject);
	str_printf(ret, "<tr><td class=\"n\">%d</td>", r->number);
	verdict(p, ret);
	str_printf(ret, "<td class=\"n\">%s</td><td class=\"n%s\">%s</td>", value, p->outcome == OUTCOME_KEPT ? " good" : "", gain);
	str_printf(ret, "<td class=\"n\">%s</td><td><code>%.7s</code></td><td>", wall, oid_hex(words_commit(r)).s);
	html(ret, subject.buf);
	str_puts(ret, "</td></tr>\n");
}

static void listing(const struct outline *o, const char *title, bool kept_only, struct str *ret)
{
	str_printf(ret, "<h2>%s</h2>\n<div class=\"wide\"><table>\n", title);
	str_puts(ret, "<tr><th class=\"n\">#</th><th>verdict</th><th class=\"n\">");
	html(ret, o->metric);
	str_puts(ret, "</th><th class=\"n\">gain</th><th class=\"n\">took</th><th>commit</th><th>hypothesis</th></tr>\n");
	for (size_t i = 0; i < o->n_points; i++)
		if (!kept_only || o->points[i].outcome == OUTCOME_KEPT)
			row(o, &o->points[i], ret);
	str_puts(ret, "</table></div>\n");
}

static void when(const struct outline *o, struct str *ret)
{
	char first[CLOCK_TEXT], last[CLOCK_TEXT];

	if (o->n_points == 0)
		return;
	clock_format(o->points[0].record->started, first);
	clock_format(o->points[o->n_points - 1].record->started, last);
	str_printf(ret, " \xc2\xb7 %.10s", first);
	if (strncmp(first, last, 10) != 0)
		str_printf(ret, " to %.10s", last);
}

static void footer(const struct outline *o, struct str *ret)
{
	const struct history *h = o->history;
	char best[NAME_MAX_REF], ledger[NAME_MAX_REF];

	name_best(h->campaign, best);
	name_ledger(h->campaign, ledger);
	str_puts(ret, "<footer><p>Every number here can be checked: <code>git harness verify</code> derives each verdict again from ");
	str_printf(ret, "<code>%s</code> at <code>%.12s</code>; <code>git log --notes=harness %s</code> tells the story of what was kept.",
		   ledger, oid_hex(&h->tip).s, best + strlen("refs/heads/"));
	str_puts(ret, "</p></footer>\n");
}

void report_html(const struct outline *o, struct str *ret)
{
	STR headline = STR_INIT;

	outline_headline(o, "\xe2\x86\x92", &headline);
	str_puts(ret, "<!DOCTYPE html>\n<html lang=\"en\" xmlns=\"http://www.w3.org/1999/xhtml\">\n<head>\n<meta charset=\"utf-8\"/>\n"
		      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
		      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\"/>\n<title>");
	html(ret, headline.buf);
	str_puts(ret, "</title>\n");
	str_puts(ret, style);
	str_puts(ret, "</head>\n<body>\n<main>\n<h1>");
	html(ret, headline.buf);
	str_puts(ret, "</h1>\n<p>campaign ");
	html(ret, o->history->campaign);
	str_printf(ret, " \xc2\xb7 %s is better", o->minimize ? "lower" : "higher");
	when(o, ret);
	str_puts(ret, "</p>\n");
	tiles(o, ret);
	str_puts(ret, "<div class=\"wide\">\n");
	chart_svg(o, false, ret);
	str_puts(ret, "</div>\n");
	if (o->counts[OUTCOME_KEPT] > 0)
		listing(o, "What was kept", true, ret);
	listing(o, "All experiments", false, ret);
	footer(o, ret);
	str_puts(ret, "</main>\n</body>\n</html>\n");
}
