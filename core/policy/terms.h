/*
 * terms.h - the words a policy is made of: its parts that stand in lists or several times.
 * Units: durations ns, sizes bytes, ratios as fractions (0.5% = 0.005). A limit of -1 means "none".
 */
#ifndef POLICY_TERMS_H
#define POLICY_TERMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

#define PARALLEL_MAX 256	/* parallel.jobs */

enum direction { MINIMIZE, MAXIMIZE };
enum on_violation { ON_REJECT, ON_DROP, ON_ESCALATE };
enum agent_kind { AGENT_COMMAND, AGENT_TUNE, AGENT_PATCHES, AGENT_LLM, AGENT_CLAUDE, AGENT_CODEX, AGENT_GEMINI, AGENT_OPENCODE, AGENT_PI };
enum network { NETWORK_OFF, NETWORK_PROVIDER, NETWORK_ON };
enum metrics_from { METRICS_STDOUT, METRICS_FD, METRICS_FILE };
enum block { BLOCK_CANDIDATE, BLOCK_LOOP };

/* An amount that is absolute or a share of a reference: T = value, or value * |reference|. */
struct amount {
	double value;
	bool relative;
	bool set;
};

struct proc_budget {
	int64_t wall;		/* ns; default 10m */
	int64_t output;		/* bytes; default 4M */
	int64_t memory, processes, disk, cpu;	/* bytes, count, bytes, ns; -1 none */
	int64_t tokens;		/* -1 none */
	double usd;		/* negative: none */
};

struct pos {
	int line, column;	/* from 1; 0: not in the file */
};

struct stage {
	char *name;		/* "stage<k>" where the file gives none */
	char *command;
	struct proc_budget budget;
	int samples_min, samples_max;	/* equal for a plain number */
	enum metrics_from metrics;
	char *metrics_path;	/* METRICS_FILE */
	bool exclusive;
	struct pos pos;
};

struct guard {
	char *metric;
	enum direction direction;	/* for max_regression; default: the goal's when it is the goal metric, else required with max_regression */
	double min, max;		/* NaN: none */
	struct amount max_regression;
	char *owner;			/* may be NULL */
	enum on_violation on_violation;	/* reject or escalate */
	struct pos pos;
};

struct human {
	char *name, *ask, *owner;
};

struct range {
	char *metric;
	double min, max;
};

enum param_type { PARAM_LINEAR, PARAM_LOG, PARAM_INT, PARAM_CATEGORICAL };

struct param {
	char *name, *file, *pattern;	/* pattern: POSIX extended with exactly one group, around the value */
	enum param_type type;
	double min, max;
	struct strs choices;		/* categorical */
};

#endif
