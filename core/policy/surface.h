/*
 * surface.h - which paths an experiment may change, and what a change of trees amounts to.
 * Deny wins, no match means no. Always denied, whatever `allow` says: harness.yaml at the root;
 * `.git` in any case or HFS/NTFS spelling in any component; .gitattributes and .gitmodules
 * anywhere; a tracked core.hooksPath directory. Pure: no I/O, no clock.
 *
 * Paths:  repository-relative bytes, '/' between parts.
 */
#ifndef POLICY_SURFACE_H
#define POLICY_SURFACE_H

#include "policy/policy.h"

struct surface {
	const struct strs *allow, *deny;
	const char *hooks_path;		/* repository-relative, or NULL */
};

enum surface_why {
	SURFACE_OK,
	SURFACE_OUTSIDE,	/* no allow matches */
	SURFACE_DENIED,		/* a deny matches */
	SURFACE_CONTROL,	/* always denied (git's control names, the policy, hooks) */
	SURFACE_NAME,		/* control bytes, no UTF-8, over 4096 bytes, "..", NTFS/HFS tricks: never committed */
};

void surface_of(const struct policy *p, const char *hooks_path, struct surface *ret);
enum surface_why surface_path(const struct surface *s, const char *path);
/*
 * A control name or hostile name that must never enter a tree of ours, not even of a refused
 * candidate.
 */
bool surface_name_hostile(const char *path);

/*
 * One changed path, from trees (`check <range>`) or from a workspace. Modes are git's, 0 = not
 * there.
 */
struct surface_change {
	const char *path;
	uint32_t old_mode, new_mode;
	bool special;			/* fifo, socket, device */
	const char *refused_attr;	/* attribute of the base that makes the change a violation, or NULL */
};
/*
 * NULL: inside. Otherwise why not, for people: "outside the surface", "a symbolic link", "mode
 * changed" ... (static text).
 */
const char *surface_judge(const struct surface *s, const struct surface_change *c);

struct surface_counts {
	int64_t files, lines, bytes;	/* lines: added + deleted */
};
/* NULL: within. Otherwise "max_files", "max_lines" or "max_bytes" (static text). */
const char *surface_limits(const struct policy *p, const struct surface_counts *c);
/* Two paths that are the same on a case-insensitive or normalising file system. */
bool surface_collide(const char *a, const char *b);

#endif
