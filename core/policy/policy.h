/*
 * policy.h - harness.yaml as data.
 * The whole of DESIGN section 5. Parsed strictly: unknown keys, wrong types, duplicate keys, bad units, aliases, anchors, tags, merge keys,
 * second documents, more than 64 KiB or 64 levels are errors that name file:line:column, the key, and the nearest valid key.
 * Pure: bytes in, policy out; no I/O, no clock.
 *
 * Units: terms.h.
 * Memory: policy_free() accepts NULL. All strings are owned by the policy.
 */
#ifndef POLICY_POLICY_H
#define POLICY_POLICY_H

#include "base/err.h"
#include "policy/terms.h"

#define POLICY_FILE "harness.yaml"
#define POLICY_MAX (64 * 1024)

struct policy {
	int version;			/* 1 */
	char *campaign;			/* NULL: not said */
	struct {
		char *metric;
		enum direction direction;
		struct amount min_delta;	/* never negative; 0 by default */
		double target;			/* NaN: none */
		bool prefer_simpler;
	} goal;
	struct {
		struct strs allow, deny;
		int64_t max_files, max_lines, max_bytes;
		enum on_violation on_violation;
	} surface;
	struct {
		struct strs include, read, hide;
		char *prepare;
		bool devices;
	} workspace;
	struct {
		enum agent_kind use;
		char *command, *brief, *author;
		struct proc_budget budget;
		struct strs env;
		enum network network;
		bool home_keep;
		struct param *params;
		size_t n_params;
		int64_t seed;
		char *from;		/* patches */
	} agent;
	struct {
		char *command;		/* NULL: no execute step */
		struct strs artifacts, state, env;
		struct proc_budget budget;
		enum network network;
		int64_t shm;
	} execute;
	struct stage *stages;
	size_t n_stages;
	double evaluation_ratio;
	struct guard *guards;
	size_t n_guards;
	struct {
		char *command, *metric;
		struct strs data;
		enum direction direction;
		struct amount max_regression;
		int64_t looks;
		struct proc_budget budget;
	} holdout;			/* command NULL: none */
	struct {
		int calibrate, confirm, recheck;
		double confidence;	/* 0: none */
	} decide;
	struct {
		double agent_confidence_below;	/* NaN: not applied */
		struct range *outside;
		size_t n_outside;
		int64_t failures;	/* 5; -1 none */
		bool not_converged;
		struct human *human;
		size_t n_human;
		enum block block;
	} escalate;
	struct {
		int64_t experiments, wall, tokens, plateau;	/* -1 none */
		double usd;					/* negative: none */
	} budget;
	struct {
		int jobs;
		struct strs devices;
	} parallel;
	bool enforcement_require;

	/* What `check` and `start` say of it: keys whose machinery is not in this version. */
	struct strs unsupported;	/* "file:line:column: key: why", each an error of check and start */
	struct strs unenforced;		/* keys of limits that are accepted and not enforced yet: one warning names them all */
	struct strs warnings;		/* anything else worth a warning, "file:line:column: ..." */
};

/* name is what messages call the file ("harness.yaml", "HEAD:harness.yaml"). */
int policy_parse(const char *name, const char *ptr, size_t len, struct policy **ret, struct err *err);
void policy_free(struct policy *p);

/* Names of the metrics this policy uses, goal first, each once. */
void policy_metrics(const struct policy *p, struct strs *ret);
enum { POLICY_MEASURE_AGAIN = 1, POLICY_OTHER = 2 };
/* What differs: a change in goal, execute, evaluate, guards, holdout, decide or workspace needs best to be measured again. Bits, 0: equal. */
int policy_compare(const struct policy *a, const struct policy *b);

/* Can candidate code forge the goal's number? If so, *ret says how, in one line. */
bool policy_forgeable(const struct policy *p, struct str *ret);

bool campaign_name_ok(const char *name);	/* [a-z0-9][a-z0-9_-]{0,39}, not best, not review */
bool metric_name_ok(const char *name);		/* [A-Za-z_][A-Za-z0-9_./-]{0,63} and no note key */
const char *agent_kind_name(enum agent_kind kind);
/* JSON schema (draft 2020-12) generated from the parser's own key table: templates/harness.schema.json must equal it. */
void policy_schema(struct str *ret);

#endif
