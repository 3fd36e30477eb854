/* One task from start to end, with a reactor of its own. */
#include "base/mem.h"
#include "run/task.h"

static void free_task(struct task **t)
{
	task_free(*t);
}

struct single {
	struct task_end *end;
	bool done;
};

static int on_single(void *data, struct task *task, const struct task_end *end, struct err *err)
{
	struct single *s = data;

	(void)task;
	(void)err;
	*s->end = *end;
	s->done = true;
	return 0;
}

static void free_reactor(struct reactor **r)
{
	reactor_free(*r);
}

int task_run(const struct task_spec *spec, struct task_end *ret, struct str *ret_log, struct err *err)
{
	CLEANUP(free_reactor) struct reactor *r = NULL;
	CLEANUP(free_task) struct task *t = NULL;
	struct single s = { .end = ret };

	if (reactor_new(&r, err) < 0)
		return err->code;
	if (task_start(r, spec, on_single, &s, &t, err) < 0)
		return err->code;
	if (reactor_run(r, &s.done, err) < 0)
		return err->code;
	if (ret_log)
		capture_text(task_capture(t), ret_log);
	return 0;
}
