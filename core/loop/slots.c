/*
 * slots.c - parallel.jobs: who is open, who may begin, and who is looked at again when another has ended.
 * A slot without a number stands idle in BUDGET. One thread steps them all, so a verdict is given and recorded before the next one is looked
 * at: the order of endings is the order of verdicts.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "base/num.h"
#include "loop/session.h"
#include "run/dir.h"
#include "run/remove.h"

void loop_make_slots(struct loop *l, size_t n)
{
	l->slots = xcalloc(n, sizeof(*l->slots));
	l->n_slots = n;
	for (size_t i = 0; i < n; i++) {
		struct experiment *x = &l->slots[i];

		x->loop = l;
		x->slot = i;
		experiment_reset(x);
	}
	l->shown = l->slots;
}

size_t loop_in_flight(const struct loop *l, enum kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n_slots; i++)
		n += l->slots[i].open && (kind == KIND_ANY || l->slots[i].kind == kind);
	return n;
}

struct experiment *loop_open_at(const struct loop *l, int number)
{
	for (size_t i = 0; i < l->n_slots; i++)
		if (l->slots[i].open && l->slots[i].number == number)
			return &l->slots[i];
	return NULL;
}

/* The smallest that nobody has; one that was lost with its journal is given again. */
int loop_free_number(const struct loop *l)
{
	int n = l->h->free_number;

	while (history_record(l->h, n) || loop_open_at(l, n))
		n++;
	return n;
}

bool loop_is_running(const struct loop *l)
{
	for (size_t i = 0; i < l->n_slots; i++)
		if (experiment_is_running(&l->slots[i]))
			return true;
	return false;
}

/* Does another job measure the same candidate on the same base right now? */
bool experiment_is_measured(const struct experiment *x)
{
	const struct loop *l = x->loop;

	for (size_t i = 0; i < l->n_slots; i++) {
		const struct experiment *y = &l->slots[i];
		bool measures = y->state == EXECUTE || y->state == EVALUATE || y->state == DECIDE;

		if (y != x && y->open && measures && oid_eq(&y->tree, &x->tree) && oid_eq(&y->base_tree, &x->base_tree))
			return true;
	}
	return false;
}

static int look_again(struct experiment *x, struct err *err)
{
	bool idle = x->state == BUDGET && !x->open;
	int rc;

	if (x->pumping || !(idle || x->waits))
		return 0;
	x->waits = false;
	x->pumping = true;	/* what it posts is taken below, once */
	rc = idle ? enter_budget(x, err) : enter_check(x, err);
	x->pumping = false;
	return rc < 0 ? rc : experiment_pump(x, err);
}

/* Never from inside one of them: `driving` is taken by whoever comes first, on an otherwise empty stack. */
int loop_drive(struct loop *l, struct err *err)
{
	int rc = 0;

	if (l->driving)
		return 0;
	l->driving = true;
	while (l->wake && rc >= 0) {
		l->wake = false;
		for (size_t i = 0; i < l->n_slots && rc >= 0 && !l->halting && !l->stop; i++)
			rc = look_again(&l->slots[i], err);
	}
	l->driving = false;
	return rc;
}

/* ---- what is kept of an open experiment ---- */

int experiment_journal(struct experiment *x, const struct event *line, bool durable, struct err *err)
{
	if (journal_add(x->loop->journal, line, durable, err) < 0)
		return err->code;
	if (x->open)
		event_copy(line, events_push(&x->journal));
	return 0;
}

/* The journal anew: what the open ones have in it. */
int loop_tidy_journal(struct loop *l, struct err *err)
{
	CLEANUP(events_free) struct events keep = { 0 };

	for (size_t i = 0; i < l->n_slots; i++)
		for (size_t k = 0; l->slots[i].open && k < l->slots[i].journal.n; k++)
			event_copy(&l->slots[i].journal.v[k], events_push(&keep));
	return journal_reset(l->journal, &keep, err);
}

int experiment_forget(struct experiment *x, struct err *err)
{
	events_free(&x->journal);
	if (loop_tidy_journal(x->loop, err) < 0 || experiment_let_go(x, err) < 0)
		return err->code;
	return remove_tree(AT_FDCWD, x->dir, 0, err);
}

void experiment_set_place(struct experiment *x)
{
	free(x->dir);
	free(x->keep);
	free(x->keep_state);
	x->dir = xasprintf("%s/%d", x->loop->work_dir, x->number);
	x->keep = xasprintf("%s/artifacts", x->dir);
	x->keep_state = xasprintf("%s/state", x->dir);
}

int experiment_place(struct experiment *x, int number, struct err *err)
{
	x->number = number;
	experiment_set_place(x);
	return remove_tree(AT_FDCWD, x->dir, 0, err) < 0 ? err->code : io_mkdirs(x->dir, 0700, err);
}

/* Directories of experiments that are no longer open: whoever owned them was killed. */
int loop_clear_work(struct loop *l, struct err *err)
{
	AUTOCLOSE int fd = open(l->work_dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	CLEANUP(strs_free) struct strs names = { 0 };

	if (fd < 0)	/* none was ever open */
		return 0;
	if (dir_names(fd, &names, err) < 0)
		return err->code;
	for (size_t i = 0; i < names.n; i++) {
		int64_t n = -1;

		if (num_parse_int(names.v[i], strlen(names.v[i]), &n) && n <= INT_MAX && loop_open_at(l, (int)n))
			continue;
		if (remove_tree(fd, names.v[i], 0, err) < 0)
			return err->code;
	}
	return 0;
}
