/*
 * agent.h - who proposes. One interface, one file a kind.
 * An agent either names a process to be run in a workspace (command), or makes the candidate tree itself (tune, patches: no workspace, no
 * process). It is asked at PROPOSE only and told what happened through `past`; it keeps no state of its own, so a resumed campaign goes on as an undisturbed one.
 *
 * Memory: agent_free() accepts NULL. proposal_clear() ends a proposal.
 */
#ifndef AGENT_AGENT_H
#define AGENT_AGENT_H

#include "git/repo.h"
#include "policy/policy.h"
#include "policy/verdict.h"

/* An earlier number of this campaign, oldest first; baselines included. Behind them those that other jobs measure right now. */
struct attempt {
	int number;
	bool baseline;
	struct oid base_tree, tree;
	enum verdict verdict;	/* VERDICT_NONE: not yet */
	enum reason reason;
	double value;		/* of the goal; NaN: none */
	const char *source;	/* what the agent called it, or NULL */
};

struct ask {
	struct repo *repo;
	const struct policy *policy;
	const char *campaign;
	int number;
	struct oid base_commit, base_tree;	/* best */
	struct oid start_commit;
	const struct attempt *past;
	size_t n_past;
};

enum proposal_kind {
	PROPOSAL_PROCESS,	/* run policy->agent.command in a workspace, then harvest it */
	PROPOSAL_TREE,		/* tree is the candidate */
	PROPOSAL_NONE,		/* no more ideas: the campaign has converged */
	PROPOSAL_FAILED,	/* agent-failed, why says so */
};

struct proposal {
	enum proposal_kind kind;
	struct oid tree;
	char *subject, *body;	/* may be NULL; foreign text */
	char *why;
	char *source;		/* goes to the record as source=, comes back in past */
	double confidence;	/* NaN: none */
	bool stop;
};
void proposal_clear(struct proposal *p);

struct agent;
/* ERR_INVALID where the policy's part for this agent does not fit the repository (a tune pattern that matches nothing, a patch glob without a match): names it. */
int agent_open(struct repo *repo, const struct policy *policy, const struct oid *start_commit, struct agent **ret, struct err *err);
void agent_free(struct agent *a);
const char *agent_name(const struct agent *a);	/* for author and agent=: "command", "tune", "patches" */
int agent_propose(struct agent *a, const struct ask *ask, struct proposal *ret, struct err *err);

/* The proposal file of the command protocol: first line = subject, then body, then optional trailers Confidence:, Stop:. */
void proposal_parse(const char *ptr, size_t len, struct proposal *ret);

#endif
