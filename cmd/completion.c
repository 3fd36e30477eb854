/*
 * completion.c - scripts for bash, zsh and fish, written from the option tables by the program itself.
 * Git's own completions call a function named after the command: _git_harness in bash; zsh and fish get a file of their own.
 */
#include <string.h>

#include "base/mem.h"
#include "cmd/opt.h"
#include "cmd/usage.h"

typedef void row_fn(const struct cmd *cmd, const struct opt *o, struct str *ret);

static void each_option(const struct cmd *cmd, row_fn *fn, struct str *ret)
{
	struct opt common[COMMON_MAX];

	opt_common(cmd, common);
	for (const struct opt *o = cmd->opts; o && o->kind != OPT_END; o++)
		if (o->help)
			fn(cmd, o, ret);
	for (const struct opt *o = common; o->kind != OPT_END; o++)
		fn(cmd, o, ret);
}

/* Inside single quotes of a shell; in zsh's specifications '[', ']' and ':' have a meaning too. */
static void quoted(const char *text, const char *special, struct str *ret)
{
	for (; *text; text++) {
		if (*text == '\'')
			str_puts(ret, "'\\'");
		else if (strchr(special, *text))
			str_putc(ret, '\\');
		str_putc(ret, *text);
	}
}

static void bash_option(const struct cmd *cmd, const struct opt *o, struct str *ret)
{
	(void)cmd;
	if (o->name)
		str_printf(ret, " --%s%s", o->name, o->arg ? "=" : "");
	else
		str_printf(ret, " -%c", o->letter);
}

static void bash(struct str *ret)
{
	str_puts(ret, "# bash completion for git harness; made by: git harness --completion=bash\n"
		      "_git_harness()\n{\n\tlocal i command= words=\n\n"
		      "\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
		      "\t\tcase ${COMP_WORDS[i]} in\n\t\tgit|harness|git-harness|-*) ;;\n"
		      "\t\t*) command=${COMP_WORDS[i]}; break ;;\n\t\tesac\n\tdone\n"
		      "\tcase $command in\n\t'') words='");
	for (const struct cmd *const *c = commands; *c; c++)
		str_printf(ret, "%s%s", c == commands ? "" : " ", (*c)->name);
	str_puts(ret, "' ;;\n");
	for (const struct cmd *const *c = commands; *c; c++) {
		str_printf(ret, "\t%s) words='", (*c)->name);
		each_option(*c, bash_option, ret);
		str_puts(ret, "' ;;\n");
	}
	str_puts(ret, "\tesac\n"
		      "\t# shellcheck disable=SC2207\n"
		      "\tCOMPREPLY=($(compgen -W \"$words\" -- \"${COMP_WORDS[COMP_CWORD]}\"))\n"
		      "\tif [[ ${COMPREPLY[0]-} == *= ]]; then compopt -o nospace 2>/dev/null; fi\n"
		      "}\ncomplete -o default -F _git_harness git-harness\n");
}

static void zsh_option(const struct cmd *cmd, const struct opt *o, struct str *ret)
{
	(void)cmd;
	str_puts(ret, " '");
	if (o->name)
		str_printf(ret, "--%s%s", o->name, o->arg ? "=" : "");
	else
		str_printf(ret, "-%c", o->letter);
	str_putc(ret, '[');
	quoted(o->help, "[]:\\", ret);
	str_putc(ret, ']');
	if (o->arg) {
		str_putc(ret, ':');
		quoted(o->arg, "[]:\\", ret);
		str_putc(ret, ':');
	}
	str_putc(ret, '\'');
}

static void zsh(struct str *ret)
{
	str_puts(ret, "#compdef git-harness\n#description bounded, recorded experiments of an autonomous agent\n"
		      "# made by: git harness --completion=zsh\n\n_git-harness() {\n\tlocal -a list\n"
		      "\tif (( CURRENT == 2 )); then\n\t\tlist=(");
	for (const struct cmd *const *c = commands; *c; c++) {
		str_printf(ret, "\n\t\t\t'%s:", (*c)->name);
		quoted((*c)->summary, ":\\", ret);
		str_putc(ret, '\'');
	}
	str_puts(ret, "\n\t\t)\n\t\t_describe 'git harness command' list\n\t\treturn\n\tfi\n"
		      "\tlocal command=$words[2]\n\tshift words\n\t(( CURRENT-- ))\n\tcase $command in\n");
	for (const struct cmd *const *c = commands; *c; c++) {
		str_printf(ret, "\t%s) _arguments", (*c)->name);
		each_option(*c, zsh_option, ret);
		str_puts(ret, " '*::argument:_files' ;;\n");
	}
	str_puts(ret, "\tesac\n}\n\n_git-harness \"$@\"\n");
}

static void fish_option(const struct cmd *cmd, const struct opt *o, struct str *ret)
{
	str_printf(ret, "complete -c git -n '__fish_git_harness_in %s'", cmd->name);
	if (o->letter)
		str_printf(ret, " -s %c", o->letter);
	if (o->name)
		str_printf(ret, " -l %s", o->name);
	str_printf(ret, "%s -d '", o->arg ? " -r" : "");
	quoted(o->help, "\\", ret);
	str_puts(ret, "'\n");
}

static void fish(struct str *ret)
{
	str_puts(ret, "# fish completion for git harness; made by: git harness --completion=fish\n"
		      "function __fish_git_harness_in\n"
		      "\tset -l words (commandline -opc)\n"
		      "\ttest (count $words) -ge 3; and test $words[2] = harness; and test $words[3] = $argv[1]\nend\n"
		      "function __fish_git_harness_bare\n"
		      "\tset -l words (commandline -opc)\n"
		      "\ttest (count $words) -eq 2; and test $words[2] = harness\nend\n");
	for (const struct cmd *const *c = commands; *c; c++) {
		str_printf(ret, "complete -c git -f -n __fish_git_harness_bare -a %s -d '", (*c)->name);
		quoted((*c)->summary, "\\", ret);
		str_puts(ret, "'\n");
		each_option(*c, fish_option, ret);
	}
}

int usage_completion(const char *shell, struct str *ret, struct err *err)
{
	if (!strcmp(shell, "bash"))
		bash(ret);
	else if (!strcmp(shell, "zsh"))
		zsh(ret);
	else if (!strcmp(shell, "fish"))
		fish(ret);
	else
		return err_set(err, ERR_USAGE, "no completion for '%s' (there are bash, zsh and fish)", shell);
	return 0;
}
