/*
 * git harness report - the picture of a campaign, and its table in the formats that others read.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/io.h"
#include "base/mem.h"
#include "cmd/cmd.h"
#include "report/chart.h"
#include "report/html.h"
#include "report/json.h"
#include "report/md.h"
#include "report/tsv.h"

#define REPORT_MAX ((size_t)1 << 30)

struct options {
	bool html, tsv, json, md, svg;
	const char *output;
};

static const struct opt options[] = {
	FLAG(0, "html", struct options, html, "one page: sums, picture, every experiment"),
	FLAG(0, "svg", struct options, svg, "the picture alone"),
	FLAG(0, "md", struct options, md, "Markdown, for pull requests"),
	FLAG(0, "tsv", struct options, tsv, "autoresearch's columns: commit, metric, memory_gb, status, description"),
	FLAG(0, "json", struct options, json, "all of it for programs"),
	STRING('o', "output", struct options, output, "<file>", "write there; its ending chooses the format where no option does"),
	END,
};

static void svg_alone(const struct outline *o, struct str *ret)
{
	chart_svg(o, true, ret);
}

static const struct format {
	const char *ending;
	size_t chosen;	/* offset of its flag */
	void (*write)(const struct outline *o, struct str *ret);
} formats[] = {
	{ ".html", offsetof(struct options, html), report_html },
	{ ".svg", offsetof(struct options, svg), svg_alone },
	{ ".md", offsetof(struct options, md), report_md },
	{ ".tsv", offsetof(struct options, tsv), report_tsv },
	{ ".json", offsetof(struct options, json), report_json },
};

static int choose(const struct options *o, const struct format **ret, struct err *err)
{
	const struct format *found = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		if (!*(const bool *)((const char *)o + formats[i].chosen))
			continue;
		if (found)
			return err_set(err, ERR_USAGE, "one format at a time");
		found = &formats[i];
	}
	for (size_t i = 0; !found && o->output && i < ARRAY_SIZE(formats); i++)
		if (ends_with(o->output, formats[i].ending))
			found = &formats[i];
	*ret = found;
	return 0;
}

/* A file is replaced whole; a device or a pipe (-o /dev/stdout) is written to and must not be renamed over. */
static int put(const char *path, const struct str *text, struct err *err)
{
	AUTOCLOSE int fd = -1;
	struct stat st;

	if (stat(path, &st) < 0 || S_ISREG(st.st_mode))
		return io_replace(path, text->buf, text->len, 0666, false, err);
	fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return err_errno(err, "cannot open '%s'", path);
	return io_write_fd(fd, text->buf, text->len, err);
}

/* Without a format and a file: the page, beside the campaign's state, and its path for a browser to open. */
static int run(struct cmd_ctx *ctx, struct err *err)
{
	const struct options *o = ctx->opts;
	CLEANUP(outline_free) struct outline outline = { 0 };
	AUTOFREE char *path = xstrdup(o->output);
	STR text = STR_MAX(REPORT_MAX);
	const struct format *f = NULL;

	if (choose(o, &f, err) < 0)
		return err->code;
	if (!f && !path)
		path = xasprintf("%s/report.html", ctx->state_dir);
	outline_make(ctx->history, &outline);
	(f ? f : &formats[0])->write(&outline, &text);
	if (!path || !strcmp(path, "-"))
		return cmd_print(&text, err);
	if (!o->output && io_mkdirs(ctx->state_dir, 0777, err) < 0)
		return err->code;
	if (put(path, &text, err) < 0)
		return err_wrap(err, "cannot write the report");
	printf("%s\n", path);
	return 0;
}

const struct cmd cmd_report = {
	.name = "report", .args = "", .summary = "the picture of a campaign, or its table in another format",
	.about = "A format alone goes to standard output. Without a format, a page is written beside the campaign's state and its path printed.\n",
	.opts = options, .opts_size = sizeof(struct options),
	.needs = CMD_REPO | CMD_CAMPAIGN | CMD_HISTORY, .run = run,
};
