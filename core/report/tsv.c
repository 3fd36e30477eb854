#include "report/tsv.h"

#include <math.h>

#include "base/mem.h"

/* GiB: what the run itself reported, as autoresearch's does; else the largest process. */
static double memory(const struct record *r)
{
	double mb;

	if (measured_value(&r->measured, "peak_vram_mb", &mb))
		return mb / 1024;
	return r->maxrss > 0 ? (double)r->maxrss / (1024.0 * 1024 * 1024) : 0;
}

void report_tsv(const struct outline *o, struct str *ret)
{
	str_printf(ret, "commit\t%s\tmemory_gb\tstatus\tdescription\n", o->metric);
	for (size_t i = 0; i < o->n_points; i++) {
		const struct point *p = &o->points[i];
		const struct record *r = p->record;
		bool crash = p->outcome == OUTCOME_FAILED || isnan(p->value);
		bool keep = p->outcome == OUTCOME_KEPT || p->outcome == OUTCOME_BASELINE;

		str_printf(ret, "%.7s\t%.6f\t%.1f\t%s\t", oid_hex(words_commit(r)).s, crash ? 0 : p->value, crash ? 0 : memory(r),
			   crash ? "crash" : keep ? "keep" : "discard");
		words_subject(r, ret);
		if (crash && r->reason != REASON_CRASH)
			str_printf(ret, " (%s)", reason_names[r->reason]);
		str_putc(ret, '\n');
	}
}
