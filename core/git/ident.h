/*
 * ident.h - a name, an address and a time as commits carry them.
 */
#ifndef GIT_IDENT_H
#define GIT_IDENT_H

#include <stdint.h>

struct ident {
	char *name;
	char *mail;
	int64_t when;	/* seconds since 1970 */
	int offset;	/* minutes east of UTC */
};

void ident_copy(const struct ident *from, struct ident *ret);
void ident_free(struct ident *ident);	/* name and mail; accepts an empty one */

#endif
