/*
 * budget.h - what counts, and when the loop must end.
 * Pure. What is in flight counts as if it were recorded without a gain. Every number but baselines counts for experiments (no-op, duplicate, agent-failed too);
 * plateau = recorded experiments since the last accept or baseline; failures = consecutive
 * agent-failed crash timeout metric-*; wall = time the driver ran, all sessions.
 */
#ifndef POLICY_BUDGET_H
#define POLICY_BUDGET_H

#include "policy/verdict.h"

struct spent {
	int64_t experiments;	/* recorded, baselines left out */
	int64_t in_flight;
	int64_t wall;		/* ns */
	int64_t tokens;
	double usd;
	int64_t plateau;
	int64_t failures;
};

enum budget_end {
	BUDGET_GO, BUDGET_EXPERIMENTS, BUDGET_WALL, BUDGET_TOKENS, BUDGET_USD, BUDGET_PLATEAU, BUDGET_TARGET,
	BUDGET_FAILURES,	/* escalates */
};
extern const char *const budget_end_names[];	/* "go" "experiments" ... */

/*
 * May another experiment be started? best: the present value, NaN where unknown. Of several ends:
 * target, failures, then as above.
 */
enum budget_end budget_check(const struct policy *p, const struct spent *s, double best);
/* Fold one recorded verdict in. */
void budget_count(struct spent *s, enum verdict verdict, enum reason reason);
/*
 * Pause (ns) before the next PROPOSE after `agent_failures` agent-failed in a row: 0, 1, 2, 4 ...
 * 60 s.
 */
int64_t budget_pause(int64_t agent_failures);

#endif
