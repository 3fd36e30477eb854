#include "git/split_index.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"

#define HASH 20
#define HEADER 12
#define OWNER 28		/* of an entry before its uid and gid */
#define FIXED 62		/* of an entry before its name */
#define GITLINK 0160000

struct shared_index {
	const unsigned char *map;
	size_t len;
	uint32_t *at;		/* of each entry, by name */
	uint32_t n;
};

/* ---- reading ---- */

static uint32_t get32(const unsigned char *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return ntohl(v);
}

static bool find_entries(struct shared_index *s)
{
	size_t at = HEADER, end = s->len - HASH;

	s->at = xcalloc((size_t)s->n + 1, sizeof(*s->at));
	for (uint32_t i = 0; i < s->n; i++) {
		const unsigned char *nul;

		if (at + FIXED >= end || at > UINT32_MAX)
			return false;
		nul = memchr(s->map + at + FIXED, '\0', end - at - FIXED);
		if (!nul)
			return false;
		s->at[i] = (uint32_t)at;
		at += ((size_t)(nul - s->map) - at + 8) & ~(size_t)7;
	}
	return at <= end;
}

int shared_index_open(const char *path, struct shared_index **ret, struct err *err)
{
	struct shared_index *s = xcalloc(1, sizeof(*s));
	AUTOCLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *map;

	if (fd < 0 || fstat(fd, &st) < 0) {
		free(s);
		return err_errno(err, "cannot open '%s'", path);
	}
	s->len = (size_t)st.st_size;
	map = s->len > HEADER + HASH ? mmap(NULL, s->len, PROT_READ, MAP_PRIVATE, fd, 0) : MAP_FAILED;
	s->map = map == MAP_FAILED ? NULL : map;
	if (s->map && !memcmp(s->map, "DIRC", 4) && get32(s->map + 4) == 2) {
		s->n = get32(s->map + 8);
		if (s->n < s->len / FIXED && find_entries(s)) {
			*ret = s;
			return 0;
		}
	}
	shared_index_free(s);
	return err_set(err, ERR_INVALID, "cannot read '%s': not an index of version 2", path);
}

void shared_index_free(struct shared_index *s)
{
	if (!s)
		return;
	if (s->map)
		munmap((void *)(uintptr_t)s->map, s->len);
	free(s->at);
	free(s);
}

void shared_index_name(const struct shared_index *s, char ret[64])
{
	struct oid id;

	memcpy(id.raw, s->map + s->len - HASH, HASH);
	snprintf(ret, 64, "sharedindex.%s", oid_hex(&id).s);
}

static int64_t position(const struct shared_index *s, const char *path)
{
	uint32_t low = 0, high = s->n;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;
		int cmp = strcmp((const char *)s->map + s->at[mid] + FIXED, path);

		if (!cmp)
			return mid;
		if (cmp < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return -1;
}

/* ---- writing ---- */

static void put32(struct str *out, uint64_t v)
{
	uint32_t word = htonl((uint32_t)v);

	str_add(out, &word, sizeof(word));
}

static void put64(struct str *out, uint64_t v)
{
	put32(out, v >> 32);
	put32(out, v & UINT32_MAX);
}

static int add_entry(struct str *out, const struct tree_change *c, int root, const struct index_owner *owner, struct err *err)
{
	size_t len = strlen(c->path), start = out->len;
	struct stat st;

	if (fstatat(root, c->path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_errno(err, "cannot stat '%s'", c->path);
	put32(out, (uint64_t)st.st_ctim.tv_sec);
	put32(out, (uint64_t)st.st_ctim.tv_nsec);
	put32(out, (uint64_t)st.st_mtim.tv_sec);
	put32(out, (uint64_t)st.st_mtim.tv_nsec);
	put32(out, st.st_dev);
	put32(out, st.st_ino);
	put32(out, c->new.mode);
	put32(out, owner->uid);
	put32(out, owner->gid);
	put32(out, c->new.mode == GITLINK ? 0 : (uint64_t)st.st_size);
	str_add(out, c->new.id.raw, HASH);
	str_putc(out, (char)((len < 0xfff ? len : 0xfff) >> 8));
	str_putc(out, (char)((len < 0xfff ? len : 0xfff) & 0xff));
	str_add(out, c->path, len);
	do
		str_putc(out, '\0');
	while ((out->len - start) % 8);
	return 0;
}

static int by_number(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* An EWAH bitmap: runs of zero words, each with one literal word behind it. */
static void put_bitmap(struct str *out, const int64_t *bits, size_t n, uint64_t size)
{
	STR words = STR_INIT;
	size_t last = 0;
	uint64_t next = 0;

	for (size_t i = 0; i < n;) {
		uint64_t word = (uint64_t)bits[i] / 64, literal = 0;

		for (; i < n && (uint64_t)bits[i] / 64 == word; i++)
			literal |= UINT64_C(1) << (bits[i] % 64);
		last = words.len / 8;
		put64(&words, (word - next) << 1 | UINT64_C(1) << 33);
		put64(&words, literal);
		next = word + 1;
	}
	if (!words.len)
		put64(&words, 0);
	put32(out, n ? size : 0);
	put32(out, words.len / 8);
	str_add(out, words.buf, words.len);
	put32(out, last);
}

static uint32_t rotate(uint32_t x, int n)
{
	return x << n | x >> (32 - n);
}

static void sha1_block(uint32_t *h, const unsigned char *p)
{
	uint32_t w[80] = { 0 }, a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];

	for (int i = 0; i < 80; i++) {
		uint32_t f, k;

		w[i] = i < 16 ? get32(p + 4 * i) : rotate(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
		f = i < 20 ? (b & c) | (~b & d) : i < 40 || i >= 60 ? b ^ c ^ d : (b & c) | (b & d) | (c & d);
		k = i < 20 ? 0x5a827999 : i < 40 ? 0x6ed9eba1 : i < 60 ? 0x8f1bbcdc : 0xca62c1d6;
		f += rotate(a, 5) + e + k + w[i];
		e = d;
		d = c;
		c = rotate(b, 30);
		b = a;
		a = f;
	}
	h[0] += a;
	h[1] += b;
	h[2] += c;
	h[3] += d;
	h[4] += e;
}

/* The checksum at an index's end is of bare bytes; libgit2 hashes objects only. */
static void put_checksum(struct str *out)
{
	uint32_t h[5] = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0 };
	STR padded = STR_MAX(out->len + 128);

	str_add(&padded, out->buf, out->len);
	str_putc(&padded, (char)0x80);
	while (padded.len % 64 != 56)
		str_putc(&padded, '\0');
	put64(&padded, (uint64_t)out->len * 8);
	for (size_t at = 0; at < padded.len; at += 64)
		sha1_block(h, (const unsigned char *)padded.buf + at);
	for (int i = 0; i < 5; i++)
		put32(out, h[i]);
}

int split_index_write(const struct shared_index *s, const struct tree_changes *changes, int root, const struct index_owner *owner,
		      struct str *ret, struct err *err)
{
	AUTOFREE int64_t *gone = xcalloc(changes->n + 1, sizeof(*gone));
	STR entries = STR_INIT, link = STR_INIT;
	size_t n_gone = 0, n_new = 0;

	for (size_t i = 0; i < changes->n; i++) {
		int64_t at = position(s, changes->v[i].path);

		if (at >= 0)
			gone[n_gone++] = at;
		if (!changes->v[i].new.mode)
			continue;
		n_new++;
		if (add_entry(&entries, &changes->v[i], root, owner, err) < 0)
			return err->code;
	}
	qsort(gone, n_gone, sizeof(*gone), by_number);
	str_add(&link, s->map + s->len - HASH, HASH);
	put_bitmap(&link, gone, n_gone, s->n);
	put_bitmap(&link, NULL, 0, 0);	/* none replaced: they are gone and added */
	str_puts(ret, "DIRC");
	put32(ret, 2);
	put32(ret, n_new);
	str_add(ret, entries.buf, entries.len);
	str_puts(ret, "link");
	put32(ret, link.len);
	str_add(ret, link.buf, link.len);
	put_checksum(ret);
	return 0;
}

int index_set_owner(const char *path, const struct index_owner *owner, struct err *err)
{
	struct shared_index *s;
	STR own = STR_INIT, text = STR_MAX((size_t)1 << 32);

	if (shared_index_open(path, &s, err) < 0)
		return err->code;
	put32(&own, owner->uid);
	put32(&own, owner->gid);
	str_add(&text, s->map, s->len - HASH);
	for (uint32_t i = 0; i < s->n && !text.cut; i++)
		memcpy(text.buf + s->at[i] + OWNER, own.buf, own.len);
	shared_index_free(s);
	if (text.cut)
		return err_set(err, ERR_LIMIT, "'%s' does not fit", path);
	put_checksum(&text);
	return io_replace(path, text.buf, text.len, 0644, 0, err);
}
