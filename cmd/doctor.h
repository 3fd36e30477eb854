/*
 * doctor.h - the parts of `git harness doctor`: a laboratory, the probes, and the attacks they let loose in it.
 * A probe runs one attack exactly as a command of an experiment is run, in a workspace of a throw-away repository, and then looks what it
 * achieved. The table in probes.c is the whole list; a stronger wall turns answers, not code.
 */
#ifndef CMD_DOCTOR_H
#define CMD_DOCTOR_H

#include "git/repo.h"
#include "run/task.h"
#include "run/workspace.h"

enum answer { PREVENTED, DETECTED, NOT_ENFORCED, UNKNOWN };

struct finding {
	enum answer answer;
	char how[256];		/* the mechanism, the check, or why not */
	const char *remedy;	/* static; NULL: none needed */
};

struct lab {
	char *dir;		/* removed with all that is in it by lab_close() */
	char *home;		/* where a person's own files would lie: outside of every workspace */
	char *program;		/* ours, to be started as the attacker */
	struct repo *repo;
	struct pool *pool;
	struct oid commit, tree;
};
int lab_open(struct lab *ret, struct err *err);
void lab_close(struct lab *lab);

struct assault {		/* what an attack is given, and how it ended */
	const char *attack, *target;
	int64_t wall, output;	/* 0: 10 s, 1 MiB */
	struct workspace *ws;	/* NULL: it runs in lab's home */
	struct task_end end;
	size_t log_len;
};
/* end.exit is what attack_run() returned. */
int lab_assault(struct lab *lab, struct assault *a, struct err *err);

struct probe {
	const char *name;	/* stable: a key of --json */
	const char *what;	/* the attempt, for people: "overwrite a frozen file" */
	int (*run)(struct lab *lab, struct finding *ret, struct err *err);
};
extern const struct probe probes[];
extern const size_t probes_n;

/* In the attacked place, "<name>:<target>". */
enum { ATTACK_SUCCEEDED = 0, ATTACK_STOPPED = 1, ATTACK_UNTRIED = 2 };
int attack_run(const char *attack);

#endif
