#include "git/ident.h"

#include <stdlib.h>

#include "base/mem.h"

void ident_copy(const struct ident *from, struct ident *ret)
{
	*ret = *from;
	ret->name = xstrdup(from->name);
	ret->mail = xstrdup(from->mail);
}

void ident_free(struct ident *ident)
{
	free(ident->name);
	free(ident->mail);
	*ident = (struct ident){ 0 };
}
