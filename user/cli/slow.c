// SPDX-License-Identifier: BSD-2-Clause
/*
 * See slow.h. Looks like
 *   pyimport-bpf: slow import: 312 ms pandas at app.py:12, inside app (pid 4711 python3, thread 4715)
 * Imports end from the inside out: an outer one comes after those that made it slow.
 */
#include "cli/slow.h"

#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "model/model.h"

static void add_place(struct text_buf *buf, const struct site *site)
{
	if (!site->file && !site->module)
		return;
	text_buf__add(buf, " at ");
	text_buf__escape(buf, site->file ? site->file : site->module, 0);
	if (site->line > 0)
		text_buf__printf(buf, ":%d", site->line);
}

/* Who waits for it: the module that imports it, unless that is the program itself. */
static void add_outer(struct text_buf *buf, const struct load *outer)
{
	if (!outer || !outer->module || !strcmp(outer->module, "__main__"))
		return;
	text_buf__add(buf, ", inside ");
	text_buf__escape(buf, outer->module, 0);
}

static void add_process(struct text_buf *buf, const struct load *load)
{
	const struct process *process = load->process;
	char comm[sizeof(process->comm) + 1] = "";

	memcpy(comm, process->comm, sizeof(process->comm));
	text_buf__printf(buf, " (pid %u", process->tgid);
	if (*comm)
		text_buf__add(buf, " ");
	text_buf__escape(buf, comm, 0);
	if (load->tid != process->tgid)
		text_buf__printf(buf, ", thread %u", load->tid);
	text_buf__add(buf, ")");
}

void slow_tell(struct model *model, __u64 slow_ns)
{
	struct text_buf buf = {};
	char num[TEXT_NUM_SZ];
	struct load load;

	if (!model__ended(model, &load) || load.wall_ns == NS_UNKNOWN || load.wall_ns < slow_ns)
		return;
	text_buf__printf(&buf, "slow import: %s ", text_ns(num, load.wall_ns));
	if (load.module)
		text_buf__escape(&buf, load.module, 0);
	else
		text_buf__add(&buf, "?");
	if (load.result == LOAD_FAILED)
		text_buf__add(&buf, " (failed)");
	add_place(&buf, &load.importer);
	add_outer(&buf, load.parent);
	add_process(&buf, &load);
	log_line("pyimport-bpf: %s", text_buf__str(&buf));
	text_buf__free(&buf);
}
