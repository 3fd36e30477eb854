/*
 * history.h - a campaign as its ledger tells it.
 * The chain is read from its parentless start to the tip and folded: who is best, what was measured, what counts, what waits. The loop, `verify`,
 * `status`, `log` and the reports all stand on this one fold, so they cannot disagree. Reading mends nothing.
 *
 * Memory: history_free() accepts NULL. Pointers into a history live until history_free() or the next history_refresh().
 * Errors: ERR_NOT_FOUND: no such campaign (hint: git harness start); ERR_INVALID: the ledger is not what we write (names commit and file).
 */
#ifndef LEDGER_HISTORY_H
#define LEDGER_HISTORY_H

#include "base/logfmt.h"
#include "git/repo.h"
#include "policy/budget.h"
#include "policy/verdict.h"

/* ENTRY_EXPERIMENT comes a second time for a number where the measurement that an approval owed was made: it counts once. */
enum entry_kind { ENTRY_START, ENTRY_EXPERIMENT, ENTRY_BASELINE, ENTRY_ACT };

struct entry {				/* one ledger commit */
	struct oid id, previous;
	enum entry_kind kind;
	int number;			/* experiment or baseline; -1: none */
	struct oid commit;		/* experiment commit, or an act's new commit; zero: none */
	struct oid best;		/* Harness-Best after it; zero before the first baseline */
	struct event act;		/* ENTRY_ACT: its line */
};

struct record {				/* one number, its lines folded */
	int number;
	bool baseline;
	struct oid commit;		/* the experiment's own commit (the parked one of an approval); a baseline: the annotated commit */
	struct oid remade;		/* the commit that an approval made of it, accepted or not; zero: none */
	struct oid draft;		/* what was measured before it was brought onto a new best; zero: nothing */
	struct oid accepted;		/* the commit that joined best, or zero */
	struct oid base;		/* commit it was judged against */
	struct oid tree;
	enum verdict verdict;		/* of its last decide line */
	enum reason reason;
	bool has_value, has_best;
	double value, best, delta;
	char *metric;
	struct measured measured;	/* every metric's samples, of the last measurement: a new one begins after a decide or rebase line */
	char *subject;			/* commit subject */
	char *agent, *source;		/* may be NULL */
	char *owner;			/* of what escalated, or NULL */
	double confidence;		/* NaN: none */
	int64_t tokens_in, tokens_out;	/* -1: unknown */
	double usd;			/* negative: unknown */
	int64_t started, wall;		/* first line's time; sum of the walls of its lines, ns */
	int64_t maxrss;			/* bytes; -1 unknown */
	int level;
	bool waiting;			/* escalated and unanswered */
	bool approved;			/* a person said yes and the loop has not measured it yet */
	bool run;			/* reached EXECUTE or EVALUATE */
	bool judged;			/* no evaluate line follows its last decide line */
	int64_t elapsed;		/* the driver's wall of the whole campaign when it was decided, ns */
	struct oid blob;		/* of its record file: history_lines() reads it */
	struct oid brief, proposal, agent_log, execute_log, evaluate_log;	/* blobs; zero: none */
};

struct best_step {			/* best went there, or was measured anew as a baseline; upto: the highest number then */
	int upto;
	struct oid best;
};

struct history {
	char *campaign;
	struct oid tip;			/* of the ledger */
	struct oid start;		/* commit the campaign started from */
	struct oid policy_blob;		/* as adopted last */
	struct policy *policy;
	struct entry *entries;		/* those that the last history_refresh() read, oldest first */
	size_t n_entries, alloc_entries;
	size_t n_records;		/* up to the highest; one that is given and not recorded (yet) is a gap */
	int free_number;		/* the lowest gap; what is below a baseline's number was measured before it */
	size_t n_acts;
	enum entry_kind last_kind;	/* of the tip */
	int last_number;
	struct best_step *steps;
	size_t n_steps, alloc_steps;
	struct oid best;		/* Harness-Best of the tip */
	struct oid previous_best;	/* Harness-Best of the commit before it */
	struct oid best_waits;		/* where best's branch was left because a worktree had it checked out; zero: it was moved */
	int best_number;		/* whose commit that is; a baseline's for a starting commit; -1 none */
	const struct measured *best_measured, *baseline_measured;	/* of the present policy */
	int last_baseline;		/* number, -1: none yet */
	bool needs_baseline;		/* none yet, or a change of policy (adopt) that asks for one */
	struct spent spent;		/* in_flight is 0; wall as the last decide line's elapsed= says */
	int64_t agent_failures;		/* agent-failed in a row */
	int loop_waits;			/* an unanswered loop-level escalation (reason), or 0 */
	struct history_index *index;	/* private, as what follows */
	struct store *store;
	char *cache;			/* its file, or NULL */
};
/* Stands on the cache in the campaign's state directory, and renews it when much was read. */
int history_read(struct repo *repo, const char *campaign, struct history **ret, struct err *err);
/* From the ledger alone, as that commit of it tells, wherever its ref stands; all entries kept: for `verify` and for what a push brings. */
int history_read_at(struct repo *repo, const char *campaign, const struct oid *tip, struct history **ret, struct err *err);
int history_refresh(struct repo *repo, struct history *h, struct err *err);	/* reads on from the tip known */
void history_free(struct history *h);

/* The lines of one number, read from its record file: they are not kept in memory. */
int history_lines(struct repo *repo, const struct history *h, int number, struct events *ret, struct err *err);
const struct record *history_record(const struct history *h, int number);	/* NULL: no such number, or a gap */
const struct record *history_look(const struct history *h, int number);	/* the same, until the next look: for going through all */
/* What can be asked of all numbers without looking at each. ACCEPTED leaves baselines out; OWED: approved, not measured yet. */
enum { RECORD_WAITING = 1, RECORD_OWED = 2, RECORD_BASELINE = 4, RECORD_ACCEPTED = 8, RECORD_WAS_BEST = 16 };
int history_next(const struct history *h, int from, unsigned flags);	/* the lowest number >= from with any of them; -1 */
int history_before(const struct history *h, int below, unsigned flags);	/* the highest number < below; -1 */
void history_keep(struct history *h);	/* brings the cache up to date: for the loop at its end */
double history_best_value(const struct history *h);				/* NaN: none */
/* Was this tree measured on this base tree since the last baseline? The number that did, or -1. */
int history_measured(const struct history *h, const struct oid *base_tree, const struct oid *tree);
/* What stood on that commit: of the latest number below `before`, else of the next one (an approval may come late). NULL: nothing did. */
const struct record *history_of_commit(const struct history *h, const struct oid *commit, int before);
const struct measured *history_measured_on(const struct history *h, const struct oid *commit, int before);	/* its samples */
size_t history_accepted(const struct history *h), history_waiting(const struct history *h);

#endif
