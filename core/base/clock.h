/*
 * clock.h - the two clocks, replaceable in tests.
 * Wall: UTC, for what people read. Monotonic: for durations and deadlines. All in nanoseconds
 * unless said. GIT_HARNESS_TEST_CLOCK=<seconds> in the environment fixes the wall clock's start (it
 * still advances); only builds' tests set it, and the harness never passes it to a child.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

#define NS_PER_S INT64_C(1000000000)
#define NS_PER_MS INT64_C(1000000)

int64_t clock_wall(void);	/* ns since 1970 */
int64_t clock_mono(void);	/* ns since some start */

/* RFC 3339 UTC with microseconds, "2026-11-22T07:10:03.120481Z": 27 characters and a NUL. */
#define CLOCK_TEXT 28
void clock_format(int64_t wall, char ret[CLOCK_TEXT]);
/* The inverse; -1 where the text is not of that form (fraction of 0 to 9 digits accepted). */
int64_t clock_parse(const char *text);

#endif
