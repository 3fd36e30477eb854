/*
 * session.h - the loop itself: one campaign being driven by one process. Internal to core/loop.
 *
 *   open.c    from a repository and a campaign's name to a loop; what can be refused is refused there
 *   campaign.c where a campaign starts and goes on
 *   driver.c  the pump, signals, inbox, live state     brief.c  what an agent is told
 */
#ifndef LOOP_SESSION_H
#define LOOP_SESSION_H

#include "loop/experiment.h"

struct loop {
	struct repo *repo;
	struct loop_options options;
	char *campaign, *state_dir, *work_dir, *keep_dir, *keep_state_dir;	/* work_dir: of the open ones; keep: of a replay */
	struct lock *lock;
	struct journal *journal;
	struct history *h;
	const struct policy *policy;	/* h->policy */
	struct pool *pool;
	bool fresh_pool;		/* an adopted policy has another workspace: prepared anew */
	struct agent *agent;
	struct reactor *reactor;
	struct ident me;
	struct bench bench;
	struct surface surface;
	char *hooks_path;		/* of the hooks for the agent's git, or NULL */
	char *tracked_hooks;		/* core.hooksPath inside the checkout, or NULL */
	struct turns turns;
	struct experiment *slots;	/* at least parallel.jobs: a policy that was adopted may want fewer than are open */
	size_t n_slots;
	const struct experiment *shown;	/* in the live state: the one that moved last */
	bool driving, wake;		/* wake: idle slots, and who waits for another, are looked at again */
	int64_t opened, wall_before;	/* mono ns; ns of earlier sessions */
	struct oid advance_to;		/* zero: no */
	bool stop;			/* the reactor ends */
	bool journal_open;		/* a proposal was open when it was read */
	bool stop_after, discard;
	bool no_ideas;			/* the agent has converged: what is open ends, nothing is begun */
	bool serving;			/* answering what lies in the inbox */
	bool drain;			/* a rollback was asked for: it waits until nothing is open */
	bool halting;			/* a signal, or stop --now: nothing more is begun */
	bool ended;			/* the last live line says how, and stays */
	bool broken;			/* the evaluator fails on best too */
	int signal;
	struct loop_result result;
	struct watch *inbox, *signals, *tick;
	struct packing *packing;
	int inbox_fd, signal_fd;
};

/* campaign.c: no user's branch in the way; best not checked out; a new ledger from HEAD; HEAD's policy against the pinned one. */
int campaign_name_is_free(struct repo *repo, struct err *err);
int campaign_best_is_free(struct loop *l, struct err *err);
int campaign_begin(struct loop *l, struct err *err);
int campaign_go_on(struct loop *l, struct err *err);
/* Answer what lies in the inbox. */
int loop_serve(struct loop *l, bool running, struct err *err);
int loop_cancelled(struct experiment *x, struct err *err);
void loop_stop_when_quiet(struct loop *l);
int loop_act(struct loop *l, const char *kind, struct event *facts, struct err *err);
/* packing.c: after a number was recorded; packs what is loose now and then, beside the loop. */
int loop_pack(struct loop *l, struct err *err);
void packing_free(struct packing *p);

/* slots.c */
void loop_make_slots(struct loop *l, size_t n);
size_t loop_in_flight(const struct loop *l, enum kind kind);
struct experiment *loop_open_at(const struct loop *l, int number);	/* NULL: it is not open */
int loop_free_number(const struct loop *l);
bool loop_is_running(const struct loop *l);
int loop_drive(struct loop *l, struct err *err);
int loop_tidy_journal(struct loop *l, struct err *err);
int loop_clear_work(struct loop *l, struct err *err);

void loop_say(struct loop *loop, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int64_t loop_elapsed(const struct loop *loop);			/* campaign wall so far, ns */
struct spent loop_spent(const struct loop *loop);		/* with this session's wall */
int loop_let_go(struct loop *l, struct err *err);	/* what an owner that was killed held */
void brief_write(const struct loop *loop, const struct experiment *x, struct str *ret);

#endif
