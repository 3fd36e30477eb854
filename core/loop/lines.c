/* What an open experiment puts down as it goes: lines of its record, through the journal; its files, below <state>/open/<number>/. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/mem.h"
#include "loop/session.h"

#define OPEN_BYTES ((size_t)8 << 20)

int experiment_save(struct experiment *x, const char *name, const void *ptr, size_t len, struct err *err)
{
	AUTOFREE char *path = xasprintf("%s/%s", x->dir, name);

	return io_replace(path, ptr, len, 0600, 0, err);
}

int experiment_load(struct experiment *x, const char *name, struct str *ret, struct err *err)
{
	AUTOFREE char *path = xasprintf("%s/%s", x->dir, name);
	int rc = io_read_file(path, OPEN_BYTES, ret, err);

	return rc == ERR_NOT_FOUND ? 0 : rc;
}

/* Forced to disk: what was paid for. A stage's line repeats its samples, unless it tells of a failure. */
static bool is_result(const struct event *line)
{
	static const char *const results[] = { "execute", "sample", "rebase", "decide" };

	for (size_t i = 0; i < ARRAY_SIZE(results); i++)
		if (event_is(line, "event", results[i]))
			return true;
	return event_get(line, "reason") != NULL;
}

int experiment_line(struct experiment *x, const char *kind, struct event *line, struct err *err)
{
	EVENT whole = { 0 };
	char now[CLOCK_TEXT];

	clock_format(clock_wall(), now);
	event_add(&whole, "t", now);
	event_add_int(&whole, "n", (int64_t)x->lines.n + 1);
	event_add(&whole, "campaign", x->loop->campaign);
	event_add_int(&whole, "experiment", x->number);
	event_add(&whole, "event", kind);
	for (size_t i = 0; i < line->n; i++)
		event_add(&whole, line->pairs[i].key, line->pairs[i].value);
	event_free(line);
	if (experiment_journal(x, &whole, is_result(&whole), err) < 0)
		return err_wrap(err, "experiment %d", x->number);
	if (strcmp(kind, "sample"))
		event_copy(&whole, events_push(&x->lines));
	return 0;
}

int experiment_recall(struct experiment *x, struct err *err)
{
	const struct record *r = history_record(x->loop->h, x->number);
	STR text = STR_INIT;

	if (!r || oid_is_zero(&r->proposal))
		return 0;
	if (repo_read_blob(x->loop->repo, &r->proposal, OPEN_BYTES, &text, err) < 0 ||
	    experiment_save(x, "proposal.md", text.buf, text.len, err) < 0)
		return err->code;
	proposal_clear(&x->proposal);
	proposal_parse(text.buf, text.len, &x->proposal);
	x->proposal.stop = false;	/* honoured when it was proposed */
	return 0;
}
