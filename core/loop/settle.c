/* ACCEPT, REJECT, ESCALATE: the decision is put down. RECORD: commit, ledger, note, best, in the ledger's one order. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "git/commit.h"
#include "git/sign.h"
#include "ledger/record.h"
#include "loop/session.h"
#include "loop/checkpoint.h"

#define LOG_BYTES ((size_t)4 << 20)

static const char *verdict_of(const struct experiment *x)
{
	return verdict_names[x->state == ACCEPT ? VERDICT_ACCEPT : x->state == ESCALATE ? VERDICT_ESCALATE : VERDICT_REJECT];
}

static bool is_decided(const struct experiment *x)
{
	return x->lines.n && event_is(&x->lines.v[x->lines.n - 1], "event", "decide");
}

int enter_judged(struct experiment *x, struct err *err)
{
	struct loop *l = x->loop;
	EVENT line = { 0 };

	if (is_decided(x))
		return experiment_post(x, MOVE_JUDGED);
	event_add(&line, "verdict", verdict_of(x));
	event_add(&line, "reason", reason_names[x->reason]);
	record_decision(&x->decision, &line);
	event_add(&line, "stage", x->stage);
	if (x->stage && x->exit >= 0)
		event_add_int(&line, "exit", x->exit);
	event_add(&line, "why", x->why);
	event_add(&line, "path", x->path);
	event_add_oid(&line, "base", &x->base);
	event_add_oid(&line, "tree", &x->tree);
	event_add_oid(&line, "policy", &l->h->policy_blob);
	event_add_int(&line, "level", 1);
	event_add(&line, "backend", pool_backend(l->pool));
	event_add_secs(&line, "elapsed", loop_elapsed(l));
	if (experiment_line(x, "decide", &line, err) < 0)
		return err->code;
	return experiment_post(x, MOVE_JUDGED);
}

/* ---- RECORD ---- */

static int store(struct experiment *x, const char *name, struct oid *ret, struct err *err)
{
	STR text = STR_MAX(LOG_BYTES);
	STR clean = STR_INIT, safe = STR_INIT;

	if (experiment_load(x, name, &text, err) < 0)
		return err->code;
	if (!text.len)
		return 0;
	text_redact(text.buf, text.len, &clean);
	text_visible(clean.buf, clean.len, true, &safe);
	return repo_write_blob(x->loop->repo, safe.buf, safe.len, ret, err);
}

static int store_files(struct experiment *x, struct ledger_files *ret, struct err *err)
{
	if (store(x, "brief.md", &ret->brief, err) < 0 || store(x, "proposal.md", &ret->proposal, err) < 0 ||
	    store(x, "agent.log", &ret->agent_log, err) < 0 || store(x, "execute.log", &ret->execute_log, err) < 0)
		return err->code;
	return store(x, "evaluate.log", &ret->evaluate_log, err);
}

/* The time of the decision, so that a repeat after a crash makes the same commit. */
static int64_t decided_at(const struct experiment *x)
{
	const char *t = event_get(&x->lines.v[x->lines.n - 1], "t");
	int64_t wall = t ? clock_parse(t) : -1;

	return (wall < 0 ? clock_wall() : wall) / NS_PER_S;
}

static int author_of(const struct loop *l, struct ident *author, struct err *err)
{
	const char *said = l->policy->agent.author, *mail = said ? strchr(said, '<') : NULL;

	(void)err;
	ident_copy(&l->me, author);
	free(author->name);
	if (!said) {
		author->name = xstrdup(agent_name(l->agent));
		return 0;
	}
	author->name = xstrndup(said, mail ? (size_t)(mail - said) : strlen(said));
	while (*author->name && author->name[strlen(author->name) - 1] == ' ')
		author->name[strlen(author->name) - 1] = '\0';
	if (mail && strchr(mail, '>')) {
		free(author->mail);
		author->mail = xstrndup(mail + 1, strcspn(mail + 1, ">"));
	}
	return 0;
}

static int write_commit(struct experiment *x, const struct record *r, struct oid *ret, struct err *err)
{
	struct loop *l = x->loop;
	CLEANUP(ident_free) struct ident author = { 0 }, committer = { 0 };
	STR message = STR_INIT;
	struct message_in in = {
		.record = r, .policy = l->policy, .campaign = l->campaign, .policy_blob = &l->h->policy_blob,
		.subject = x->proposal.subject, .body = x->proposal.body,
		.approved_by = r->verdict == VERDICT_ACCEPT ? record_approver(&x->lines) : NULL,
	};
	struct commit_spec spec = { .tree = x->tree, .parents = &x->base, .n_parents = 1 };

	if (author_of(l, &author, err) < 0 || (r->verdict == VERDICT_ACCEPT && sign_wanted(l->repo, &spec.sign, err) < 0))
		return err->code;
	ident_copy(&l->me, &committer);
	author.when = committer.when = decided_at(x);
	ledger_message(&in, &message);
	spec.author = &author;
	spec.committer = &committer;
	spec.message = message.buf;
	return commit_write(l->repo, &spec, ret, err);
}

int experiment_draft(struct experiment *x, struct oid *ret, struct err *err)
{
	struct loop *l = x->loop;
	CLEANUP(ident_free) struct ident author = { 0 };
	STR message = STR_INIT;
	struct oid parents[2] = { x->base, x->draft };	/* brought onto another best twice: the second draft keeps the first */
	struct commit_spec spec = {
		.tree = x->tree, .parents = parents, .n_parents = oid_is_zero(&x->draft) ? 1 : 2, .committer = &l->me,
	};
	AUTOFREE char *number = xasprintf("%d", x->number);

	if (author_of(l, &author, err) < 0)
		return err->code;
	str_printf(&message, "experiment %d: first draft, on an earlier best\n", x->number);
	trailer_add(&message, "Harness-Campaign", l->campaign);
	trailer_add(&message, "Harness-Experiment", number);
	spec.author = &author;
	spec.message = message.buf;
	return commit_write(l->repo, &spec, ret, err);
}

static void subject_of(const struct experiment *x, const struct record *r, struct str *ret)
{
	if (x->kind == KIND_BASELINE)
		str_printf(ret, "baseline %d", x->number);
	else
		str_printf(ret, "experiment %d: %s (%s)", x->number, verdict_names[r->verdict], reason_names[r->reason]);
}

/* What may become best keeps the state it ended with; a rejected one's evaporates. */
static int keep_state(struct experiment *x, const struct record *r, struct oid *ret, struct err *err)
{
	if (r->verdict == VERDICT_REJECT)
		return 0;
	*ret = checkpoint_named(&x->lines);
	return checkpoint_store(x->loop->state_dir, x->keep_state, ret, err);
}

static int write_record(struct experiment *x, struct err *err)
{
	struct loop *l = x->loop;
	CLEANUP(record_clear) struct record r = { .number = x->number };
	STR subject = STR_INIT;
	struct oid notes[2];
	struct ledger_write w = {
		.kind = x->kind == KIND_BASELINE ? ENTRY_BASELINE : ENTRY_EXPERIMENT, .number = x->number, .lines = &x->lines,
		.annotate = notes, .best = l->h->best,
	};

	if (record_fold(&x->lines, &r, err) < 0)
		return err_wrap(err, "experiment %d", x->number);
	if (store_files(x, &w.files, err) < 0 || keep_state(x, &r, &w.files.state, err) < 0)
		return err->code;
	if (x->kind == KIND_BASELINE) {
		notes[w.n_annotate++] = w.best = x->base;
	} else {
		if (x->reason == REASON_CONFLICT && x->kind == KIND_APPROVED)	/* nothing new was made */
			w.commit = x->draft;
		else if (write_commit(x, &r, &w.commit, err) < 0)
			return err_wrap(err, "cannot commit experiment %d", x->number);
		notes[w.n_annotate++] = w.commit;
		if (!oid_is_zero(&x->draft) && !oid_eq(&x->draft, &w.commit)) {
			notes[w.n_annotate++] = x->draft;
			w.drafts = &x->draft;
			w.n_drafts = 1;
		}
		if (r.verdict == VERDICT_ACCEPT)
			w.best = w.commit;
	}
	subject_of(x, &r, &subject);
	w.subject = subject.buf;
	return ledger_write(l->repo, l->h, l->journal, &w, err);
}

/* What the record means for this session. */
static void take_notice(const struct experiment *x, const struct record *r)
{
	struct loop *l = x->loop;

	l->wake = true;
	if (r->reason == REASON_EVALUATOR_BROKEN)
		l->broken = true;
	if (r->baseline) {
		expect_learn(l->policy, &x->lines, &l->bench.expect);
	} else {
		l->result.experiments += x->kind == KIND_NEW;	/* a late measurement is no further one */
		l->result.accepted += r->verdict == VERDICT_ACCEPT;
		l->result.gain |= r->verdict == VERDICT_ACCEPT;
	}
	if (x->proposal.stop) {
		l->stop_after = true;
		snprintf(l->result.why, sizeof(l->result.why), "the agent asked to stop");
	}
	if (l->options.recorded)
		l->options.recorded(l->options.data, l->h, r);
}

int enter_record(struct experiment *x, struct err *err)
{
	struct loop *l = x->loop;
	const struct record *r;

	if (write_record(x, err) < 0)
		return err_wrap(err, "cannot record experiment %d", x->number);
	l->policy = l->h->policy;
	r = history_record(l->h, x->number);
	if (!r)
		return err_set(err, ERR_BUG, "experiment %d was recorded and is not in the ledger", x->number);
	take_notice(x, r);
	if (experiment_forget(x, err) < 0 || loop_pack(l, err) < 0)
		return err->code;
	return experiment_post(x, MOVE_RECORDED);
}
