/*
 * usage.c - what the tables say, as text for people.
 */
#include "cmd/usage.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "cmd/opt.h"
#include "policy/keys.h"

#define COMMAND(name) extern const struct cmd cmd_##name;
#include "cmd/commands.h"
#undef COMMAND

const struct cmd *const commands[] = {
#define COMMAND(name) &cmd_##name,
#include "cmd/commands.h"
#undef COMMAND
	NULL
};

#define HELP_COLUMN 30

const struct cmd *command_find(const char *name)
{
	for (const struct cmd *const *c = commands; *c; c++)
		if (!strcmp((*c)->name, name))
			return *c;
	return NULL;
}

const char *command_nearest(const char *name)
{
	const char *names[ARRAY_SIZE(commands)] = { NULL };
	size_t n = 0;

	for (const struct cmd *const *c = commands; *c; c++)
		names[n++] = (*c)->name;
	return text_nearest(name, names, n);
}

void usage_line(const struct cmd *cmd, struct str *ret)
{
	str_printf(ret, "usage: git harness %s [<options>]", cmd->name);
	if (cmd->args && *cmd->args)
		str_printf(ret, " %s", cmd->args);
	str_putc(ret, '\n');
}

static void option_row(const struct opt *o, struct str *ret)
{
	size_t start = ret->len, width;

	if (!o->help)
		return;
	str_puts(ret, "    ");
	if (o->letter)
		str_printf(ret, "-%c%s", o->letter, o->name ? ", " : "");
	if (o->name)
		str_printf(ret, "--%s", o->name);
	if (o->arg)
		str_printf(ret, "%s%s", o->name ? "=" : " ", o->arg);
	width = ret->len - start;
	if (width >= HELP_COLUMN) {
		str_putc(ret, '\n');
		width = 0;
	}
	str_printf(ret, "%*s%s\n", (int)(HELP_COLUMN - width), "", o->help);
}

void usage_command(const struct cmd *cmd, struct str *ret)
{
	struct opt common[COMMON_MAX];

	usage_line(cmd, ret);
	str_printf(ret, "\n    %s\n", cmd->summary);
	for (const char *at = cmd->about; at && *at;) {
		size_t len = strcspn(at, "\n");

		str_printf(ret, "    %.*s\n", (int)len, at);
		at += len + (at[len] == '\n');
	}
	str_putc(ret, '\n');
	for (const struct opt *o = cmd->opts; o && o->kind != OPT_END; o++)
		option_row(o, ret);
	opt_common(cmd, common);
	for (const struct opt *o = common; o->kind != OPT_END; o++)
		option_row(o, ret);
}

void usage_all(struct str *ret)
{
	str_puts(ret, "usage: git harness <command> [<options>] [<args>]\n\n");
	for (const struct cmd *const *c = commands; *c; c++)
		str_printf(ret, "    %-10s %s\n", (*c)->name, (*c)->summary);
	str_puts(ret, "\n'git harness <command> -h' shows a command's options, 'git harness --help' opens the manual.\n");
}

static void table_row(const struct cmd *cmd, const struct opt *o, struct str *ret)
{
	char letter[2] = { o->letter ? o->letter : '-', '\0' };

	if (!o->help)
		return;
	str_printf(ret, "%s %s %s %s\n", cmd->name, letter, o->name ? o->name : "-", o->arg ? o->arg : "-");
}

void usage_table(struct str *ret)
{
	for (const struct cmd *const *c = commands; *c; c++) {
		struct opt common[COMMON_MAX];

		str_printf(ret, "%s = %s\n", (*c)->name, (*c)->args ? (*c)->args : "");
		opt_common(*c, common);
		for (const struct opt *o = (*c)->opts; o && o->kind != OPT_END; o++)
			table_row(*c, o, ret);
		for (const struct opt *o = common; o->kind != OPT_END; o++)
			table_row(*c, o, ret);
	}
}

static void key_rows(const struct key *keys, const char *before, struct str *ret)
{
	for (const struct key *k = keys; k->name; k++) {
		AUTOFREE char *path = xasprintf("%s%s%s", before, *before ? "." : "", k->name);

		if (k->sub && (k->type == KEY_MAP || k->type == KEY_MAPS)) {
			AUTOFREE char *below = xasprintf("%s%s", path, k->type == KEY_MAPS ? "[]" : "");

			key_rows(k->sub, below, ret);
		} else {
			str_printf(ret, "%s\t%s\t%s\n", path, k->fallback ? k->fallback : "-", k->help ? k->help : "");
		}
	}
}

void usage_keys(struct str *ret)
{
	key_rows(policy_keys, "", ret);
}
