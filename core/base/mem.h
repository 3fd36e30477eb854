/*
 * mem.h - allocation that cannot fail, and ownership by scope.
 * When memory is exhausted the process aborts: the journal makes any instant a safe one to die at, and a
 * half-handled allocation failure is not.
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>

void *xmalloc(size_t size);
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *ptr, size_t size);
char *xstrdup(const char *s);			/* NULL gives NULL */
char *xstrndup(const char *s, size_t len);
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * CLEANUP(str_free) struct str s = STR_INIT;   calls str_free(&s) when the scope ends.
 * AUTOFREE char *p = ...;                      frees p.    AUTOCLOSE int fd = -1;  closes it when >= 0.
 */
#define CLEANUP(fn) __attribute__((cleanup(fn)))
void autofree(void *ptr);	/* takes the address of a pointer */
void autoclose(int *fd);
#define AUTOFREE CLEANUP(autofree)
#define AUTOCLOSE CLEANUP(autoclose)

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Make room for one more in a growing array: ptr, count and allocated are lvalues. */
#define GROW(ptr, nr, alloc) \
	do { \
		if ((nr) >= (alloc)) { \
			(alloc) = (alloc) ? (alloc) * 2 : 8; \
			(ptr) = xrealloc((ptr), (alloc) * sizeof(*(ptr))); \
		} \
	} while (0)

#endif
