/*
 * err.h - how a function of the harness fails.
 * A failing function fills the caller's struct err and returns its negative code; on success it leaves
 * err alone and returns 0 (or a count). Core never prints and never exits; cmd/main.c alone turns an err
 * into text and exit status. A crashing or slow *experiment* is a result, never an err.
 *
 * Messages: lower case, the failure first, the subject in 'quotes', no full stop. Advice follows on lines of
 * its own that start with "hint: " (err_hint adds one).
 * Memory: struct err lives on the caller's stack; nothing to free.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

enum {
	ERR_USAGE = -1,		/* the caller's arguments; exit 129 */
	ERR_INVALID = -2,	/* a file or value does not follow its format; 128 */
	ERR_NOT_FOUND = -3,	/* 128 */
	ERR_EXISTS = -4,	/* 128 */
	ERR_CONFLICT = -5,	/* a ref or file is not what it was: compare-and-swap lost; 128 */
	ERR_LOCKED = -6,	/* held by another process; 128 */
	ERR_IO = -7,		/* the system refused (errno is in the message); 128 */
	ERR_LIMIT = -8,		/* a ceiling of ours was reached; 128 */
	ERR_GIT = -9,		/* libgit2 or git failed; 128 */
	ERR_REFUSED = -10,	/* a state in which this must not be done; 128 */
	ERR_NEGATIVE = -11,	/* the answer is no; exit 1 */
	ERR_EVALUATOR = -12,	/* the evaluator cannot run; exit 125 */
	ERR_BUG = -13,		/* cannot happen; 128 */
};

struct err {
	int code;
	char msg[1024];
};

#define PRINTF(f, a) __attribute__((format(printf, f, a)))

/* Set code and message; returns code. */
int err_set(struct err *err, int code, const char *fmt, ...) PRINTF(3, 4);
/* ERR_IO with ": <strerror(errno)>" behind the message. */
int err_errno(struct err *err, const char *fmt, ...) PRINTF(2, 3);
/* Put "<text>: " before the message that is there; returns err->code. */
int err_wrap(struct err *err, const char *fmt, ...) PRINTF(2, 3);
/* Add a line "hint: <text>"; returns err->code. */
int err_hint(struct err *err, const char *fmt, ...) PRINTF(2, 3);

#endif
