// SPDX-License-Identifier: BSD-2-Clause
/* See importtime_model.h. */
#include "model/tape/importtime_model.h"

#include <errno.h>

#include "event/importtime.h"
#include "model/model.h"

#define NOTES_MAX 3
#define NOTE_SZ 200

static int on_record(void *ctx, const void *record, size_t size)
{
	return model__apply(ctx, record, size);
}

/* All processes of a log have layout 0, as no record says otherwise. */
static int add_notes(struct model *model, const struct importtime_result *result)
{
	char texts[NOTES_MAX][NOTE_SZ];
	const char *notes[NOTES_MAX];
	struct python_info info = { .notes = notes };

	snprintf(texts[info.note_cnt++], NOTE_SZ,
		 "from a log of -X importtime, which has no start times (imports are shown one after another), no importers, no failures, and no line for import_module()");
	if (result->negative_cnt)
		snprintf(texts[info.note_cnt++], NOTE_SZ,
			 "%llu self times are below zero in the log: threads imported at once, and it mixes them up",
			 result->negative_cnt);
	if (result->orphan_cnt)
		snprintf(texts[info.note_cnt++], NOTE_SZ,
			 "%llu lines are indented below a line that is not there",
			 result->orphan_cnt);
	for (size_t i = 0; i < info.note_cnt; i++)
		notes[i] = texts[i];
	return model__set_python_info(model, 0, &info);
}

int log_play(FILE *in, struct model *model, struct importtime_result *result)
{
	int err = importtime_read(in, on_record, model, result);

	if (!err && !result->import_cnt && !result->cached_cnt)
		err = -ENOENT;
	if (!err)
		err = add_notes(model, result);
	return err ? err : model__finish(model, 0);
}
