/*
 * commit.h - commit objects and the trailers in their messages.
 * Trailers follow git-interpret-trailers(1): the last paragraph, "Key: value", folded lines joined.
 */
#ifndef GIT_COMMIT_H
#define GIT_COMMIT_H

#include "git/repo.h"

struct commit_spec {
	struct oid tree;
	const struct oid *parents;
	size_t n_parents;
	const struct ident *author;
	const struct ident *committer;
	const char *message;	/* whole, UTF-8, ends with a newline */
	bool sign;		/* as git/sign.h says */
};

struct commit {
	struct oid id;
	struct oid tree;
	struct oid *parents;
	size_t n_parents;
	struct ident author;
	struct ident committer;
	char *message;
};

int commit_write(struct repo *repo, const struct commit_spec *spec, struct oid *ret, struct err *err);
int commit_read(struct repo *repo, const struct oid *id, struct commit *ret, struct err *err);
void commit_free(struct commit *commit);	/* its insides; accepts an empty one */

/* The value of the last trailer of that key (case-insensitive), or NULL; caller frees. */
char *trailer_get(const char *message, const char *key);
/* message without trailers whose key starts with `prefix` (case-insensitive), wherever in the text such a line stands
 * as its own line ("Harness-..."): an agent's text cannot forge ours. */
void trailers_strip(const char *message, const char *prefix, struct str *ret);
/* Append "Key: value" to a message under construction, opening the trailer paragraph where there is none; foreign trailers
 * in the last paragraph stay and ours follow them. value is one line. */
void trailer_add(struct str *message, const char *key, const char *value);

#endif
