// SPDX-License-Identifier: BSD-2-Clause
/* What a reader asks the model. */
#include "model/state.h"

size_t model__process_cnt(const struct model *model)
{
	return model->process_cnt;
}

struct process *model__process(const struct model *model, size_t index)
{
	return index < model->process_cnt ? model->processes[index] : NULL;
}

const struct pyi_stats *model__stats(const struct model *model)
{
	return model->has_stats ? &model->stats : NULL;
}

const struct host_info *model__host(const struct model *model)
{
	return &model->host;
}

__u64 model__malformed(const struct model *model)
{
	return model->malformed;
}

__u64 model__truncated(const struct model *model)
{
	return model->truncated;
}

/* Those that were told of, and those that can be told from their imports, are partly the same. */
__u64 model__late_starts(const struct model *model)
{
	return model->late_starts > model->begun_unseen_cnt ? model->late_starts :
							      model->begun_unseen_cnt;
}

bool model__is_complete(const struct model *model)
{
	const __u64 *counters = (const __u64 *)&model->stats;
	__u64 lost = model->malformed | model->unprobed_cnt | model__late_starts(model) |
		     model->unknown_starts | model->unexamined.cnt;

	for (size_t i = 0; i < sizeof(model->stats) / sizeof(*counters); i++)
		if (i < PYI_STATS_FACTS || i >= PYI_STATS_FACTS_END)
			lost |= counters[i];
	return model->has_stats && !model->is_cut && !lost;
}

void model__progress(const struct model *model, size_t *processes, size_t *loads,
		     const char **current)
{
	*current = model->current;
	if (model->lean) {
		model->lean_ops->progress(model, processes, loads);
		return;
	}
	*processes = 0;
	for (size_t i = 0; i < model->process_cnt; i++)
		*processes += model->processes[i]->is_python;
	*loads = model->load_cnt;
}
