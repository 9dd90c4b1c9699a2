// SPDX-License-Identifier: BSD-2-Clause
/* The list of findings, and whose file a finding may be about. */
#include "model/advice/advice_more.h"

#include <stdlib.h>
#include <string.h>

bool file_is_own(const char *file)
{
	const char *lib;

	if (!file || !strncmp(file, "<frozen", 7) || strstr(file, "/site-packages/") ||
	    strstr(file, "/dist-packages/"))
		return false;
	lib = strstr(file, "/lib/python");
	return !lib || !(lib[11] >= '2' && lib[11] <= '9');
}

struct finding *advice_add(struct advice *advice)
{
	struct finding *findings = advice->findings;

	if (advice->finding_cnt == advice->finding_cap) {
		size_t cap = advice->finding_cap ? 2 * advice->finding_cap : 16;

		findings = reallocarray(findings, cap, sizeof(*findings));
		if (!findings)
			return NULL;
		advice->findings = findings;
		advice->finding_cap = cap;
	}
	findings[advice->finding_cnt] = (struct finding){ .confidence = CONFIDENCE_HIGH };
	return &findings[advice->finding_cnt++];
}
