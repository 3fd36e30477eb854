/*
 * pack.c - one record to bytes and back, for the cache file. The bytes are of this machine and this program; nobody else reads them.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ledger/record.h"
#include "ledger/store.h"

/* Whatever scalars a record has or will have are its bytes with the pointers out; most of them are zero and left out. */
#define WORDS (sizeof(struct record) / sizeof(uint64_t))
_Static_assert(sizeof(struct record) % sizeof(uint64_t) == 0, "a record is whole words");

static const size_t texts[] = {
	offsetof(struct record, metric), offsetof(struct record, subject), offsetof(struct record, agent),
	offsetof(struct record, source), offsetof(struct record, owner),
};

static void put_text(struct str *ret, const char *text)
{
	uint32_t len = text ? (uint32_t)strlen(text) + 1 : 0;	/* 0: NULL */

	str_add(ret, &len, sizeof(len));
	str_add(ret, text ? text : "", len);
}

static void put_measured(struct str *ret, const struct measured *m)
{
	uint32_t n = (uint32_t)m->n;

	str_add(ret, &n, sizeof(n));
	for (size_t i = 0; i < m->n; i++) {
		n = (uint32_t)m->s[i].n;
		put_text(ret, m->s[i].metric);
		str_add(ret, &n, sizeof(n));
		str_add(ret, m->s[i].v, n * sizeof(*m->s[i].v));
	}
}

static void put_words(struct str *ret, const struct record *r)
{
	unsigned char used[(WORDS + 7) / 8] = { 0 };
	struct record plain = *r;
	uint64_t words[WORDS];

	plain.measured = (struct measured){ 0 };
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		memcpy((char *)&plain + texts[i], &(char *){ NULL }, sizeof(char *));
	memcpy(words, &plain, sizeof(words));
	for (size_t i = 0; i < WORDS; i++)
		used[i / 8] |= (unsigned char)((words[i] != 0) << i % 8);
	str_add(ret, used, sizeof(used));
	for (size_t i = 0; i < WORDS; i++) {
		if (words[i])
			str_add(ret, &words[i], sizeof(words[i]));
	}
}

void record_pack(const struct record *r, struct str *ret)
{
	put_words(ret, r);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		char *text;

		memcpy(&text, (const char *)r + texts[i], sizeof(text));
		put_text(ret, text);
	}
	put_measured(ret, &r->measured);
}

struct cursor {
	const char *at, *end;
	bool bad;
};

static void take(struct cursor *c, void *ret, size_t size)
{
	if (c->bad || (size_t)(c->end - c->at) < size) {
		c->bad = true;
		memset(ret, 0, size);
		return;
	}
	memcpy(ret, c->at, size);
	c->at += size;
}

static char *take_text(struct cursor *c)
{
	uint32_t len;
	char *ret;

	take(c, &len, sizeof(len));
	c->bad = c->bad || (size_t)(c->end - c->at) < len;
	if (!len || c->bad)
		return NULL;
	ret = xstrndup(c->at, len - 1);
	c->at += len;
	return ret;
}

static void take_measured(struct cursor *c, struct measured *ret)
{
	uint32_t n, samples;

	take(c, &n, sizeof(n));
	for (uint32_t i = 0; i < n && !c->bad; i++) {
		AUTOFREE char *metric = take_text(c);

		take(c, &samples, sizeof(samples));
		for (uint32_t k = 0; k < samples && !c->bad && metric; k++) {
			double value;

			take(c, &value, sizeof(value));
			measured_add(ret, metric, value);
		}
	}
}

static void take_words(struct cursor *c, struct record *ret)
{
	unsigned char used[(WORDS + 7) / 8];
	uint64_t words[WORDS] = { 0 };

	take(c, used, sizeof(used));
	for (size_t i = 0; i < WORDS; i++) {
		if (used[i / 8] >> i % 8 & 1)
			take(c, &words[i], sizeof(words[i]));
	}
	memcpy(ret, words, sizeof(words));
}

bool record_unpack(const char *ptr, size_t len, struct record *ret)
{
	struct cursor c = { .at = ptr, .end = ptr + len };

	take_words(&c, ret);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		char *text = take_text(&c);

		memcpy((char *)ret + texts[i], &text, sizeof(text));
	}
	take_measured(&c, &ret->measured);
	if (!c.bad && c.at == c.end)
		return true;
	record_clear(ret);
	return false;
}
