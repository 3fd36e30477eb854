#include "policy/budget.h"

#include "base/clock.h"

#define PAUSE_MAX 60

const char *const budget_end_names[] = {
	[BUDGET_GO] = "go",	    [BUDGET_EXPERIMENTS] = "experiments",
	[BUDGET_WALL] = "wall",	    [BUDGET_TOKENS] = "tokens",
	[BUDGET_USD] = "usd",	    [BUDGET_PLATEAU] = "plateau",
	[BUDGET_TARGET] = "target", [BUDGET_FAILURES] = "failures",
};

static bool used_up(int64_t spent, int64_t cap)
{
	return cap >= 0 && spent >= cap;
}

/*
 * Success before failure, and failure, which asks a person, before a plain end: the answer is the
 * one that tells most.
 */
enum budget_end budget_check(const struct policy *p, const struct spent *s, double best)
{
	if (target_reached(p, best))
		return BUDGET_TARGET;
	if (p->escalate.failures > 0 && s->failures >= p->escalate.failures)
		return BUDGET_FAILURES;
	if (used_up(s->experiments + s->in_flight, p->budget.experiments))
		return BUDGET_EXPERIMENTS;
	if (used_up(s->wall, p->budget.wall))
		return BUDGET_WALL;
	if (used_up(s->tokens, p->budget.tokens))
		return BUDGET_TOKENS;
	if (p->budget.usd >= 0 && s->usd >= p->budget.usd)
		return BUDGET_USD;
	return used_up(s->plateau + s->in_flight, p->budget.plateau) ? BUDGET_PLATEAU : BUDGET_GO;
}

void budget_count(struct spent *s, enum verdict verdict, enum reason reason)
{
	s->failures = reason_is_failure(reason) ? s->failures + 1 : 0;
	if (reason != REASON_BASELINE) {
		s->experiments++;
		s->plateau++;
	}
	if (verdict == VERDICT_ACCEPT)
		s->plateau = 0;
}

int64_t budget_pause(int64_t agent_failures)
{
	int64_t seconds = 1;

	if (agent_failures <= 0)
		return 0;
	while (--agent_failures && seconds < PAUSE_MAX)
		seconds *= 2;
	return (seconds < PAUSE_MAX ? seconds : PAUSE_MAX) * NS_PER_S;
}
