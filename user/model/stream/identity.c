// SPDX-License-Identifier: BSD-2-Clause
/* Where a process belongs: cgroup, systemd unit, container. A fork stays where its parent is. */
#include <string.h>

#include "model/state/text.h"
#include "model/stream/identity.h"

void identity_set(struct model *model, struct process *process, const struct process_info *info)
{
	if (info->unit)
		process->unit = model_keep(model, info->unit);
	if (info->container.id)
		process->container = (struct container_info){
			.id = model_keep(model, info->container.id),
			.name = model_keep(model, info->container.name),
			.runtime = model_keep(model, info->container.runtime),
			.image = model_keep(model, info->container.image),
		};
	if (!process->nspid)
		process->nspid = info->nspid;
	if (!process->ppid)
		process->ppid = info->ppid;
}

/* Parents come before their children. */
void identity_inherit(struct model *model)
{
	for (size_t i = 0; i < model->process_cnt; i++) {
		struct process *process = model->processes[i], *parent = process->parent;

		/* An exec has a record of its own, so that only forks lack one. */
		if (process->cgroup || !parent || process->exec_ns != NS_UNKNOWN)
			continue;
		process->cgroup = parent->cgroup;
		process->unit = parent->unit;
		process->container = parent->container;
	}
}
