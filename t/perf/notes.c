/*
 * notes.c - what adding a note costs, and whether writers lose each other's.
 * notes add <n>: n notes on made-up commits, milliseconds of each on a line.   notes race <writers> <n>: each writer adds n; prints how many are lost.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "git/note.h"
#include "git/ref.h"

static struct err err;

static int one_line(void *data, const struct oid *object, const char *old, size_t len, struct str *ret, struct err *e)
{
	(void)object;
	(void)e;
	str_add(ret, old, len);
	str_puts(ret, data);
	return 0;
}

static void id_of(const char *text, struct oid *ret)
{
	repo_hash_blob(text, strlen(text), ret);
}

static int add(struct repo *repo, const char *text)
{
	CLEANUP(ident_free) struct ident who = { 0 };
	struct note_edit edit = { .fn = one_line, .data = (void *)(uintptr_t)text };

	id_of(text, &edit.object);
	if (repo_ident(repo, &who, &err) < 0)
		return -1;
	return note_apply(repo, &edit, 1, &who, "a note\n", &err);
}

static int timed(struct repo *repo, int n)
{
	for (int i = 0; i < n; i++) {
		AUTOFREE char *text = xasprintf("t=%lld pid=%d n=%d\n", (long long)clock_mono(), getpid(), i);
		int64_t from = clock_mono();

		if (add(repo, text) < 0)
			return -1;
		printf("%.4f\n", (double)(clock_mono() - from) / 1e6);
	}
	return 0;
}

static int writer(int which, int n)
{
	struct repo *repo;

	if (repo_open(NULL, &repo, &err) < 0)
		return 1;
	for (int i = 0; i < n; i++) {
		AUTOFREE char *text = xasprintf("writer %d note %d\n", which, i);

		while (add(repo, text) < 0)
			;
	}
	return 0;
}

static int race(struct repo *repo, int writers, int n)
{
	int lost = 0;

	for (int w = 0; w < writers; w++) {
		if (fork() == 0)
			_exit(writer(w, n));
	}
	while (wait(NULL) > 0)
		;
	for (int i = 0; i < writers * n; i++) {
		AUTOFREE char *text = xasprintf("writer %d note %d\n", i / n, i % n);
		STR found = STR_INIT;
		struct oid id;

		id_of(text, &id);
		lost += note_read(repo, &id, &found, &err) < 0;
	}
	printf("%d\n", lost);
	return 0;
}

int main(int argc, char **argv)
{
	struct repo *repo;
	int rc = -1;

	if (argc < 3 || repo_open(NULL, &repo, &err) < 0)
		return 1;
	if (!strcmp(argv[1], "add"))
		rc = timed(repo, atoi(argv[2]));
	else if (argc > 3)
		rc = race(repo, atoi(argv[2]), atoi(argv[3]));
	if (rc < 0)
		fprintf(stderr, "notes: %s\n", err.msg);
	repo_free(repo);
	return rc < 0;
}
