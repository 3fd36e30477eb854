/*
 * alias.h - file names as file systems that are less exact than git see them.
 * One folding for all of them: HFS+ and APFS compare decomposed and without case, and HFS+ ignores
 * some characters; NTFS ignores case. A name that folds to another's is the same file somewhere.
 * Too much is found rather than too little: marks on one letter are equal in any order.
 *
 * Memory: alias_free() accepts an empty one.
 */
#ifndef POLICY_ALIAS_H
#define POLICY_ALIAS_H

#include <stddef.h>
#include <stdint.h>

struct alias {
	uint32_t *v;	/* code points; a byte that is no UTF-8 is ALIAS_BYTE + its value */
	size_t n;
	size_t alloc;
};

#define ALIAS_BYTE 0x110000u

void alias_fold(const char *ptr, size_t len, struct alias *ret);
void alias_free(struct alias *f);

/*
 * Unicode 14's canonical decompositions in the basic plane (Hangul, which is computed, and the Han
 * compatibility forms left out), by `from`.
 */
struct alias_split {
	uint16_t from, first, second;	/* second 0: none */
};
extern const struct alias_split alias_splits[];
extern const size_t alias_n_splits;

/*
 * Its one-to-one case folding of what has no decomposition: each stride-th of lo to hi moves by
 * delta; by `lo`.
 */
struct alias_case {
	uint32_t lo, hi;
	int stride;
	int32_t delta;
};
extern const struct alias_case alias_cases[];
extern const size_t alias_n_cases;

#endif
