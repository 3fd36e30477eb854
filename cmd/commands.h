/*
 * commands.h - the one list. A command is its own file, which defines `const struct cmd cmd_<name>`, and one line here.
 * Included with COMMAND(name) defined, as often as needed; the order is that of the usage text.
 */
COMMAND(init)
COMMAND(check)
COMMAND(doctor)
COMMAND(start)
COMMAND(resume)
COMMAND(stop)
COMMAND(status)
COMMAND(log)
COMMAND(show)
COMMAND(diff)
COMMAND(approve)
COMMAND(deny)
COMMAND(rollback)
COMMAND(review)
COMMAND(verify)
COMMAND(replay)
COMMAND(report)
COMMAND(gc)
