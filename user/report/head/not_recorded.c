// SPDX-License-Identifier: BSD-2-Clause
/* What a trace has not, as its view, its profile or an option left it out. */
#include "report/view.h"
#include "report/head/lines.h"
#include "report/text/wording.h"

#include <string.h>

static const struct { __u32 group; const char *word; } parts[] = {
	{ PYI_GROUP_STATEMENTS, "cached imports" },
	{ PYI_GROUP_CPU, "CPU time and waits" },
	{ PYI_GROUP_FILES, "files" },
	{ PYI_GROUP_MEMORY, "memory" },
	{ PYI_GROUP_NET, "network" },
	{ PYI_GROUP_PHASES, "readiness" },
};

static void add_parts(__u32 groups, struct text_buf *buf)
{
	size_t cnt = 0, done = 0;

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		cnt += (groups & parts[i].group) != 0;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (groups & parts[i].group)
			text_buf__printf(buf, "%s%s", !done++ ? "" : done == cnt ? " and " : ", ",
					 parts[i].word);
}

static const char *profile_with(__u32 groups, __u32 measured)
{
	return (groups | measured) & PYI_GROUP_STATEMENTS ? "full" : "standard";
}

void recorded_foot(const struct view *view)
{
	__u32 measured = model__measured(view->model), missing = 0, lacking;
	struct text_buf buf = { 0 };

	if (!(measured & MEASURED_TOLD))
		return;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		missing |= measured & parts[i].group ? 0 : parts[i].group;
	lacking = missing & view->uses;
	if (view->uses & USES_SOME_STATEMENTS)
		lacking |= missing & PYI_GROUP_STATEMENTS;
	if (!missing)
		return;
	text_buf__add(&buf, "Not recorded: ");
	add_parts(lacking ? lacking : missing, &buf);
	if (lacking)
		text_buf__printf(&buf, ", which this view shows; --profile %s records that.",
				 profile_with(lacking, measured));
	else
		text_buf__add(&buf, "; --profile full records all.");
	put_para(view, 0, missing & view->uses ? TABLE_RED : TABLE_DIM, text_buf__str(&buf));
	text_buf__free(&buf);
}
