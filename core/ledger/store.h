/*
 * store.h - the records of a history. Private to core/ledger (and to tests that make a history by hand).
 * Most lie in the cache file, mapped, and are decoded when somebody asks; those that the file does not hold, or holds otherwise, are in
 * memory. So a campaign of 100 000 experiments costs a running loop what it looks at, not what it recorded.
 *
 * Memory: what store_get() returns lives until store_forget(), what store_look() returns until the next store_look().
 */
#ifndef LEDGER_STORE_H
#define LEDGER_STORE_H

#include "ledger/history.h"

struct store {
	const char *map;		/* the cache file, or NULL */
	size_t map_size;
	const uint64_t *at;		/* where each record begins in it */
	size_t n_filed;
	struct record **v;		/* NULL: in the file only */
	uint8_t *flags;			/* RECORD_*, and whether it is our own */
	size_t n, alloc;
	size_t n_own;			/* not, or not so, in the file */
	int *decoded;			/* numbers that can be forgotten */
	size_t n_decoded, alloc_decoded;
	struct record looked;
};

void store_free(struct store *s);
struct record *store_add(struct store *s);		/* the next number's, empty but for its number */
const struct record *store_get(struct store *s, int number);
const struct record *store_look(struct store *s, int number);
struct record *store_edit(struct store *s, int number);
void store_flag(struct store *s, int number);		/* after an edit */
void store_forget(struct store *s);

/* One record as the file holds it. */
void record_pack(const struct record *r, struct str *ret);
bool record_unpack(const char *ptr, size_t len, struct record *ret);

/*
 * The cache file: a history as it stood at its tip, whole, checksummed, of this very program only (another one may fold otherwise). It may be
 * removed at any time; it is replaced by rename, so whoever has it mapped keeps what he has.
 */
bool cache_read(const char *path, struct history *h);	/* false: none, damaged, or not for us; h is as it was */
bool cache_write(const char *path, struct history *h);	/* then h stands on the new file; false: it was not possible, nothing changed */

#endif
