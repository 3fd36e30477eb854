/*
 * commands.h - the one list. A command is its own file, which defines `const struct cmd cmd_<name>`, and one line here.
 * Included with COMMAND(name) defined, as often as needed; the order is that of the usage text.
 */
#if __has_include("cmd/init.c")
COMMAND(init)
#endif
#if __has_include("cmd/check.c")
COMMAND(check)
#endif
#if __has_include("cmd/doctor.c")
COMMAND(doctor)
#endif
#if __has_include("cmd/start.c")
COMMAND(start)
#endif
#if __has_include("cmd/resume.c")
COMMAND(resume)
#endif
#if __has_include("cmd/stop.c")
COMMAND(stop)
#endif
#if __has_include("cmd/status.c")
COMMAND(status)
#endif
#if __has_include("cmd/log.c")
COMMAND(log)
#endif
#if __has_include("cmd/show.c")
COMMAND(show)
#endif
#if __has_include("cmd/diff.c")
COMMAND(diff)
#endif
#if __has_include("cmd/approve.c")
COMMAND(approve)
#endif
#if __has_include("cmd/deny.c")
COMMAND(deny)
#endif
#if __has_include("cmd/rollback.c")
COMMAND(rollback)
#endif
#if __has_include("cmd/review.c")
COMMAND(review)
#endif
#if __has_include("cmd/verify.c")
COMMAND(verify)
#endif
#if __has_include("cmd/replay.c")
COMMAND(replay)
#endif
#if __has_include("cmd/report.c")
COMMAND(report)
#endif
#if __has_include("cmd/gc.c")
COMMAND(gc)
#endif
