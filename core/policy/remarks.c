/*
 * What check and start say of a valid policy: keys whose machinery this version does not have, limits that nothing enforces yet,
 * and keys that do nothing where they stand. Nothing that a policy says is silently ignored.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "policy/read.h"

static void unsupported(struct reader *r, struct policy *p, const char *path, const char *fmt, ...) PRINTF(4, 5);
static void unsupported(struct reader *r, struct policy *p, const char *path, const char *fmt, ...)
{
	const struct pos *pos = mark_find(r, path);
	STR why = STR_INIT;
	va_list ap;

	va_start(ap, fmt);
	str_vprintf(&why, fmt, ap);
	va_end(ap);
	strs_addf(&p->unsupported, "%s:%d:%d: %s: %s", r->name, pos ? pos->line : 1, pos ? pos->column : 1, path, why.buf);
}

static void warn(struct reader *r, struct policy *p, const char *path, const char *what)
{
	const struct pos *pos = mark_find(r, path);

	strs_addf(&p->warnings, "%s:%d:%d: %s: %s", r->name, pos ? pos->line : 1, pos ? pos->column : 1, path, what);
}

/* Tokens and money are known only of agents whose model calls the harness itself meters. */
static void remark_metering(struct reader *r, struct policy *p)
{
	static const char *const paths[] = { "agent.budget.tokens", "agent.budget.usd", "budget.tokens", "budget.usd" };

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		if (mark_find(r, paths[i]))
			unsupported(r, p, paths[i], "the agent '%s' cannot be metered", agent_kind_name(p->agent.use));
}

static void remark_unsupported(struct reader *r, struct policy *p)
{
	if (p->agent.use > AGENT_PATCHES)
		unsupported(r, p, "agent.use", "'%s' is not in this version; 'command' can run it", agent_kind_name(p->agent.use));
	if (p->agent.network == NETWORK_PROVIDER)
		unsupported(r, p, "agent.network", "'provider' is not in this version");
	remark_metering(r, p);
	for (size_t i = 0; i < p->n_stages; i++) {
		char path[64];

		snprintf(path, sizeof(path), "evaluate[%zu].samples", i);
		if (p->stages[i].samples_min != p->stages[i].samples_max)
			unsupported(r, p, path, "a range of samples is not in this version; give one number");
	}
	if (mark_find(r, "holdout"))
		unsupported(r, p, "holdout", "not in this version");
	if (p->decide.confidence > 0)
		unsupported(r, p, "decide.confidence", "not in this version");
	if (p->decide.recheck > 0)
		unsupported(r, p, "decide.recheck", "not in this version");
	if (p->enforcement_require)
		unsupported(r, p, "enforcement", "'require' cannot be met: this version does not confine processes yet");
}

static void unenforced_budget(struct reader *r, struct policy *p, const char *map)
{
	static const char *const keys[] = { "memory", "processes", "disk", "cpu" };

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		AUTOFREE char *path = xasprintf("%s.budget.%s", map, keys[i]);

		if (mark_find(r, path))
			strs_add(&p->unenforced, path);
	}
}

static void remark_unenforced(struct reader *r, struct policy *p)
{
	bool runs = p->agent.use != AGENT_TUNE && p->agent.use != AGENT_PATCHES;

	if (runs && p->agent.network == NETWORK_OFF)
		strs_add(&p->unenforced, "agent.network: off");
	if (p->execute.command && p->execute.network == NETWORK_OFF)
		strs_add(&p->unenforced, "execute.network: off");
	unenforced_budget(r, p, "agent");
	unenforced_budget(r, p, "execute");
	for (size_t i = 0; i < p->n_stages; i++) {
		AUTOFREE char *map = xasprintf("evaluate[%zu]", i);

		unenforced_budget(r, p, map);
	}
	if (!p->workspace.devices)
		strs_add(&p->unenforced, "workspace.devices: off");
	if (mark_find(r, "workspace.hide"))
		strs_add(&p->unenforced, "workspace.hide");
	if (mark_find(r, "execute.shm"))
		strs_add(&p->unenforced, "execute.shm");
}

static void remark_idle(struct reader *r, struct policy *p)
{
	static const char *const agent[] = { "agent.brief", "agent.budget", "agent.env", "agent.network", "agent.home" };
	bool runs = p->agent.use != AGENT_TUNE && p->agent.use != AGENT_PATCHES;

	for (size_t i = 0; i < ARRAY_SIZE(agent) && !runs; i++)
		if (mark_find(r, agent[i]))
			warn(r, p, agent[i], "has no effect: this agent runs no process");
	if (mark_find(r, "evaluation_ratio") && !p->execute.command)
		warn(r, p, "evaluation_ratio", "has no effect without an 'execute' step");
	for (size_t i = 0; i < p->surface.allow.n; i++)
		if (strcmp(p->surface.allow.v[i], "**") == 0)
			warn(r, p, "surface.allow", "'**' lets an experiment change what judges it; name the files it needs");
	for (size_t i = 0; i < p->n_guards; i++) {
		AUTOFREE char *path = xasprintf("guards[%zu].direction", i);

		if (mark_find(r, path) && !p->guards[i].max_regression.set)
			warn(r, p, path, "has no effect without 'max_regression'");
	}
}

void policy_remarks(struct reader *r, struct policy *p)
{
	remark_unsupported(r, p);
	remark_unenforced(r, p);
	remark_idle(r, p);
}
