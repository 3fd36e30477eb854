/*
 * tsv.h - autoresearch's results.tsv: commit, metric, memory_gb, status, description; tab separated, one line a number.
 * The format has three words for what happened: keep, discard and crash, and readers take the number of a keep or a discard for a
 * measurement. So whatever yielded none is a crash with zeros, its reason behind the description where it is another.
 */
#ifndef REPORT_TSV_H
#define REPORT_TSV_H

#include "report/outline.h"

void report_tsv(const struct outline *o, struct str *ret);

#endif
