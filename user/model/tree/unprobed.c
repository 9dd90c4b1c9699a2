// SPDX-License-Identifier: BSD-2-Clause
/*
 * What ran without being traced: interpreters that could not be probed, and processes whose
 * interpreter was already at work when its probes came. A trace with any of them is not complete.
 * And what had to wait for its probes. All told by whoever finds the programs.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "model/state/tap.h"
#include "model/tree/unprobed.h"

static const char *keep(struct model *model, const char *text)
{
	return text ? arena__intern(&model->arena, text, strlen(text)) : NULL;
}

/* A capture that is written as it goes tells of it more than once. @binary is interned. */
static bool is_known(const struct model *model, const char *binary)
{
	for (size_t i = 0; binary && i < model->unprobed_cnt; i++)
		if (model->unprobed[i].binary == binary)
			return true;
	return false;
}

int model__add_unprobed(struct model *model, const struct python_info *info)
{
	struct python_info *all, *copy;
	const char **notes = arena__alloc(&model->arena, (info->note_cnt + 1) * sizeof(*notes));

	tap_fact(model, FACT_UNPROBED, 0, info);
	if (!notes)
		return -ENOMEM;
	if (is_known(model, keep(model, info->binary)))
		return 0;
	all = reallocarray(model->unprobed, model->unprobed_cnt + 1, sizeof(*all));
	if (!all)
		return -ENOMEM;
	model->unprobed = all;
	for (size_t i = 0; i < info->note_cnt; i++)
		notes[i] = keep(model, info->notes[i]);
	copy = &all[model->unprobed_cnt++];
	*copy = *info;
	copy->version = keep(model, info->version);
	copy->implementation = keep(model, info->implementation);
	copy->binary = keep(model, info->binary);
	copy->notes = notes;
	return 0;
}

size_t model__unprobed_cnt(const struct model *model)
{
	return model->unprobed_cnt;
}

const struct python_info *model__unprobed(const struct model *model, size_t index)
{
	return index < model->unprobed_cnt ? &model->unprobed[index] : NULL;
}

void model__set_late_starts(struct model *model, __u64 cnt)
{
	tap_fact(model, FACT_LATE_STARTS, 0, &cnt);
	model->late_starts = cnt;
}

void model__set_unknown_starts(struct model *model, __u64 cnt)
{
	tap_fact(model, FACT_UNKNOWN_STARTS, 0, &cnt);
	model->unknown_starts = cnt;
}

__u64 model__unknown_starts(const struct model *model)
{
	return model->unknown_starts;
}

/* See init_importlib() and init_fs_encoding() in CPython's Python/pylifecycle.c. */
static bool is_first_of_all(const struct load *load)
{
	return load->module && (!strcmp(load->module, "_frozen_importlib") ||
				!strcmp(load->module, "encodings"));
}

bool process_has_begun_unseen(const struct process_state *state)
{
	const struct process *process = &state->process;

	if (!process->python || process->is_late || process->is_log || state->forked_from ||
	    process->exec_ns == NS_UNKNOWN)
		return false;
	for (size_t i = 0; i < process->load_cnt; i++)
		if (is_first_of_all(process->loads[i]))
			return false;
	return process->load_cnt > 0;
}

int model__add_hold(struct model *model, const struct hold_info *info)
{
	struct hold_info *holds;

	tap_fact(model, FACT_HOLD, 0, info);
	if (model->lean)
		return 0;
	holds = reallocarray(model->holds, model->hold_cnt + 1, sizeof(*holds));
	if (!holds)
		return -ENOMEM;
	model->holds = holds;
	holds[model->hold_cnt] = *info;
	holds[model->hold_cnt++].path = keep(model, info->path);
	return 0;
}

const struct hold_info *model__hold(const struct model *model, size_t index)
{
	return index < model->hold_cnt ? &model->holds[index] : NULL;
}

int model__set_unexamined(struct model *model, const struct unexamined_info *info)
{
	const char **paths = arena__alloc(&model->arena, (info->path_cnt + 1) * sizeof(*paths));

	tap_fact(model, FACT_UNEXAMINED, 0, info);
	if (!paths)
		return -ENOMEM;
	for (size_t i = 0; i < info->path_cnt; i++)
		paths[i] = keep(model, info->paths[i]);
	model->unexamined = *info;
	model->unexamined.paths = paths;
	return 0;
}

const struct unexamined_info *model__unexamined(const struct model *model)
{
	return &model->unexamined;
}

void model__set_held(struct model *model, const struct held_info *info)
{
	tap_fact(model, FACT_HELD, 0, info);
	model->held = *info;
	model->has_held = true;
}

const struct held_info *model__held(const struct model *model)
{
	return model->has_held ? &model->held : NULL;
}
