/*
 * harness.yaml from anyone: parsed or refused with a place, never a crash; what is parsed equals itself and can be freed.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "policy/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct policy *a = NULL, *b = NULL;
	struct strs metrics = { 0 };
	struct err err = { 0 };

	if (policy_parse("p", (const char *)data, size, &a, &err) < 0) {
		if (a || err.code != ERR_INVALID || strncmp(err.msg, "p:", 2) != 0)
			abort();
		return 0;
	}
	if (policy_parse("p", (const char *)data, size, &b, &err) < 0 || policy_compare(a, b) != 0)
		abort();
	policy_metrics(a, &metrics);
	if (metrics.n == 0 || (a->budget.experiments < 0 && a->budget.wall < 0))
		abort();
	strs_free(&metrics);
	policy_free(a);
	policy_free(b);
	return 0;
}
