// SPDX-License-Identifier: BSD-2-Clause
/* What a trace has not, as its view, its profile or an option left it out. */
#include "report/view.h"
#include "report/head/lines.h"
#include "report/text/wording.h"

#include <string.h>

static const struct { __u32 group; const char *word, *key; } parts[] = {
	{ PYI_GROUP_STATEMENTS, "cached imports", "statements" },
	{ PYI_GROUP_CPU, "CPU time and waits", "cpu" },
	{ PYI_GROUP_FILES, "files", "files" },
	{ PYI_GROUP_MEMORY, "memory", "memory" },
	{ PYI_GROUP_NET, "network", "net" },
	{ PYI_GROUP_PHASES, "readiness", "phases" },
};

void recorded_words(__u32 groups, struct text_buf *buf)
{
	size_t cnt = 0, done = 0;

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		cnt += (groups & parts[i].group) != 0;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (groups & parts[i].group)
			text_buf__printf(buf, "%s%s", !done++ ? "" : done == cnt ? " and " : ", ",
					 parts[i].word);
}

const char *recorded_profile(__u32 groups, __u32 measured)
{
	return (groups | measured) & PYI_GROUP_STATEMENTS ? "full" : "standard";
}

__u32 recorded_lacks(const struct model *model)
{
	__u32 measured = model__measured(model), missing = 0;

	for (size_t i = 0; measured & MEASURED_TOLD && i < sizeof(parts) / sizeof(parts[0]); i++)
		missing |= measured & parts[i].group ? 0 : parts[i].group;
	return missing;
}

const char *recorded_key(size_t index, __u32 *group)
{
	if (index >= sizeof(parts) / sizeof(parts[0]))
		return NULL;
	*group = parts[index].group;
	return parts[index].key;
}

const char *recorded_name(const struct model *model)
{
	__u32 all = 0, lacks = recorded_lacks(model);

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		all |= parts[i].group;
	if (!(model__measured(model) & MEASURED_TOLD))
		return NULL;
	return !lacks ? "full" : lacks == PYI_GROUP_STATEMENTS ? "standard" :
	       lacks == all ? "loads" : NULL;
}

void recorded_foot(const struct view *view)
{
	__u32 measured = model__measured(view->model);
	__u32 missing = recorded_lacks(view->model), lacking;
	struct text_buf buf = { 0 };

	lacking = missing & view->uses;
	if (view->uses & USES_SOME_STATEMENTS)
		lacking |= missing & PYI_GROUP_STATEMENTS;
	if (!missing)
		return;
	text_buf__add(&buf, "Not recorded: ");
	recorded_words(lacking ? lacking : missing, &buf);
	if (lacking)
		text_buf__printf(&buf, ", which this view shows; --profile %s records that.",
				 recorded_profile(lacking, measured));
	else
		text_buf__add(&buf, "; --profile full records all.");
	put_para(view, 0, missing & view->uses ? TABLE_RED : TABLE_DIM, text_buf__str(&buf));
	text_buf__free(&buf);
}
