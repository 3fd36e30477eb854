/*
 * measure_internal.h - shared by measure.c (execute, replay) and stages.c (the stages); nobody else includes it.
 */
#ifndef LOOP_MEASURE_INTERNAL_H
#define LOOP_MEASURE_INTERNAL_H

#include "loop/measure.h"

int measure_fail(struct measure *m, enum reason reason, const char *why);
void measure_log(struct capture *log, const char *title, const struct task *task);
void measure_judge_exit(struct measure *m, const struct task_end *end, const char *stage, bool yields);
void measure_add_end(struct event *line, const struct task_end *end);
void measure_add_outcome(struct event *line, const struct outcome *o);
int measure_tell(struct measure *m, const char *kind, struct event *line, struct err *err);
void measure_env(struct measure *m, const struct strs *pass, struct workspace *ws, const char *stage, int sample,
		 struct strs *ret);

#endif
