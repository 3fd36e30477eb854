/* Head and tail of a stream: what a log keeps of an output of any size. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "run/task.h"

static void add_tail(struct capture *c, const char *ptr, size_t len)
{
	size_t at;

	if (!c->tail)
		c->tail = xmalloc(CAPTURE_SIDE);
	if (len >= CAPTURE_SIDE) {	/* only its end can be left in the ring */
		memcpy(c->tail, ptr + (len - CAPTURE_SIDE), CAPTURE_SIDE);
		c->tail_at = 0;
		c->tail_len = CAPTURE_SIDE;
		return;
	}
	at = (c->tail_at + c->tail_len) % CAPTURE_SIDE;
	for (size_t done = 0; done < len;) {
		size_t part = len - done < CAPTURE_SIDE - at ? len - done : CAPTURE_SIDE - at;

		memcpy(c->tail + at, ptr + done, part);
		done += part;
		at = (at + part) % CAPTURE_SIDE;
	}
	c->tail_len += len;
	if (c->tail_len > CAPTURE_SIDE) {
		c->tail_at = (c->tail_at + c->tail_len - CAPTURE_SIDE) % CAPTURE_SIDE;
		c->tail_len = CAPTURE_SIDE;
	}
}

void capture_add(struct capture *c, const void *ptr, size_t len)
{
	int64_t room = c->limit < 0 ? INT64_MAX : c->limit - c->total;
	const char *from = ptr;
	size_t part;

	c->total += (int64_t)len;
	if (room <= 0)
		return;
	if ((uint64_t)room < len)
		len = (size_t)room;
	if (!c->head.buf)
		c->head = (struct str)STR_MAX(CAPTURE_SIDE);
	part = CAPTURE_SIDE - c->head.len;
	if (part > len)
		part = len;
	str_add(&c->head, from, part);
	if (len > part)
		add_tail(c, from + part, len - part);
}

static void left_out(struct str *ret, int64_t bytes)
{
	if (bytes <= 0)
		return;
	if (ret->len && ret->buf[ret->len - 1] != '\n')
		str_putc(ret, '\n');
	str_printf(ret, "[... %lld bytes left out ...]\n", (long long)bytes);
}

void capture_text(const struct capture *c, struct str *ret)
{
	int64_t kept = c->limit >= 0 && c->total > c->limit ? c->limit : c->total;
	size_t first = CAPTURE_SIDE - c->tail_at;

	if (c->head.buf)
		str_add(ret, c->head.buf, c->head.len);
	left_out(ret, kept - (int64_t)c->head.len - (int64_t)c->tail_len);
	if (c->tail_len) {
		if (first > c->tail_len)
			first = c->tail_len;
		str_add(ret, c->tail + c->tail_at, first);
		str_add(ret, c->tail, c->tail_len - first);
	}
	left_out(ret, c->total - kept);
}

void capture_free(struct capture *c)
{
	if (c->head.buf)
		str_free(&c->head);
	free(c->tail);
	*c = (struct capture){ .limit = c->limit };
}
