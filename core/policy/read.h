/*
 * read.h - from a node to the value of a key; shared by the parts of the policy's reader, of no use outside.
 */
#ifndef POLICY_READ_H
#define POLICY_READ_H

#include "policy/keys.h"
#include "policy/node.h"

struct mark {		/* where a key that is given stands: "evaluate[0].samples" */
	char *path;
	struct pos pos;
};

struct reader {
	const char *name;	/* of the file */
	struct str path;	/* where the reader is now: "agent.budget" */
	struct mark *marks;
	size_t n_marks, alloc_marks;
	struct err *err;
};

/* "file:line:column: '<path>' <text>". */
int read_error(struct reader *r, struct pos pos, const char *fmt, ...) PRINTF(3, 4);
/* Everything but KEY_MAP and KEY_MAPS. */
int value_read(struct reader *r, const struct key *key, void *obj, const struct node *node);
/* NULL where the key is not given. */
const struct pos *mark_find(const struct reader *r, const char *path);

/* What holds between keys; fills unsupported, unenforced and warnings. */
int policy_validate(struct reader *r, struct policy *p);
void policy_remarks(struct reader *r, struct policy *p);

#endif
