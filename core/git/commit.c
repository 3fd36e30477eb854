#include "git/commit.h"

#include <iconv.h>
#include <stdlib.h>
#include <strings.h>

#include "base/num.h"
#include "base/text.h"
#include "git/internal.h"
#include "git/sign.h"

/* What git leaves off either end of a name. */
static bool crud(char c)
{
	return (unsigned char)c <= 32 || strchr(".,:;<>\"\\'", c);
}

/* A name or address as it may stand in a commit: nothing that ends the field, and something in it. */
static void add_name(struct str *out, const char *name, const char *fallback)
{
	const char *end = name + strlen(name);
	size_t before = out->len;

	while (name < end && crud(*name))
		name++;
	while (name < end && crud(end[-1]))
		end--;
	for (; name < end; name++)
		if (!strchr("<>\n\r", *name))
			str_putc(out, *name);
	if (out->len == before)
		str_puts(out, fallback);
}

static void add_ident(struct str *out, const char *field, const struct ident *who)
{
	int minutes = abs(who->offset);

	str_printf(out, "%s ", field);
	add_name(out, who->name ? who->name : "", "unknown");
	str_puts(out, " <");
	add_name(out, who->mail ? who->mail : "", "unknown");
	str_printf(out, "> %lld %c%02d%02d\n", (long long)(who->when < 0 ? 0 : who->when), who->offset < 0 ? '-' : '+', minutes / 60 % 24,
		   minutes % 60);
}

int commit_write(struct repo *repo, const struct commit_spec *spec, struct oid *ret, struct err *err)
{
	STR raw = STR_INIT;
	size_t len = strlen(spec->message);

	if (!text_is_utf8(spec->message, len))
		return err_set(err, ERR_INVALID, "a commit message is not UTF-8");
	if (!repo_has(repo, &spec->tree))
		return err_set(err, ERR_NOT_FOUND, "no tree %s to commit", oid_hex(&spec->tree).s);
	str_printf(&raw, "tree %s\n", oid_hex(&spec->tree).s);
	for (size_t i = 0; i < spec->n_parents; i++) {
		if (!repo_has(repo, &spec->parents[i]))
			return err_set(err, ERR_NOT_FOUND, "no commit %s to be a parent", oid_hex(&spec->parents[i]).s);
		str_printf(&raw, "parent %s\n", oid_hex(&spec->parents[i]).s);
	}
	add_ident(&raw, "author", spec->author);
	add_ident(&raw, "committer", spec->committer);
	str_putc(&raw, '\n');
	str_add(&raw, spec->message, len);
	if (raw.cut)
		return err_set(err, ERR_LIMIT, "a commit message is too long");
	return spec->sign ? sign_commit(repo, &raw, ret, err) : object_write(repo, GIT_OBJECT_COMMIT, raw.buf, raw.len, ret, err);
}

/* " 1700000000 +0100" */
static void parse_time(const char *p, struct ident *ret)
{
	const char *zone = *p == ' ' ? strchr(++p, ' ') : NULL;
	int64_t when, offset;

	if (!zone || !num_parse_int(p, (size_t)(zone - p), &when))
		return;
	ret->when = when;
	if (!strchr("+-", *++zone) || !num_parse_int(zone + 1, strlen(zone + 1), &offset) || offset < 0 || offset > 9999)
		return;
	ret->offset = (int)(offset / 100 * 60 + offset % 100) * (*zone == '-' ? -1 : 1);
}

/* "Name <mail> 1700000000 +0100"; what is damaged is left empty, for old histories hold such commits. */
static void parse_ident(const char *text, size_t len, struct ident *ret)
{
	AUTOFREE char *line = xstrndup(text, len);
	char *open = strchr(line, '<'), *close = strrchr(line, '>');
	size_t name;

	*ret = (struct ident){ 0 };
	if (!open || !close || close < open) {
		ret->name = xstrdup(line);
		ret->mail = xstrdup("");
		return;
	}
	for (name = (size_t)(open - line); name && line[name - 1] == ' '; name--)
		;
	ret->name = xstrndup(line, name);
	ret->mail = xstrndup(open + 1, (size_t)(close - open) - 1);
	parse_time(close + 1, ret);
}

/* The message in UTF-8; as it stands where its encoding is not known here. */
static char *decode(const char *ptr, size_t len, const char *encoding)
{
	iconv_t cd = encoding ? iconv_open("UTF-8", encoding) : (iconv_t)-1;
	AUTOFREE char *in = xstrndup(ptr, len);
	char *out, *from = in, *to;
	size_t left = len, room = len * 4 + 4;

	if (cd == (iconv_t)-1)
		return xstrndup(ptr, len);
	to = out = xcalloc(1, room + 1);
	if (iconv(cd, &from, &left, &to, &room) == (size_t)-1) {
		free(out);
		out = xstrndup(ptr, len);
	}
	iconv_close(cd);
	return out;
}

static bool field(const char *line, size_t len, const char *name, const char **ret, size_t *ret_len)
{
	size_t n = strlen(name);

	if (len <= n || memcmp(line, name, n) || line[n] != ' ')
		return false;
	*ret = line + n + 1;
	*ret_len = len - n - 1;
	return true;
}

static bool take_header(const char *line, size_t len, struct commit *ret, char **ret_encoding, size_t *alloc)
{
	const char *value;
	size_t n;

	if (field(line, len, "tree", &value, &n))
		return n == OID_HEX && oid_parse(value, &ret->tree);
	if (field(line, len, "parent", &value, &n)) {
		GROW(ret->parents, ret->n_parents, *alloc);
		return n == OID_HEX && oid_parse(value, &ret->parents[ret->n_parents++]);
	}
	if (field(line, len, "author", &value, &n) && !ret->author.name)
		parse_ident(value, n, &ret->author);
	else if (field(line, len, "committer", &value, &n) && !ret->committer.name)
		parse_ident(value, n, &ret->committer);
	else if (field(line, len, "encoding", &value, &n) && !*ret_encoding)
		*ret_encoding = xstrndup(value, n);
	return true;
}

int commit_read(struct repo *repo, const struct oid *id, struct commit *ret, struct err *err)
{
	CLEANUP(object_drop) struct object object = { 0 };
	CLEANUP(commit_free) struct commit commit = { .id = *id };
	AUTOFREE char *encoding = NULL;
	const char *p, *end;
	size_t alloc = 0;

	if (object_read(repo, id, GIT_OBJECT_COMMIT, &object, err) < 0)
		return err->code;
	end = object.ptr + object.len;
	for (p = object.ptr; p < end && *p != '\n';) {
		const char *eol = memchr(p, '\n', (size_t)(end - p));
		size_t len = (size_t)((eol ? eol : end) - p);

		if (!take_header(p, len, &commit, &encoding, &alloc))
			return err_set(err, ERR_INVALID, "commit %s is malformed", oid_hex(id).s);
		p += len + (eol != NULL);
	}
	p += p < end;
	commit.message = decode(p, (size_t)(end - p), encoding && strcasecmp(encoding, "UTF-8") ? encoding : NULL);
	if (!commit.author.name)
		commit.author = (struct ident){ .name = xstrdup(""), .mail = xstrdup("") };
	if (!commit.committer.name)
		commit.committer = (struct ident){ .name = xstrdup(""), .mail = xstrdup("") };
	*ret = commit;
	commit = (struct commit){ 0 };
	return 0;
}

void commit_free(struct commit *commit)
{
	free(commit->parents);
	ident_free(&commit->author);
	ident_free(&commit->committer);
	free(commit->message);
	*commit = (struct commit){ 0 };
}
