/*
 * packing.c - what the record leaves as loose objects, packed beside the running loop, and never by `git gc`.
 * Every so many experiments git packs what is reachable from ledger and notes and not packed yet; when the pack is on disk, exactly the loose objects
 * that are in it are removed. A reader that looked for one of them before finds it in the pack, as git and libgit2 do after any repack. Eight
 * packs of one size become one. Other packs, and objects that nobody recorded, are not touched: they are their owner's.
 *
 * <state>/packed: number, ledger and notes up to which all is packed, then a line for each pack of ours. Removing it costs a longer walk.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "base/num.h"
#include "git/note.h"
#include "git/ref.h"
#include "loop/session.h"

#define EACH 500	/* about 6000 objects: below where git itself would begin to think of gc */
#define TOGETHER 8
#define STATE_MAX ((size_t)1 << 16)

struct packing {
	struct task *task;
	struct events state;	/* the file */
	struct event next;	/* its first line once the task has done its work */
	int number;		/* when one was started last */
	int each;
};

static const char gather[] =
	"set -e\n"
	"h=$(nice git pack-objects -q --revs --unpacked --non-empty --threads=1 pack)\n"
	"[ -n \"$h\" ] || exit 0\n"
	"sync -f \"pack-$h.idx\"\n"
	"git show-index <\"pack-$h.idx\" | sed -n 's|^[0-9]* \\(..\\)\\([0-9a-f]*\\).*|../\\1/\\2|p' | xargs rm -f\n"
	"echo \"pack $h\"\n";

static const char merge[] =
	"set -e\n"
	"h=$(nice git pack-objects -q --stdin-packs --non-empty --threads=1 pack)\n"
	"sync -f \"pack-$h.idx\"\n"
	"for p in $PACKS; do\n"
	"	[ \"$p\" = \"$h\" ] || rm -f \"pack-$p.idx\" \"pack-$p.rev\" \"pack-$p.pack\"\n"
	"done\n"
	"echo \"pack $h\"\n";

static char *state_path(const struct loop *l)
{
	return xasprintf("%s/packed", l->state_dir);
}

static char *pack_path(const struct loop *l, const char *name, const char *suffix)
{
	return xasprintf("%s/objects/pack/%s%s", repo_common_dir(l->repo), name, suffix);
}

static struct packing *packing_open(const struct loop *l)
{
	struct packing *p = xcalloc(1, sizeof(*p));
	const char *each = repo_setting(l->repo, "harness.packeach");
	AUTOFREE char *path = state_path(l);
	STR text = STR_INIT;
	struct err ignored;
	int64_t number;

	p->each = EACH;
	if (each && num_parse_int(each, strlen(each), &number) && number >= 0 && number <= INT32_MAX)
		p->each = (int)number;
	if (io_read_file(path, STATE_MAX, &text, &ignored) < 0)
		return p;
	for (char *at = text.buf, *end; (end = strchr(at, '\n')); at = end + 1) {
		if (!event_parse(at, (size_t)(end - at), events_push(&p->state))) {
			events_free(&p->state);
			return p;
		}
	}
	if (p->state.n && event_get_int(&p->state.v[0], "number", &number) && number >= 0 && number <= (int64_t)l->h->n_records)
		p->number = (int)number;
	return p;
}

void packing_free(struct packing *p)
{
	if (!p)
		return;
	task_free(p->task);
	events_free(&p->state);
	event_free(&p->next);
	free(p);
}

static int save(const struct loop *l, struct err *err)
{
	AUTOFREE char *path = state_path(l);
	STR text = STR_INIT;

	events_format(&l->packing->state, &text);
	return io_replace(path, text.buf, text.len, 0666, 0, err);
}

static int start(struct loop *l, const char *command, const struct str *in, const char *packs, task_fn *fn, struct err *err)
{
	static const struct strs none;
	CLEANUP(strs_free) struct strs env = { 0 };
	AUTOFREE char *dir = pack_path(l, "", "");
	struct task_spec spec = {
		.command = command, .dir = dir, .env = &env, .in = in->buf, .in_len = in->len, .output = -1,
		.close_fds = l->bench.close_fds,
	};

	task_env(&none, NULL, &env);
	strs_addf(&env, "GIT_DIR=%s", repo_common_dir(l->repo));
	strs_addf(&env, "PACKS=%s", packs);
	strs_add(&env, "GIT_NO_REPLACE_OBJECTS=1");
	strs_add(&env, "LC_ALL=C");
	return task_start(l->reactor, &spec, fn, l, &l->packing->task, err);
}

/* The task's pack, if it did its work; otherwise people are told, and all is packed anew when it is due again. */
static bool finished(struct loop *l, struct task *task, const struct task_end *end, char ret[OID_HEX + 1])
{
	STR log = STR_INIT;
	const char *at;

	l->packing->task = NULL;
	capture_text(task_capture(task), &log);
	task_free(task);
	at = strstr(log.buf, "pack ");
	ret[0] = '\0';
	if (at && strspn(at + 5, "0123456789abcdef") == OID_HEX)
		snprintf(ret, OID_HEX + 1, "%s", at + 5);
	if (!end->exit && !end->cancelled)
		return true;
	log.buf[strcspn(log.buf, "\n")] = '\0';
	loop_say(l, "warning: the record's objects could not be packed, they stay loose: %.200s", log.buf);
	return false;
}

static void add_pack(struct packing *p, int level, const char *name)
{
	struct event *line;

	if (!*name)
		return;
	line = events_push(&p->state);
	event_add_int(line, "level", level);
	event_addf(line, "pack", "pack-%s", name);
}

static int level_of(const struct packing *p, size_t i)
{
	int64_t level;

	return event_get_int(&p->state.v[i], "level", &level) ? (int)level : -1;
}

/* The last packs, of one level, that should be one. A repack by their owner may have taken some: those are forgotten. */
static size_t due_together(struct loop *l, struct str *in, struct str *packs)
{
	struct packing *p = l->packing;
	AUTOFREE char *index = pack_path(l, "multi-pack-index", "");
	size_t n = 0;

	for (size_t i = p->state.n; i-- > 1 && level_of(p, i) == level_of(p, p->state.n - 1); n++) {
		const char *name = event_get(&p->state.v[i], "pack");
		AUTOFREE char *file = pack_path(l, name ? name : "", ".idx");

		if (!name || access(file, F_OK) < 0) {
			while (p->state.n > 1)
				event_free(&p->state.v[--p->state.n]);
			return 0;
		}
		str_printf(in, "%s.pack\n", name);
		str_printf(packs, "%s ", name + strlen("pack-"));
	}
	return n >= TOGETHER && access(index, F_OK) < 0 ? n : 0;
}

static int merge_packs(struct loop *l, struct err *err);

static int merged(void *data, struct task *task, const struct task_end *end, struct err *err)
{
	struct loop *l = data;
	struct packing *p = l->packing;
	char name[OID_HEX + 1];
	int level = level_of(p, p->state.n - 1);

	if (!finished(l, task, end, name))
		return 0;
	while (p->state.n > 1 && level_of(p, p->state.n - 1) == level)
		event_free(&p->state.v[--p->state.n]);
	add_pack(p, level + 1, name);
	return save(l, err) < 0 ? err->code : merge_packs(l, err);
}

static int merge_packs(struct loop *l, struct err *err)
{
	STR in = STR_INIT, packs = STR_INIT;

	return due_together(l, &in, &packs) ? start(l, merge, &in, packs.buf, merged, err) : 0;
}

static int gathered(void *data, struct task *task, const struct task_end *end, struct err *err)
{
	struct loop *l = data;
	struct packing *p = l->packing;
	char name[OID_HEX + 1];

	if (!finished(l, task, end, name)) {
		events_free(&p->state);
		return save(l, err);
	}
	if (!p->state.n)
		events_push(&p->state);
	event_free(&p->state.v[0]);
	p->state.v[0] = p->next;
	p->next = (struct event){ 0 };
	add_pack(p, 0, name);
	return save(l, err) < 0 ? err->code : merge_packs(l, err);
}

/* What to walk: from the tips back to those up to which all is packed. */
static int tips(struct loop *l, struct str *ret, struct err *err)
{
	static const char *const keys[] = { "ledger", "notes" };
	struct packing *p = l->packing;
	struct oid now[2] = { l->h->tip }, then;

	if (ref_read(l->repo, note_ref(l->repo), &now[1], err) < 0)
		return err->code;
	event_free(&p->next);
	event_add_int(&p->next, "number", (int64_t)l->h->n_records);
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (oid_is_zero(&now[i]))
			continue;
		str_printf(ret, "%s\n", oid_hex(&now[i]).s);
		event_add_oid(&p->next, keys[i], &now[i]);
		if (p->state.n && event_get_oid(&p->state.v[0], keys[i], &then) && repo_has(l->repo, &then))
			str_printf(ret, "^%s\n", oid_hex(&then).s);
	}
	return 0;
}

int loop_pack(struct loop *l, struct err *err)
{
	STR in = STR_INIT;

	if (!l->packing)
		l->packing = packing_open(l);
	if (l->packing->task || (int)l->h->n_records - l->packing->number < l->packing->each || !l->packing->each)
		return 0;
	l->packing->number = (int)l->h->n_records;
	if (tips(l, &in, err) < 0 || start(l, gather, &in, "", gathered, err) < 0)
		return err_wrap(err, "cannot pack the record's objects");
	return 0;
}
