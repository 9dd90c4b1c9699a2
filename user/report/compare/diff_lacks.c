// SPDX-License-Identifier: BSD-2-Clause
/* What two traces cannot be compared by, as it was not recorded. */
#include "report/compare/diff_out.h"
#include "report/head/lines.h"

static void tell(const struct view *view, const char *which, __u32 groups, __u32 measured,
		 void (*put)(const struct view *view, const char *sentence))
{
	struct text_buf buf = { 0 };

	if (!groups)
		return;
	text_buf__printf(&buf, "Not recorded in %s: ", which);
	recorded_words(groups, &buf);
	text_buf__printf(&buf, ", so not compared; --profile %s records that.",
			 recorded_profile(groups, measured));
	put(view, text_buf__str(&buf));
	text_buf__free(&buf);
}

void diff_lacks(const struct view *view, const struct diff *diff,
		void (*put)(const struct view *view, const char *sentence))
{
	__u32 before = recorded_lacks(diff->before) & ~PYI_GROUP_NET;
	__u32 after = recorded_lacks(diff->after) & ~PYI_GROUP_NET; /* nor is it compared */
	__u32 measured = model__measured(diff->before) | model__measured(diff->after);

	tell(view, "either trace", before & after, measured, put);
	tell(view, "the first trace", before & ~after, measured, put);
	tell(view, "the second trace", after & ~before, measured, put);
}
