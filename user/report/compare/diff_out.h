/* SPDX-License-Identifier: BSD-2-Clause */
/* Private to the two writers of `diff`. */
#ifndef REPORT_COMPARE_DIFF_OUT_H
#define REPORT_COMPARE_DIFF_OUT_H

#include "model/compare/diff.h"
#include "report/view.h"

#define DIFF_DOUBT_CNT 10
extern const char *const diff_doubt_words[DIFF_DOUBT_CNT]; /* by bit of enum diff_doubt */

/* What one side has not recorded, as sentences; @put gets each. */
void diff_lacks(const struct view *view, const struct diff *diff,
		void (*put)(const struct view *view, const char *sentence));

/* Of each phase that either side has, those of the first side first. Returns how many. */
#define DIFF_PHASES_MAX (2 * PHASES_MAX)
struct diff_phase {
	const char *name;
	bool is_moment;            /* not how long it took, but when it came */
	__u64 before_ns, after_ns; /* NS_UNKNOWN: that side has none */
};
size_t diff_phases(const struct diff_pair *pair, struct diff_phase out[DIFF_PHASES_MAX]);

#endif
