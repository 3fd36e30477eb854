/*
 * Whose word the goal's number is. What prints it must not be what an experiment may change; where candidate code runs in the
 * evaluator's own process no cage helps, only the split into execute and evaluate.
 */
#include <string.h>

#include "base/mem.h"
#include "policy/surface.h"

/* The first word of a shell command that is a path on the surface; the caller frees it. */
static char *word_on_surface(const struct surface *surface, const char *command)
{
	static const char between[] = " \t\r\n'\"`$;&|()<>{}=,:";

	for (const char *p = command; *p;) {
		size_t len = strcspn(p, between);
		AUTOFREE char *word = xstrndup(p, len);
		char *path = starts_with(word, "./") ? word + 2 : word;

		if (*path && surface_path(surface, path) == SURFACE_OK)
			return xstrdup(path);
		p += len;
		p += strspn(p, between);
	}
	return NULL;
}

bool policy_forgeable(const struct policy *p, struct str *ret)
{
	struct surface surface;

	surface_of(p, NULL, &surface);
	for (size_t i = 0; i < p->n_stages; i++) {
		AUTOFREE char *word = word_on_surface(&surface, p->stages[i].command);

		if (!word)
			continue;
		str_printf(ret, "stage '%s' runs '%s', which an experiment may change: it can print any '%s' it likes",
			   p->stages[i].name, word, p->goal.metric);
		return true;
	}
	if (p->execute.command)
		return false;
	str_printf(ret, "without an 'execute' step candidate code may run in the process that prints '%s' and forge it", p->goal.metric);
	return true;
}
