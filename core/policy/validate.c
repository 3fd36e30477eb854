/*
 * What must hold between the keys of a policy. An error stands at the key that has to change.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "policy/read.h"
#include "policy/surface.h"

/* An error about the key of that path; where it is not given, about the nearest map above it. */
static int fault(struct reader *r, const char *path, const char *fmt, ...) PRINTF(3, 4);
static int fault(struct reader *r, const char *path, const char *fmt, ...)
{
	STR text = STR_MAX(sizeof(r->err->msg) - 1);
	STR at = STR_INIT;
	const struct pos *pos;
	va_list ap;

	va_start(ap, fmt);
	str_vprintf(&text, fmt, ap);
	va_end(ap);
	str_puts(&at, path);
	while (!(pos = mark_find(r, at.buf)) && at.len) {
		while (at.len && at.buf[at.len - 1] != '.' && at.buf[at.len - 1] != '[')
			str_truncate(&at, at.len - 1);
		if (at.len)
			str_truncate(&at, at.len - 1);
	}
	return node_error(r->name, pos ? *pos : (struct pos){ 1, 1 }, r->err, "'%s' %s", path, text.buf);
}

/* "guards[2].owner" */
struct path {
	char s[96];
};

static struct path path_of(const char *list, size_t i, const char *key)
{
	struct path ret;

	snprintf(ret.s, sizeof(ret.s), "%s[%zu]%s%s", list, i, key ? "." : "", key ? key : "");
	return ret;
}

/* Keys that mean something for one kind of agent only. */
static int check_agent(struct reader *r, const struct policy *p)
{
	static const struct {
		const char *path;
		enum agent_kind kind;
	} own[] = {
		{ "agent.command", AGENT_COMMAND },
		{ "agent.parameters", AGENT_TUNE },
		{ "agent.seed", AGENT_TUNE },
		{ "agent.from", AGENT_PATCHES },
	};
	const char *use = agent_kind_name(p->agent.use);

	if (p->agent.use > AGENT_PATCHES)
		return 0;	/* said to be unsupported as a whole */
	for (size_t i = 0; i < ARRAY_SIZE(own); i++) {
		bool optional = strcmp(own[i].path, "agent.seed") == 0;
		bool given = mark_find(r, own[i].path) != NULL;

		if (given && own[i].kind != p->agent.use)
			return fault(r, own[i].path, "is for 'use: %s', not for 'use: %s'", agent_kind_name(own[i].kind), use);
		if (!given && !optional && own[i].kind == p->agent.use)
			return fault(r, own[i].path, "is missing: 'use: %s' needs it", use);
	}
	return 0;
}

static int check_numeric(struct reader *r, size_t i, const struct param *param)
{
	if (param->choices.n)
		return fault(r, path_of("agent.parameters", i, "choices").s, "is for 'type: categorical'");
	if (isnan(param->min) || isnan(param->max))
		return fault(r, path_of("agent.parameters", i, NULL).s, "needs 'min' and 'max'");
	if (!(param->min < param->max))
		return fault(r, path_of("agent.parameters", i, "min").s, "must be less than 'max'");
	if (param->type == PARAM_LOG && param->min <= 0)
		return fault(r, path_of("agent.parameters", i, "min").s, "must be more than 0 with 'type: log'");
	if (param->type == PARAM_INT && (param->min != floor(param->min) || param->max != floor(param->max) ||
					 fabs(param->min) > 9e15 || fabs(param->max) > 9e15))
		return fault(r, path_of("agent.parameters", i, "min").s, "and 'max' must be whole numbers with 'type: int'");
	return 0;
}

static int check_categorical(struct reader *r, size_t i, const struct param *param)
{
	if (!isnan(param->min) || !isnan(param->max))
		return fault(r, path_of("agent.parameters", i, isnan(param->min) ? "max" : "min").s, "is not for 'type: categorical'");
	if (param->choices.n < 2)
		return fault(r, path_of("agent.parameters", i, "choices").s, "needs at least two values");
	for (size_t a = 0; a < param->choices.n; a++)
		for (size_t b = 0; b < a; b++)
			if (strcmp(param->choices.v[a], param->choices.v[b]) == 0)
				return fault(r, path_of("agent.parameters", i, "choices").s, "has '%s' twice",
					     node_text(param->choices.v[a]).s);
	return 0;
}

static int check_params(struct reader *r, const struct policy *p)
{
	struct surface surface;

	surface_of(p, NULL, &surface);
	for (size_t i = 0; i < p->agent.n_params; i++) {
		const struct param *param = &p->agent.params[i];
		int status = param->type == PARAM_CATEGORICAL ? check_categorical(r, i, param) : check_numeric(r, i, param);

		if (status < 0)
			return status;
		for (size_t k = 0; k < i; k++)
			if (strcmp(p->agent.params[k].name, param->name) == 0)
				return fault(r, path_of("agent.parameters", i, "name").s, "is '%s' again", param->name);
		if (surface_path(&surface, param->file) != SURFACE_OK)
			return fault(r, path_of("agent.parameters", i, "file").s, "is '%s', which is outside the surface",
				     node_text(param->file).s);
	}
	return 0;
}

/* Names are made for stages that have none, so that records can tell them apart. */
static int check_stages(struct reader *r, struct policy *p)
{
	for (size_t i = 0; i < p->n_stages; i++) {
		struct stage *stage = &p->stages[i];

		if (!stage->name)
			stage->name = xasprintf("stage%zu", i + 1);
		for (size_t k = 0; k < i; k++) {
			/* The one that was written can be changed. */
			size_t at = mark_find(r, path_of("evaluate", i, "name").s) ? i : k;

			if (strcmp(p->stages[k].name, stage->name) == 0)
				return fault(r, path_of("evaluate", at, "name").s, "is '%s', as another stage is", stage->name);
		}
	}
	return 0;
}

static int check_guards(struct reader *r, struct policy *p)
{
	for (size_t i = 0; i < p->n_guards; i++) {
		struct guard *guard = &p->guards[i];
		bool given = mark_find(r, path_of("guards", i, "direction").s) != NULL;

		if (guard->min > guard->max)
			return fault(r, path_of("guards", i, "min").s, "must not be more than 'max'");
		if (given || !guard->max_regression.set)
			continue;
		if (strcmp(guard->metric, p->goal.metric) != 0)
			return fault(r, path_of("guards", i, "direction").s, "is missing: 'max_regression' needs it");
		guard->direction = p->goal.direction;
	}
	return 0;
}

static int check_humans(struct reader *r, const struct policy *p)
{
	for (size_t i = 0; i < p->escalate.n_human; i++)
		for (size_t k = 0; k < i; k++)
			if (strcmp(p->escalate.human[i].name, p->escalate.human[k].name) == 0)
				return fault(r, path_of("escalate.human", i, "name").s, "is '%s' again", p->escalate.human[i].name);
	return 0;
}

int policy_validate(struct reader *r, struct policy *p)
{
	if (check_agent(r, p) < 0 || check_params(r, p) < 0 || check_stages(r, p) < 0 || check_guards(r, p) < 0 || check_humans(r, p) < 0)
		return r->err->code;
	return 0;
}
