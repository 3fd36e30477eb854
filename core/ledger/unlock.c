#include <string.h>

#include "base/mem.h"
#include "git/ref.h"
#include "ledger/ledger.h"

/* The lock files of a writer that let go of them are none of ours any more: only a "locks" line without its "unlocked" counts. */
int ledger_unlock(struct repo *repo, const struct events *journal_lines, struct err *err)
{
	const char *refs = NULL;

	for (size_t i = 0; i < journal_lines->n; i++) {
		const struct event *line = &journal_lines->v[i];

		if (event_is(line, "event", "locks"))
			refs = event_get(line, "refs");
		else if (event_is(line, "event", "unlocked"))
			refs = NULL;
	}
	while (refs && *refs) {
		size_t len = strcspn(refs, ",");
		AUTOFREE char *name = xstrndup(refs, len);

		if (*name && ref_unlock_stale(repo, name, err) < 0)
			return err_wrap(err, "cannot remove the lock that a dead owner left on '%s'", name);
		refs += len + (refs[len] == ',');
	}
	return 0;
}
