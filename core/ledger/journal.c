#include "ledger/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"

#define JOURNAL_MAX ((size_t)64 << 20)

struct journal {
	char *path;
	int fd;
	off_t size;	/* where the last whole line ends */
};

/* FNV-1a, 64 bits: it has to notice a torn or flipped line, not an attacker. */
static uint64_t checksum(const char *ptr, size_t len)
{
	uint64_t sum = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < len; i++)
		sum = (sum ^ (uint8_t)ptr[i]) * UINT64_C(0x100000001b3);
	return sum;
}

static void format_line(const struct event *line, struct str *ret)
{
	size_t at = ret->len;

	event_format(line, ret);
	str_printf(ret, " crc=%016llx\n", (unsigned long long)checksum(ret->buf + at, ret->len - at));
}

/* One line without its newline: whole and unharmed? */
static bool parse_line(const char *ptr, size_t len, struct event *ret)
{
	static const char mark[] = " crc=";
	const size_t tail = sizeof(mark) - 1 + 16;
	char *end;
	uint64_t sum;

	if (len <= tail || memcmp(ptr + len - tail, mark, sizeof(mark) - 1) != 0)
		return false;
	sum = strtoull(ptr + len - 16, &end, 16);	/* the text behind is a newline: it stops there */
	if (end != ptr + len || sum != checksum(ptr, len - tail))
		return false;
	return event_parse(ptr, len - tail, ret);
}

/*
 * A line is torn when nothing whole stands behind it: power was lost while it (or some that were not forced) went to disk.
 * A bad line before a good one is damage.
 */
static int parse_lines(const char *path, const struct str *text, struct events *ret, size_t *ret_good, struct err *err)
{
	int nr = 0, bad = 0;

	*ret_good = 0;
	for (size_t at = 0; at < text->len; nr++) {
		const char *start = text->buf + at;
		const char *newline = memchr(start, '\n', text->len - at);
		struct event line = { 0 };

		if (!newline)
			break;
		at += (size_t)(newline - start) + 1;
		if (!parse_line(start, (size_t)(newline - start), &line)) {
			bad = bad ? bad : nr + 1;
			continue;
		}
		*events_push(ret) = line;
		if (bad) {
			err_set(err, ERR_INVALID, "the journal is damaged: '%s' line %d", path, bad);
			return err_hint(err, "removing that file loses the open experiment only");
		}
		*ret_good = at;
	}
	return 0;
}

static int open_file(const char *path, int *ret, struct err *err)
{
	int fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0666);

	if (fd < 0)
		return err_errno(err, "cannot open the journal '%s'", path);
	*ret = fd;
	return 0;
}

int journal_open(const char *path, struct journal **ret, struct events *ret_lines, struct err *err)
{
	CLEANUP(events_free) struct events lines = { 0 };
	STR text = STR_INIT;
	AUTOCLOSE int fd = -1;
	size_t good;
	struct journal *j;

	if (open_file(path, &fd, err) < 0 || io_read_fd(fd, JOURNAL_MAX, &text, err) < 0 ||
	    parse_lines(path, &text, &lines, &good, err) < 0)
		return err->code;
	if (good < text.len && ftruncate(fd, (off_t)good) < 0)
		return err_errno(err, "cannot drop the torn end of '%s'", path);
	if (!text.len && io_sync_parent(path, err) < 0)
		return err->code;
	j = xcalloc(1, sizeof(*j));
	j->path = xstrdup(path);
	j->fd = fd;
	j->size = (off_t)good;
	fd = -1;
	*ret_lines = lines;
	lines = (struct events){ 0 };
	*ret = j;
	return 0;
}

int journal_add(struct journal *j, const struct event *line, bool durable, struct err *err)
{
	STR text = STR_INIT;

	format_line(line, &text);
	if (io_write_fd(j->fd, text.buf, text.len, err) < 0) {
		/* What was written of it would damage the next line; should this fail too, the next open drops it. */
		if (ftruncate(j->fd, j->size) < 0)
			return err->code;
		return err_wrap(err, "cannot write the journal '%s'", j->path);
	}
	j->size += (off_t)text.len;
	if (durable && fdatasync(j->fd) < 0)
		return err_errno(err, "cannot make the journal '%s' durable", j->path);
	return 0;
}

int journal_reset(struct journal *j, const struct events *keep, struct err *err)
{
	STR text = STR_INIT;
	int fd = -1;

	for (size_t i = 0; keep && i < keep->n; i++)
		format_line(&keep->v[i], &text);
	if (io_replace(j->path, text.buf, text.len, 0666, 1, err) < 0 || io_sync_parent(j->path, err) < 0 ||
	    open_file(j->path, &fd, err) < 0)
		return err->code;
	close(j->fd);
	j->fd = fd;
	j->size = (off_t)text.len;
	return 0;
}

void journal_close(struct journal *j)
{
	if (!j)
		return;
	if (j->fd >= 0)
		close(j->fd);
	free(j->path);
	free(j);
}
