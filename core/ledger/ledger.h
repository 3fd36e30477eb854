/*
 * ledger.h - the record is written here and nowhere else.
 * One decision, one order (DESIGN section 7): objects flushed; refs of ledger, notes and best locked and read; then committed in that
 * order, the ledger being the commit point. What dies in between is mended by ledger_mend() on the next open, from the ledger alone.
 * The caller holds the campaign's lock.
 */
#ifndef LEDGER_LEDGER_H
#define LEDGER_LEDGER_H

#include "ledger/history.h"
#include "ledger/journal.h"

struct ledger_files {	/* blobs of one experiment's directory; zero: left out */
	struct oid brief, proposal, agent_log, execute_log, evaluate_log;
	struct oid state;	/* manifest of execute.state */
};

struct ledger_write {
	enum entry_kind kind;
	int number;			/* experiments and baselines; for acts on an experiment too; else -1 */
	struct oid commit;		/* new commit: the experiment's, or an approval's; zero for baselines and plain acts */
	const struct oid *drafts;	/* further commits to keep reachable */
	size_t n_drafts;
	const struct events *lines;	/* the number's whole record as it is to stand; NULL: the record is not touched */
	const struct oid *annotate;	/* commits whose note carries these lines (1 to 3: parked, new, first draft) */
	size_t n_annotate;
	const struct event *act;	/* ENTRY_ACT: appended to `acts`; its t=, n= and campaign= are put in front here */
	struct ledger_files files;
	struct oid policy;		/* adopted policy blob; zero: unchanged */
	struct oid best;		/* where best shall stand; equal to the present one: best is not moved */
	const char *subject;		/* of the ledger commit, "experiment 7: accept (better)" */
	void (*before)(void *data, const char *ref);	/* called before each ref is committed (tests kill here); may be NULL */
	void *before_data;
};

/* The parentless first commit: policy, base, campaign. */
int ledger_start(struct repo *repo, const char *campaign, const struct oid *policy_blob, const struct oid *start, struct err *err);
/*
 * Writes, moves the refs, and refreshes h. journal may be NULL; when given, the ref locks to be taken are named in it first. Then an escalated
 * experiment is parked on its review branch. Best checked out somewhere: the accept is recorded, best waits (ledger_best_waits) and is moved
 * by the first write or mend after the branch is free. ERR_REFUSED: best does not stand where the ledger left it.
 */
int ledger_write(struct repo *repo, struct history *h, struct journal *journal, const struct ledger_write *w, struct err *err);
/* For who just took the campaign's lock: removes the ref locks that a dead owner's journal names. */
int ledger_unlock(struct repo *repo, const struct events *journal_lines, struct err *err);
/*
 * Brings best, notes and the last review branch to what the ledger says: where a writer died in between. Each number's lines in its notes
 * become its record; foreign text there stays byte for byte. ERR_REFUSED: best stands where no writer can have left it.
 */
int ledger_mend(struct repo *repo, struct history *h, int *ret_mended, struct err *err);
/* Where best's branch stands if that is not where the ledger says: path of the worktree that has it checked out, or NULL (caller frees). */
int ledger_best_waits(struct repo *repo, const struct history *h, char **ret_path, struct err *err);

/* Text of an experiment commit's message, trailers included. */
struct message_in {
	const struct record *record;	/* verdict, value, best, delta, measured, agent */
	const struct policy *policy;
	const char *campaign;
	const struct oid *policy_blob;
	const char *subject, *body;	/* the agent's; made safe here; subject NULL: "experiment <n>" */
	const char *approved_by;	/* "Name <mail>" or NULL */
};
void ledger_message(const struct message_in *in, struct str *ret);

#endif
