#include "policy/surface.h"

#include <string.h>

#include "base/glob.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/text.h"
#include "policy/alias.h"

#define PATH_LIMIT 4096
#define NAME_LIMIT \
	255 /* no file system here takes a longer component, so none could be checked out */

#define MODE_TYPE 0170000u
#define MODE_LINK 0120000u
#define MODE_GITLINK 0160000u
#define MODE_EXEC 0100u

void surface_of(const struct policy *p, const char *hooks_path, struct surface *ret)
{
	*ret = (struct surface){ .allow = &p->surface.allow,
				 .deny = &p->surface.deny,
				 .hooks_path = hooks_path };
}

static bool is_sane(const char *path)
{
	const char *end = path + strlen(path);

	if (end - path > PATH_LIMIT || !path_is_canonical(path))
		return false;
	for (const char *part = path; part < end; part += strcspn(part, "/") + 1)
		if (strcspn(part, "/") > NAME_LIMIT)
			return false;
	while (path < end) {
		uint32_t c;
		size_t n = text_utf8(path, (size_t)(end - path), &c);

		if (!n || text_is_control(c))
			return false;
		path += n;
	}
	return true;
}

/* A component, folded, with an end mark: what the comparisons below walk along. */
struct name {
	const uint32_t *p, *end;
};

static uint32_t at(struct name n, size_t i)
{
	return i < (size_t)(n.end - n.p) ? n.p[i] : 0;
}

static size_t match(struct name n, const char *text)
{
	size_t i = 0;

	for (; text[i]; i++)
		if (at(n, i) != (uint32_t)text[i])
			return 0;
	return i;
}

static bool is_digit(uint32_t c, char lowest)
{
	return c >= (uint32_t)lowest && c <= '9';
}

/*
 * NTFS drops dots and spaces at the end of a name, and what follows a colon names a stream of the
 * same file.
 */
static bool ends(struct name n, size_t i)
{
	while (at(n, i) == '.' || at(n, i) == ' ')
		i++;
	return !at(n, i) || at(n, i) == ':';
}

/*
 * The short names that NTFS gives by hash when a directory has many alike: up to six characters,
 * '~', digits, eight in all.
 */
static bool is_hashed_short(struct name n, const char *prefix)
{
	size_t i = 0;

	while (i < 6 && at(n, i) == (uint32_t)prefix[i])
		i++;
	if (at(n, i++) != '~' || !is_digit(at(n, i++), '1'))
		return false;
	while (i < 8 && is_digit(at(n, i), '0'))
		i++;
	return i == 8 && ends(n, i);
}

/* ".git" and names that some file system takes for it. */
static bool is_dot_git(struct name n)
{
	size_t i = match(n, ".git");

	if (i && ends(n, i))
		return true;
	i = match(n, "git~");
	return i && is_digit(at(n, i), '1') && ends(n, i + 1);
}

/*
 * The same for a longer name, whose first short name is its first six letters and a number, and
 * whose later ones are hashed.
 */
static bool is_control_file(struct name n, const char *name, const char *first, const char *hashed)
{
	size_t i = match(n, name);

	if (i && ends(n, i))
		return true;
	i = match(n, first);
	if (i && is_digit(at(n, i), '1') && ends(n, i + 1))
		return true;
	return is_hashed_short(n, hashed);
}

static bool is_control_name(struct name n)
{
	return is_dot_git(n) || is_control_file(n, ".gitmodules", "gitmod~", "gi7eba") ||
	       is_control_file(n, ".gitattributes", "gitatt~", "gi7d29");
}

/*
 * A backslash separates on Windows, so it does here. A component of ignored characters alone is no
 * name at all on HFS+.
 */
static bool has_control_name(const struct alias *path)
{
	for (size_t i = 0, start = 0; i <= path->n; i++) {
		if (i < path->n && path->v[i] != '/' && path->v[i] != '\\')
			continue;
		if (i == start || is_control_name((struct name){ path->v + start, path->v + i }))
			return true;
		start = i + 1;
	}
	return false;
}

bool surface_name_hostile(const char *path)
{
	CLEANUP(alias_free) struct alias folded = { 0 };

	if (!is_sane(path))
		return true;
	alias_fold(path, strlen(path), &folded);
	return has_control_name(&folded);
}

/* Is the folded path the folded dir, or below it? */
static bool is_folded_within(const struct alias *path, const char *dir)
{
	CLEANUP(alias_free) struct alias d = { 0 };

	alias_fold(dir, strlen(dir), &d);
	while (d.n && d.v[d.n - 1] == '/')
		d.n--;
	if (!d.n || path->n < d.n || memcmp(path->v, d.v, d.n * sizeof(*d.v)))
		return false;
	return path->n == d.n || path->v[d.n] == '/';
}

static bool is_frozen_always(const struct surface *s, const char *path)
{
	CLEANUP(alias_free) struct alias folded = { 0 };
	struct name name;
	size_t i;

	alias_fold(path, strlen(path), &folded);
	if (has_control_name(&folded) ||
	    (s->hooks_path && is_folded_within(&folded, s->hooks_path)))
		return true;
	/*
	 * Below a directory of that name there is no policy; but no file system that ignores case
	 * could hold both.
	 */
	name = (struct name){ folded.v, folded.v + folded.n };
	i = match(name, POLICY_FILE);
	return i && (at(name, i) == '/' || ends(name, i));
}

static bool any_matches(const struct strs *globs, const char *path)
{
	for (size_t i = 0; i < globs->n; i++)
		if (glob_match(globs->v[i], path))
			return true;
	return false;
}

enum surface_why surface_path(const struct surface *s, const char *path)
{
	if (!is_sane(path))
		return SURFACE_NAME;
	if (is_frozen_always(s, path))
		return SURFACE_CONTROL;
	if (any_matches(s->deny, path))
		return SURFACE_DENIED;
	return any_matches(s->allow, path) ? SURFACE_OK : SURFACE_OUTSIDE;
}

static const char *judge_path(const struct surface *s, const char *path)
{
	switch (surface_path(s, path)) {
	case SURFACE_OK:
		return NULL;
	case SURFACE_DENIED:
		return "denied by the surface";
	case SURFACE_CONTROL:
		return "always frozen";
	case SURFACE_NAME:
		return "an unsafe name";
	case SURFACE_OUTSIDE:
		break;
	}
	return "outside the surface";
}

static const char *judge_modes(uint32_t old_mode, uint32_t new_mode)
{
	if ((new_mode & MODE_TYPE) == MODE_LINK || (old_mode & MODE_TYPE) == MODE_LINK)
		return "a symbolic link";
	if ((new_mode & MODE_TYPE) == MODE_GITLINK || (old_mode & MODE_TYPE) == MODE_GITLINK)
		return "a submodule";
	/* Only the owner's x: that is all git keeps, and old trees hold 0100664 too. */
	if (old_mode && new_mode && (old_mode ^ new_mode) & MODE_EXEC)
		return "mode changed";
	return NULL;
}

static const char *judge_attr(const char *attr)
{
	if (!attr)
		return NULL;
	return !strcmp(attr, "filter") ? "under a filter attribute"
				       : "under a working-tree-encoding attribute";
}

const char *surface_judge(const struct surface *s, const struct surface_change *c)
{
	const char *why = judge_path(s, c->path);

	if (!why && c->special)
		why = "a special file";
	if (!why)
		why = judge_modes(c->old_mode, c->new_mode);
	return why ? why : judge_attr(c->refused_attr);
}

static bool exceeds(int64_t count, int64_t limit)
{
	return limit >= 0 && count > limit;
}

const char *surface_limits(const struct policy *p, const struct surface_counts *c)
{
	if (exceeds(c->files, p->surface.max_files))
		return "max_files";
	if (exceeds(c->lines, p->surface.max_lines))
		return "max_lines";
	if (exceeds(c->bytes, p->surface.max_bytes))
		return "max_bytes";
	return NULL;
}

static unsigned char ascii_lower(char c)
{
	return (unsigned char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

/*
 * A check asks this of every path of the repository, and nearly all part at a byte that is ASCII in
 * both: nothing that comes later, a mark or what is ignored, can bring those together again.
 */
bool surface_collide(const char *a, const char *b)
{
	CLEANUP(alias_free) struct alias x = { 0 }, y = { 0 };

	while (*a && ascii_lower(*a) == ascii_lower(*b) && ascii_lower(*a) < 0x80) {
		a++;
		b++;
	}
	if (ascii_lower(*a) < 0x80 && ascii_lower(*b) < 0x80 && *a && *b)
		return false;
	alias_fold(a, strlen(a), &x);
	alias_fold(b, strlen(b), &y);
	return x.n == y.n && (!x.n || !memcmp(x.v, y.v, x.n * sizeof(*x.v)));
}
