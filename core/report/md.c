#include "report/md.h"

#include <string.h>

#include "base/mem.h"

static void md_text(const char *text, struct str *ret)
{
	for (const char *p = text; *p; p++) {
		if (*p == '<')
			str_puts(ret, "&lt;");
		else if (*p == '>')
			str_puts(ret, "&gt;");
		else if (*p == '&')
			str_puts(ret, "&amp;");
		else if (*p == '@')
			str_puts(ret, "@<!-- -->");	/* a backslash does not keep forges from notifying the name behind it */
		else if (strchr("\\`*_[]#|~!$:", *p) || (*p == '.' && p > text && p[-1] == 'w'))
			str_printf(ret, "\\%c", *p);
		else
			str_putc(ret, *p);
	}
}

static void head(const struct outline *o, struct str *ret)
{
	STR line = STR_INIT;
	char wall[NUM_TEXT];

	outline_headline(o, "\xe2\x86\x92", &line);
	str_puts(ret, "## ");
	md_text(line.buf, ret);
	str_puts(ret, "\n\nCampaign ");
	md_text(o->history->campaign, ret);
	str_puts(ret, ": ");
	outline_counts(o, ret);
	words_seconds(o->wall, wall);
	str_printf(ret, ", in %s. %s is better.\n\n", wall, o->minimize ? "Lower" : "Higher");
}

static void row(const struct outline *o, const struct point *p, struct str *ret)
{
	char value[NUM_TEXT], gain[NUM_TEXT];
	STR subject = STR_INIT;
	const struct record *r = p->record;
	bool bold = p->outcome == OUTCOME_KEPT;

	words_subject(r, &subject);
	words_number(p->value, value);
	words_delta(outline_gain(o, p), gain);
	str_printf(ret, "| %d | `%.7s` | %s | %s | %s%s%s", r->number, oid_hex(words_commit(r)).s, value, gain, bold ? "**" : "",
		   outcome_word(p->outcome), bold ? "**" : "");
	if (!bold && !r->baseline && r->verdict != VERDICT_NONE)
		str_printf(ret, " (%s)", reason_names[r->reason]);
	str_puts(ret, " | ");
	md_text(subject.buf, ret);
	str_puts(ret, " |\n");
}

void report_md(const struct outline *o, struct str *ret)
{
	head(o, ret);
	str_puts(ret, "| # | commit | ");
	md_text(o->metric, ret);
	str_puts(ret, " | gain | verdict | hypothesis |\n|--:|:--|--:|--:|:--|:--|\n");
	for (size_t i = 0; i < o->n_points; i++)
		row(o, &o->points[i], ret);
}
