// SPDX-License-Identifier: BSD-2-Clause
/*
 * See slow.h. Looks like
 *   pyimport-bpf: slow import: 312 ms pandas at a.py:12, inside a (pid 4711 python3, thread 4715)
 * Imports end from the inside out, so an outer one comes after those that made it slow. One that
 * is slow only by what was told of already is left out, or a chain of packages would tell the same
 * time a dozen times; the outermost one, for which the program waits, is always told.
 */
#include "trace/slow.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "model/model.h"

static struct slow_open *find_open(struct slow *slow, __u32 id)
{
	for (size_t i = 0; i < SLOW_OPEN_MAX; i++)
		if (slow->opens[i].id == id)
			return &slow->opens[i];
	return NULL;
}

static void add_told(struct slow *slow, const struct load *outer, __u64 told_ns)
{
	struct slow_open *open = outer && told_ns ? find_open(slow, outer->id) : NULL;

	if (!outer || !told_ns)
		return;
	if (!open) {
		open = &slow->opens[slow->at++ % SLOW_OPEN_MAX];
		*open = (struct slow_open){ .id = outer->id };
	}
	open->told_ns += told_ns;
}

/* What was told of inside the load, which has ended; forgotten by this. */
static __u64 take_told(struct slow *slow, const struct load *load)
{
	struct slow_open *open = find_open(slow, load->id);
	__u64 told_ns = open ? open->told_ns : 0;

	if (open)
		*open = (struct slow_open){};
	return told_ns;
}

/* The program itself may be around it, but no other import. */
static bool is_outermost(const struct load *load)
{
	return !load->parent ||
	       (load->parent->module && !strcmp(load->parent->module, "__main__"));
}

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

static void tell(const struct load *load)
{
	struct text_buf buf = {};
	char num[TEXT_NUM_SZ];

	text_buf__printf(&buf, "slow import: %s ", text_ns(num, load->wall_ns));
	if (load->module)
		text_buf__escape(&buf, load->module, 0);
	else
		text_buf__add(&buf, "?");
	if (load->result == LOAD_FAILED)
		text_buf__add(&buf, " (failed)");
	add_place(&buf, &load->importer);
	add_outer(&buf, load->parent);
	add_process(&buf, load);
	log_line("pyimport-bpf: %s", text_buf__str(&buf));
	text_buf__free(&buf);
}

void slow_tell(struct slow *slow, struct model *model, __u64 slow_ns)
{
	struct load load;
	__u64 told_ns;

	if (!model__ended(model, &load) || load.wall_ns == NS_UNKNOWN || load.wall_ns < slow_ns)
		return;
	told_ns = take_told(slow, &load);
	if (is_outermost(&load) || told_ns > load.wall_ns || load.wall_ns - told_ns >= slow_ns) {
		tell(&load);
		told_ns = load.wall_ns;
	}
	add_told(slow, load.parent, told_ns);
}
