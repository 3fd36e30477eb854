/*
 * cache.c - the file: records, then tables (where each begins, flags, measured pairs, steps of best, campaign and state), a head that says
 * where those are, and a checksum of all before it. Everything in this machine's own byte order.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "ledger/fold.h"
#include "ledger/store.h"

#define BLOCK ((size_t)1 << 18)
#define CAMPAIGN_MAX 64

struct head {
	char magic[16];
	uint64_t program[3];		/* size and time of the program that folded */
	uint64_t n_records, at_table, at_flags;
	uint64_t n_pairs, at_pairs;
	uint64_t n_steps, at_steps;
	char campaign[CAMPAIGN_MAX];
	struct history state;		/* without what it points to */
	struct history_index index;
};
_Static_assert(sizeof(struct head) % sizeof(uint64_t) == 0, "tables and checksum stay aligned");
static const char magic[16] = "harness cache 1";

/* Another program, an older one perhaps, may fold the same ledger otherwise. */
static bool program_is(uint64_t ret[3])
{
	struct stat st;

	if (stat("/proc/self/exe", &st) < 0)
		return false;
	ret[0] = (uint64_t)st.st_size;
	ret[1] = (uint64_t)st.st_mtim.tv_sec;
	ret[2] = (uint64_t)st.st_mtim.tv_nsec;
	return true;
}

/* Four lanes, so that tens of MiB take milliseconds: it notices damage, not an attacker. A block's length is a multiple of 32. */
static uint64_t mix(uint64_t sum, const char *block, size_t len)
{
	uint64_t lane[4] = { sum, ~sum, sum + 1, sum ^ len };

	for (size_t i = 0; i < len; i += sizeof(lane)) {
		uint64_t in[4];

		memcpy(in, block + i, sizeof(in));
		for (size_t k = 0; k < 4; k++)
			lane[k] = (lane[k] ^ in[k]) * UINT64_C(0x9e3779b97f4a7c15) + (lane[k] >> 29);
	}
	return lane[0] ^ lane[1] * 3 ^ lane[2] * 5 ^ lane[3] * 7;
}

/* ---- reading ---- */

static bool sum_is_right(int fd, size_t size)
{
	AUTOFREE char *block = xmalloc(BLOCK);
	uint64_t sum = 0, want;

	for (size_t at = 0; at < size; ) {
		size_t len = size - at < BLOCK ? size - at : BLOCK;

		if (pread(fd, block, len, (off_t)at) != (ssize_t)len)
			return false;
		sum = mix(sum, block, len);
		at += len;
	}
	return pread(fd, &want, sizeof(want), (off_t)size) == (ssize_t)sizeof(want) && want == sum;
}

static bool fits(uint64_t at, uint64_t n, size_t each, size_t size)
{
	return at <= size && !(at % 8) && n <= (size - at) / each;
}

static bool head_is_right(const struct head *head, const struct history *h, size_t size)
{
	uint64_t program[3];

	return !memcmp(head->magic, magic, sizeof(magic)) && program_is(program) &&
	       !memcmp(program, head->program, sizeof(program)) && !strncmp(head->campaign, h->campaign, CAMPAIGN_MAX) &&
	       fits(head->at_table, head->n_records + 1, sizeof(uint64_t), size) &&
	       fits(head->at_flags, head->n_records, 1, size) && fits(head->at_pairs, head->n_pairs, sizeof(struct slot), size) &&
	       fits(head->at_steps, head->n_steps, sizeof(struct best_step), size);
}

/* The file as the store's ground; what was decoded or made before is dropped. */
static void stand_on(struct store *s, const char *map, size_t size, const struct head *head)
{
	store_free(s);
	s->map = map;
	s->map_size = size;
	s->at = (const uint64_t *)(const void *)(map + head->at_table);
	s->n = s->n_filed = s->alloc = (size_t)head->n_records;
	s->v = xcalloc(s->n + 1, sizeof(*s->v));
	s->flags = xmalloc(s->n + 1);
	memcpy(s->flags, map + head->at_flags, s->n);
}

/* Every scalar of a history comes from the file, those of later times too; what it owns stays its own. */
static void take_state(struct history *h, const struct head *head)
{
	struct history mine = *h;
	struct history_index index = *h->index;

	*h = head->state;
	h->campaign = mine.campaign;
	h->policy = mine.policy;
	h->policy_blob = mine.policy_blob;
	h->entries = mine.entries;
	h->n_entries = mine.n_entries;
	h->alloc_entries = mine.alloc_entries;
	h->steps = mine.steps;
	h->index = mine.index;
	h->store = mine.store;
	h->cache = mine.cache;
	*h->index = head->index;
	h->index->slots = index.slots;
	h->index->n_slots = index.n_slots;
	h->index->used = index.used;
}

static void take_head(struct history *h, const char *map, const struct head *head)
{
	take_state(h, head);
	h->n_steps = h->alloc_steps = (size_t)head->n_steps;
	h->steps = xrealloc(h->steps, (h->n_steps + 1) * sizeof(*h->steps));
	memcpy(h->steps, map + head->at_steps, h->n_steps * sizeof(*h->steps));
	h->index->filed = (const struct slot *)(const void *)(map + head->at_pairs);
	h->index->n_filed = (size_t)head->n_pairs;
}

static bool map_file(int fd, size_t size, const char **ret)
{
	void *map = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);

	if (map == MAP_FAILED)
		return false;
	*ret = map;
	return true;
}

bool cache_read(const char *path, struct history *h)
{
	AUTOCLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct head head;
	struct stat st;
	const char *map;
	size_t size;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size < (off_t)(sizeof(head) + sizeof(uint64_t)))
		return false;
	size = (size_t)st.st_size - sizeof(uint64_t);
	if (size % 32 || pread(fd, &head, sizeof(head), (off_t)(size - sizeof(head))) != (ssize_t)sizeof(head) ||
	    !head_is_right(&head, h, size) || !sum_is_right(fd, size) || !map_file(fd, size, &map))
		return false;
	stand_on(h->store, map, size, &head);
	take_head(h, map, &head);
	return true;
}

/* ---- writing ---- */

struct out {
	int fd;
	char *block;
	size_t used;
	uint64_t at, sum;
	bool bad;
};

static void flush(struct out *o)
{
	struct err ignored;

	if (!o->bad && o->used) {
		o->sum = mix(o->sum, o->block, o->used);
		o->bad = io_write_fd(o->fd, o->block, o->used, &ignored) < 0;
	}
	o->used = 0;
}

static void put(struct out *o, const void *ptr, size_t len)
{
	const char *p = ptr;

	while (len) {
		size_t n = BLOCK - o->used < len ? BLOCK - o->used : len;

		memcpy(o->block + o->used, p, n);
		o->used += n;
		o->at += n;
		p += n;
		len -= n;
		if (o->used == BLOCK)
			flush(o);
	}
}

static uint64_t align(struct out *o, size_t to, size_t before)
{
	static const char zeros[32];
	size_t over = (o->at + before) % to;

	if (over)
		put(o, zeros, to - over);
	return o->at;
}

static void put_records(struct out *o, struct store *s, uint64_t *at)
{
	STR text = STR_INIT;

	for (size_t i = 0; i < s->n; i++) {
		at[i] = o->at;
		if (i < s->n_filed && !(s->flags[i] & 0x80)) {
			put(o, s->map + s->at[i], s->at[i + 1] - s->at[i]);
			continue;
		}
		str_clear(&text);
		record_pack(store_get(s, (int)i), &text);
		put(o, text.buf, text.len);
	}
	at[s->n] = o->at;
}

static void put_flags(struct out *o, const struct store *s)
{
	for (size_t i = 0; i < s->n; i++) {
		uint8_t flags = s->flags[i] & 0x7f;

		put(o, &flags, 1);
	}
}

static void put_pairs(struct out *o, const struct history_index *x)
{
	for (size_t i = 0; i < x->n_slots; i++) {
		struct slot slot;

		if (x->slots[i].number < 0)
			continue;
		memset(&slot, 0, sizeof(slot));
		slot.tag = x->slots[i].tag;
		slot.number = x->slots[i].number;
		put(o, &slot, sizeof(slot));
	}
}

static void put_all(struct out *o, struct history *h, struct head *head)
{
	AUTOFREE uint64_t *at = xcalloc(h->store->n + 1, sizeof(*at));

	memcpy(head->magic, magic, sizeof(magic));
	snprintf(head->campaign, sizeof(head->campaign), "%s", h->campaign);
	index_thaw(h->index);
	head->state = *h;
	head->index = *h->index;
	put_records(o, h->store, at);
	head->n_records = h->store->n;
	head->n_pairs = h->index->used;
	head->n_steps = h->n_steps;
	head->at_table = align(o, 8, 0);
	put(o, at, (h->store->n + 1) * sizeof(*at));
	head->at_flags = align(o, 8, 0);
	put_flags(o, h->store);
	head->at_pairs = align(o, 8, 0);
	put_pairs(o, h->index);
	head->at_steps = align(o, 8, 0);
	put(o, h->steps, h->n_steps * sizeof(*h->steps));
	align(o, 32, sizeof(*head));
	put(o, head, sizeof(*head));
	flush(o);
}

static bool write_to(int fd, struct history *h, struct head *head, size_t *ret_size)
{
	AUTOFREE char *block = xmalloc(BLOCK);
	struct out o = { .fd = fd, .block = block };
	struct err ignored;

	put_all(&o, h, head);
	*ret_size = (size_t)o.at;
	return !o.bad && io_write_fd(fd, &o.sum, sizeof(o.sum), &ignored) == 0;
}

/* Not made durable: after a crash the checksum tells, and it is made again. */
bool cache_write(const char *path, struct history *h)
{
	AUTOFREE char *temporary = xasprintf("%s.%ld.tmp", path, (long)getpid());
	AUTOCLOSE int fd = open(temporary, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0666);
	struct head head = { 0 };
	const char *map;
	size_t size;

	if (fd < 0 || !program_is(head.program))
		return false;
	if (!write_to(fd, h, &head, &size) || !map_file(fd, size, &map)) {
		unlink(temporary);
		return false;
	}
	if (rename(temporary, path) < 0) {
		munmap((void *)(uintptr_t)map, size);
		unlink(temporary);
		return false;
	}
	stand_on(h->store, map, size, &head);
	return true;
}
