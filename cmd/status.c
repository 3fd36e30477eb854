/*
 * git harness status - where a campaign stands, once or again and again.
 * It only looks: at the ledger, at the lock, at the line that a running loop leaves in <state>/live. So it may run beside anything.
 */
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "base/text.h"
#include "cmd/cmd.h"
#include "git/ref.h"
#include "git/tree.h"
#include "ledger/ledger.h"
#include "ledger/names.h"
#include "report/state.h"
#include "report/table.h"

#define LIVE_MAX 4096
#define LAST_VERDICTS 5
#define BURST_MS 60
#define LOOK_MS 1000	/* a lock that is let go of, and packed refs, make no event that we watch: look at least this often */

struct options {
	bool watch, json;
};

static const struct opt options[] = {
	FLAG('w', "watch", struct options, watch, "until the loop ends: repaint on a terminal, else a line an event"),
	FLAG(0, "json", struct options, json, "one object instead"),
	END,
};

struct seen {
	struct event live, lock;
	struct strs warnings;
	struct state_in in;
};

static void seen_free(struct seen *s)
{
	event_free(&s->live);
	event_free(&s->lock);
	strs_free(&s->warnings);
	*s = (struct seen){ 0 };
}

/* Written whole by the loop; not there, or not of our form, is nothing to complain about here. */
static void read_live(const char *state_dir, struct event *ret)
{
	AUTOFREE char *path = xasprintf("%s/live", state_dir);
	STR text = STR_MAX(LIVE_MAX);
	struct err ignored;

	if (io_read_file(path, LIVE_MAX, &text, &ignored) == 0)
		event_parse(text.buf, text.len, ret);
}

/* Where the branch stands, if not where the ledger says. A running loop may be between its two updates: only what lasts is told then. */
static int warn_best(struct cmd_ctx *ctx, bool running, struct strs *ret, struct err *err)
{
	const struct history *h = ctx->history;
	AUTOFREE char *path = NULL;
	char ref[NAME_MAX_REF];
	struct oid at;

	if (oid_is_zero(&h->best))
		return 0;
	name_best(h->campaign, ref);
	if (ref_read(ctx->repo, ref, &at, err) < 0)
		return err->code;
	if (oid_eq(&at, &h->best))
		return 0;
	if (ledger_best_waits(ctx->repo, h, &path, err) < 0)
		return err->code;
	if (path)
		strs_addf(ret, "%s is checked out in '%s' and waits: switch to another branch there, then git harness resume",
			  ref + strlen("refs/heads/"), path);
	else if (running)
		return 0;
	else if (oid_eq(&at, &h->previous_best))
		strs_addf(ret, "%s is one step behind the ledger; the next command that holds the lock mends it", ref + strlen("refs/heads/"));
	else
		strs_addf(ret, "%s is not where the ledger says (%.12s): git harness verify", ref + strlen("refs/heads/"),
			  oid_hex(&h->best).s);
	return 0;
}

static int warn_policy(struct cmd_ctx *ctx, struct strs *ret, struct err *err)
{
	AUTOFREE char *branch = NULL;
	struct tree_entry entry;
	struct oid head, tree;

	if (repo_head(ctx->repo, &branch, &head, err) < 0)
		return err->code;
	if (oid_is_zero(&head))
		return 0;
	if (tree_of_commit(ctx->repo, &head, &tree, err) < 0 || tree_lookup(ctx->repo, &tree, POLICY_FILE, &entry, err) < 0)
		return err->code;
	if (entry.mode != 0 && !oid_eq(&entry.id, &ctx->history->policy_blob))
		strs_addf(ret, "HEAD's %s is not the policy of this campaign: git harness resume --adopt-policy takes it", POLICY_FILE);
	return 0;
}

static int look(struct cmd_ctx *ctx, struct seen *ret, struct err *err)
{
	seen_free(ret);
	ret->in = (struct state_in){ .history = ctx->history, .live = &ret->live, .warnings = &ret->warnings,
				     .columns = table_terminal(false), .verdicts = LAST_VERDICTS,
				     .colour = cmd_colour(ctx, stdout) };
	/* the lock before the ledger: what a loop wrote before it let go is then seen */
	if (lock_owner(ctx->state_dir, &ret->in.running, &ret->lock, err) < 0 || history_refresh(ctx->repo, ctx->history, err) < 0)
		return err->code;
	read_live(ctx->state_dir, &ret->live);
	if (warn_best(ctx, ret->in.running, &ret->warnings, err) < 0)
		return err->code;
	return warn_policy(ctx, &ret->warnings, err);
}

static volatile sig_atomic_t interrupted;

static void on_signal(int signal)
{
	interrupted = signal;
}

/* Becomes readable when the loop says something. Both watches are best effort: LOOK_MS bounds what a missing one costs. */
static int watch_open(struct cmd_ctx *ctx)
{
	AUTOFREE char *ledgers = xasprintf("%s/refs/harness/ledger", repo_common_dir(ctx->repo));
	int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

	if (fd < 0)
		return -1;
	inotify_add_watch(fd, ctx->state_dir, IN_MOVED_TO | IN_DELETE);
	inotify_add_watch(fd, ledgers, IN_MOVED_TO);
	return fd;
}

/* Events come in bursts, one for each move of the machine: after the first, wait a little and take them as one. */
static void watch_wait(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char events[4096];

	if (poll(&p, fd >= 0, LOOK_MS) <= 0)
		return;
	poll(NULL, 0, BURST_MS);
	while (read(fd, events, sizeof(events)) > 0)
		;
}

static size_t count_lines(const struct str *s)
{
	size_t n = 0;

	for (const char *p = s->buf; (p = strchr(p, '\n')); p++)
		n++;
	return n;
}

struct painted {
	struct str text;
	size_t lines;
};

static void painted_free(struct painted *p)
{
	str_free(&p->text);
}

/* Line by line over what was painted before, so that nothing flickers; where that has scrolled out of reach, on a cleared screen. */
static int repaint(const struct seen *seen, struct painted *before, struct err *err)
{
	STR text = STR_INIT, screen = STR_INIT;
	size_t rows = table_terminal_rows();

	state_text(&seen->in, &text);
	if (!strcmp(text.buf, before->text.buf))
		return 0;
	if (before->lines > 0 && rows > 0 && before->lines >= rows)
		str_puts(&screen, "\033[H\033[J");
	else if (before->lines > 0)
		str_printf(&screen, "\033[%zuF", before->lines);
	for (const char *p = text.buf, *end; (end = strchr(p, '\n')); p = end + 1) {
		str_add(&screen, p, (size_t)(end - p));
		str_puts(&screen, "\033[K\n");
	}
	str_puts(&screen, "\033[J");
	before->lines = count_lines(&text);
	str_clear(&before->text);
	str_add(&before->text, text.buf, text.len);
	return cmd_print(&screen, err);
}

static void act_line(const struct entry *e, struct str *ret)
{
	const char *by = event_get(&e->act, "by"), *what = event_get(&e->act, "event"), *to = event_get(&e->act, "to");
	STR text = STR_INIT;

	str_printf(&text, "%s", what ? what : "act");
	if (e->number >= 0)
		str_printf(&text, " %d", e->number);
	if (to)
		str_printf(&text, " to %s", to);
	if (by)
		str_printf(&text, " by %s", by);
	text_line(text.buf, text.len, 400, ret);
	str_putc(ret, '\n');
}

static void record_line(const struct history *h, const struct record *r, struct str *ret)
{
	char value[NUM_TEXT];

	words_number(words_goal_value(h, r), value);
	str_printf(ret, "%s %d: ", r->baseline ? "baseline" : "experiment", r->number);
	words_verdict(r, ret);
	str_printf(ret, " %s=%s: ", h->policy->goal.metric, value);
	words_subject(r, ret);
	str_putc(ret, '\n');
}

/* What the ledger gained since the last look, a line each. */
static int tell(const struct history *h, struct err *err)
{
	STR out = STR_INIT;

	for (size_t i = 0; i < h->n_entries; i++) {
		const struct entry *e = &h->entries[i];

		if (e->kind == ENTRY_ACT)
			act_line(e, &out);
		else if (history_record(h, e->number))
			record_line(h, history_record(h, e->number), &out);
	}
	return out.len > 0 ? cmd_print(&out, err) : 0;
}

static int headline(const struct seen *seen, struct err *err)
{
	STR out = STR_INIT;

	state_headline(&seen->in, &out);
	str_putc(&out, '\n');
	return cmd_print(&out, err);
}

static int watch(struct cmd_ctx *ctx, struct seen *seen, struct err *err)
{
	const struct sigaction action = { .sa_handler = on_signal };
	bool terminal = isatty(STDOUT_FILENO);
	AUTOCLOSE int fd = watch_open(ctx);
	CLEANUP(painted_free) struct painted painted = { .text = STR_INIT };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	if (!terminal && headline(seen, err) < 0)
		return err->code;
	if (!terminal && !seen->in.running)
		return 0;
	for (;;) {
		if (look(ctx, seen, err) < 0 || (terminal ? repaint(seen, &painted, err) : tell(ctx->history, err)) < 0)
			return err->code;
		if (interrupted) {
			ctx->exit = 128 + interrupted;
			return 0;
		}
		if (!seen->in.running)
			break;
		watch_wait(fd);
	}
	return terminal ? 0 : headline(seen, err);
}

static int run(struct cmd_ctx *ctx, struct err *err)
{
	const struct options *o = ctx->opts;
	CLEANUP(seen_free) struct seen seen = { 0 };
	STR out = STR_INIT;

	if (o->watch && o->json)
		return err_set(err, ERR_USAGE, "--watch and --json exclude each other");
	if (look(ctx, &seen, err) < 0)
		return err->code;
	if (o->watch)
		return watch(ctx, &seen, err);
	if (o->json)
		state_json(&seen.in, &out);
	else
		state_text(&seen.in, &out);
	return cmd_print(&out, err);
}

const struct cmd cmd_status = {
	.name = "status", .args = "", .summary = "best, budget left, last verdicts, what waits for a person",
	.opts = options, .opts_size = sizeof(struct options),
	.needs = CMD_REPO | CMD_CAMPAIGN | CMD_HISTORY, .run = run,
};
