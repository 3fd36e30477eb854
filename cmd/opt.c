/*
 * opt.c - see opt.h. One pass; arguments that are no options are moved to the front.
 */
#include "cmd/opt.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* What is parsed into: the command's table and struct, and the common ones. */
struct target {
	const struct opt *table;
	char *base;
};

struct parse {
	const struct cmd *cmd;
	struct target t[2];
	int argc, at;
	char **argv;
};

struct found_opt {
	const struct opt *opt;
	char *base;
	bool negated;
};

void opt_common(const struct cmd *cmd, struct opt ret[COMMON_MAX])
{
	static const struct opt campaign = STRING('c', "campaign", struct common, campaign, "<name>",
						  "which campaign (default: what harness.yaml says, else main)");
	static const struct opt quiet = FLAG('q', "quiet", struct common, quiet, "no progress, only results and errors");
	static const struct opt progress = FLAG(0, "progress", struct common, progress,
						"show progress even where stderr is no terminal");
	static const struct opt h = FLAG('h', NULL, struct common, h, "show this text");
	static const struct opt help = FLAG(0, "help", struct common, help, "open the manual");
	static const struct opt end = END;
	size_t n = 0;

	if (cmd->needs & (CMD_CAMPAIGN | CMD_HISTORY))
		ret[n++] = campaign;
	if (cmd->needs & CMD_PROGRESS) {
		ret[n++] = quiet;
		ret[n++] = progress;
	}
	ret[n++] = h;
	ret[n++] = help;
	ret[n] = end;
}

static bool is_end(const struct opt *o)
{
	return !o || o->kind == OPT_END;
}

static bool find_letter(const struct parse *p, char letter, struct found_opt *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(p->t); i++)
		for (const struct opt *o = p->t[i].table; !is_end(o); o++)
			if (o->letter == letter) {
				*ret = (struct found_opt){ o, p->t[i].base, false };
				return true;
			}
	return false;
}

/* 2: the whole name (or --no-<flag>), 1: its beginning, 0: another. */
static int match_name(const struct opt *o, const char *name, size_t len, bool *negated)
{
	*negated = false;
	if (!o->name)
		return 0;
	if (!strncmp(o->name, name, len))
		return o->name[len] ? 1 : 2;
	*negated = true;
	if (o->kind == OPT_FLAG && len > 3 && !strncmp(name, "no-", 3) && !strncmp(o->name, name + 3, len - 3))
		return o->name[len - 3] ? 1 : 2;
	return 0;
}

static bool find_name(const struct parse *p, const char *name, size_t len, struct found_opt *ret, struct err *err)
{
	const struct opt *other = NULL;
	bool negated;

	ret->opt = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(p->t); i++) {
		for (const struct opt *o = p->t[i].table; !is_end(o); o++) {
			int fits = match_name(o, name, len, &negated);

			if (!fits)
				continue;
			if (fits == 1 && ret->opt)
				other = o;
			else
				*ret = (struct found_opt){ o, p->t[i].base, negated };
			if (fits == 2)
				return true;
		}
	}
	if (!ret->opt)
		err_set(err, ERR_USAGE, "unknown option '--%.*s'", (int)len, name);
	else if (other)
		err_set(err, ERR_USAGE, "ambiguous option '--%.*s' (could be --%s or --%s)", (int)len, name,
			ret->opt->name, other->name);
	return ret->opt && !other;
}

static int store_int(const char *name, const char *value, int *ret, struct err *err)
{
	char *end;
	long v;

	errno = 0;
	v = strtol(value, &end, 10);
	if (end == value || *end || errno || v < 0 || v > INT_MAX)
		return err_set(err, ERR_USAGE, "option '%s' wants a whole number, 0 or more, not '%s'", name, value);
	*ret = (int)v;
	return 0;
}

static int store(const struct found_opt *f, const char *shown, const char *value, struct err *err)
{
	void *field = f->base + f->opt->offset;

	if (f->opt->kind == OPT_FLAG) {
		*(bool *)field = !f->negated;
		return 0;
	}
	if (!value)
		return err_set(err, ERR_USAGE, "option '%s' wants a value", shown);
	if (f->opt->kind == OPT_INT)
		return store_int(shown, value, field, err);
	if (f->opt->kind == OPT_STRINGS)
		strs_add(field, value);
	else
		*(const char **)field = value;
	return 0;
}

/* The word behind an option that wants one; NULL at the end. */
static const char *next_word(struct parse *p)
{
	return p->at + 1 < p->argc ? p->argv[++p->at] : NULL;
}

static int parse_long(struct parse *p, const char *word, struct err *err)
{
	const char *equals = strchr(word, '='), *value = equals ? equals + 1 : NULL;
	size_t len = equals ? (size_t)(equals - word) : strlen(word);
	struct found_opt f;
	char shown[64];

	if (!find_name(p, word, len, &f, err))
		return err->code;
	snprintf(shown, sizeof(shown), "--%s", f.opt->name);
	if (f.opt->kind == OPT_FLAG && value)
		return err_set(err, ERR_USAGE, "option '%s' takes no value", shown);
	if (f.opt->kind != OPT_FLAG && !value)
		value = next_word(p);
	return store(&f, shown, value, err);
}

static int parse_letters(struct parse *p, const char *word, struct err *err)
{
	for (; *word; word++) {
		char shown[3] = { '-', *word, '\0' };
		const char *value = NULL;
		struct found_opt f;

		if (!find_letter(p, *word, &f))
			return err_set(err, ERR_USAGE, "unknown option '%s'", shown);
		if (f.opt->kind != OPT_FLAG)
			value = word[1] ? word + 1 : next_word(p);
		if (store(&f, shown, value, err) < 0)
			return err->code;
		if (value)
			return 0;
	}
	return 0;
}

static int count_args(const struct cmd *cmd, int n, char **argv, struct err *err)
{
	if (n < cmd->min_args)
		return err_set(err, ERR_USAGE, "'%s' wants %s", cmd->name, cmd->args);
	if (cmd->max_args >= 0 && n > cmd->max_args)
		return err_set(err, ERR_USAGE, "'%s' does not know what to do with '%s'", cmd->name,
			       argv[cmd->max_args]);
	return 0;
}

static void set_absent(const struct opt *table, void *opts)
{
	for (const struct opt *o = table; !is_end(o); o++)
		if (o->kind == OPT_INT)
			*(int *)((char *)opts + o->offset) = -1;
}

int opt_parse(const struct cmd *cmd, int *argc, char **argv, void *opts, struct common *common, struct err *err)
{
	struct opt shared[COMMON_MAX];
	struct parse p = { .cmd = cmd, .argc = *argc, .argv = argv };
	bool options = true;
	int kept = 0, ret = 0;

	set_absent(cmd->opts, opts);
	opt_common(cmd, shared);
	p.t[0] = (struct target){ cmd->opts, opts };
	p.t[1] = (struct target){ shared, (char *)common };
	for (; p.at < p.argc && !ret; p.at++) {
		char *word = argv[p.at];

		if (!options || word[0] != '-' || !word[1])
			argv[kept++] = word;
		else if (!strcmp(word, "--"))
			options = false;
		else if (word[1] == '-')
			ret = parse_long(&p, word + 2, err);
		else
			ret = parse_letters(&p, word + 1, err);
	}
	if (common->h || common->help)
		return 0;	/* asked for help: what else is wrong does not matter */
	*argc = kept;
	return ret < 0 ? ret : count_args(cmd, kept, argv, err);
}

void opt_free(const struct opt *table, void *opts)
{
	for (const struct opt *o = table; !is_end(o); o++)
		if (o->kind == OPT_STRINGS)
			strs_free((struct strs *)((char *)opts + o->offset));
	free(opts);
}
