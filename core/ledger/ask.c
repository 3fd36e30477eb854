#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ledger/act.h"
#include "ledger/lock.h"
#include "ledger/names.h"

#define TRIES 8

static int number_of(const struct event *request, int *ret, struct err *err)
{
	int64_t n;

	*ret = -1;
	if (!event_get(request, "experiment"))
		return 0;
	if (!event_get_int(request, "experiment", &n) || n < 0 || n > 999999999)
		return err_set(err, ERR_USAGE, "'%s' is no number of an experiment", event_get(request, "experiment"));
	*ret = (int)n;
	return 0;
}

static int do_rollback(const struct act *a, int number, struct str *ret_said, struct err *err)
{
	struct best_move move;

	if (act_plan_rollback(a->h, number, &move, err) < 0)
		return err->code;
	return act_rollback(a, &move, ret_said, err);
}

static const struct {
	const char *ask;
	int (*fn)(const struct act *a, int number, struct str *ret_said, struct err *err);
} asks[] = {
	{ "approve", act_approve }, { "deny", act_deny }, { "rollback", do_rollback },
};

static int perform(const struct act *a, const struct event *request, struct str *ret_said, struct err *err)
{
	int number;

	if (number_of(request, &number, err) < 0)
		return err->code;
	for (size_t i = 0; i < ARRAY_SIZE(asks); i++) {
		if (event_is(request, "ask", asks[i].ask))
			return asks[i].fn(a, number, ret_said, err);
	}
	return err_set(err, ERR_USAGE, "'%s' is nothing that can be asked", event_get(request, "ask") ? event_get(request, "ask") : "");
}

static struct act act_of(struct repo *repo, struct history *h, struct journal *journal, const struct event *request)
{
	return (struct act){
		.repo = repo, .h = h, .journal = journal, .by = event_get(request, "by"), .why = event_get(request, "why"),
	};
}

/* Refusals are the answer's; what else fails would fail the owner's next record too. */
static bool is_refusal(int code)
{
	return code == ERR_USAGE || code == ERR_NOT_FOUND || code == ERR_REFUSED || code == ERR_INVALID || code == ERR_LOCKED;
}

int act_answer(struct repo *repo, struct history *h, struct journal *journal, const struct event *request, struct event *ret_answer,
	       struct err *err)
{
	struct act a = act_of(repo, h, journal, request);
	STR said = STR_INIT;
	struct err why;

	if (perform(&a, request, &said, &why) == 0) {
		event_add(ret_answer, "status", "ok");
		event_add(ret_answer, "message", said.buf);
		return 0;
	}
	if (!is_refusal(why.code)) {
		*err = why;
		return err->code;
	}
	event_add(ret_answer, "status", "error");
	event_add_int(ret_answer, "code", why.code);
	event_add(ret_answer, "message", why.msg);
	return 0;
}

/* ---- the asking side ---- */

struct own {
	struct journal *journal;
	struct history *h;
};

static void own_clear(struct own *o)
{
	history_free(o->h);
	journal_close(o->journal);
}

static int do_here(struct repo *repo, const char *campaign, const char *state_dir, const struct event *request,
		   struct str *ret_said, struct err *err)
{
	AUTOFREE char *path = xasprintf("%s/journal", state_dir);
	CLEANUP(own_clear) struct own o = { 0 };
	CLEANUP(events_free) struct events lines = { 0 };
	struct act a;
	int mended;

	if (journal_open(path, &o.journal, &lines, err) < 0 || ledger_unlock(repo, &lines, err) < 0 ||
	    history_read(repo, campaign, &o.h, err) < 0 || ledger_mend(repo, o.h, &mended, err) < 0)
		return err->code;
	a = act_of(repo, o.h, o.journal, request);
	return perform(&a, request, ret_said, err);
}

static int take_answer(const struct event *answer, struct str *ret_said, struct err *err)
{
	const char *message = event_get(answer, "message");
	int64_t code;

	if (event_is(answer, "status", "ok")) {
		str_puts(ret_said, message ? message : "");
		if (ret_said->len && ret_said->buf[ret_said->len - 1] != '\n')
			str_putc(ret_said, '\n');
		return 0;
	}
	if (!event_get_int(answer, "code", &code) || code >= 0)
		code = ERR_REFUSED;
	return err_set(err, (int)code, "%s", message ? message : "the loop refused and did not say why");
}

static void unlock(struct lock **lock)
{
	lock_free(*lock);
}

int act_request(struct repo *repo, const char *campaign, const struct event *request, struct str *ret_said, struct err *err)
{
	AUTOFREE char *state_dir = name_state_dir(repo, campaign);
	AUTOFREE char *command = xasprintf("git harness %s", event_get(request, "ask"));

	/* Between our two looks an owner may end or a new one begin. */
	for (int i = 0; i < TRIES; i++) {
		CLEANUP(unlock) struct lock *lock = NULL;
		EVENT answer = { 0 };

		if (lock_take(state_dir, command, &lock, err) == 0)
			return do_here(repo, campaign, state_dir, request, ret_said, err);
		if (err->code != ERR_LOCKED)
			return err->code;
		if (inbox_ask(state_dir, request, &answer, err) == 0)
			return take_answer(&answer, ret_said, err);
		if (err->code != ERR_NOT_FOUND)
			return err->code;
	}
	return err_set(err, ERR_LOCKED, "the campaign's owner changed %d times without an answer", TRIES);
}
