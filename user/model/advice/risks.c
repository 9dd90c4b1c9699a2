// SPDX-License-Identifier: BSD-2-Clause
/* Risks: from files, connections and effects of a process to one entry per import and kind. */
#include "model/advice/risks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/state.h"

/* The program's own body is not deferred, and what a parent process did is not ours to judge. */
static bool is_import(const struct load *load)
{
	return load && load->via != VIA_MAIN && !load->is_inherited;
}

static int add(struct risks *risks, enum risk_kind kind, const struct load *load, __u32 cnt,
	       const char *what, __u64 signals)
{
	struct risk *risk;
	int err;

	if (!cnt)
		return 0;
	risk = malloc(sizeof(*risk));
	if (!risk)
		return -ENOMEM;
	*risk = (struct risk){ kind, load, cnt, what, signals };
	err = array_push(&risks->all, &risks->cnt, &risks->cap, risk);
	if (err)
		free(risk);
	return err;
}

static int add_effects(struct risks *risks, const struct process_net *net)
{
	int err = 0;

	for (size_t i = 0; i < net->effect_cnt && !err; i++) {
		const struct effect *it = net->effects[i];

		if (!is_import(it->load))
			continue;
		err = add(risks, RISK_THREADS, it->load, it->threads, NULL, 0);
		if (!err)
			err = add(risks, RISK_CHILDREN, it->load, it->children, NULL, 0);
		if (!err)
			err = add(risks, RISK_SIGNALS, it->load,
				  (__u32)__builtin_popcountll(it->signals), NULL, it->signals);
	}
	return err;
}

/* Failed at once, with nobody reached: nobody can miss it. */
static bool is_used(const struct net_use *use)
{
	return is_import(use->load) && use->kind != PYI_NET_ACCEPT &&
	       (!use->error || use->sent || use->blocked_ns) &&
	       !(use->error && use->address && use->address[0] == 'u');
}

static int add_uses(struct risks *risks, const struct process_net *net)
{
	int err = 0;

	for (size_t i = 0; i < net->cnt && !err; i++) {
		const struct net_use *use = net->uses[i];

		if (is_used(use))
			err = add(risks, use->kind == PYI_NET_LISTEN ? RISK_LISTEN : RISK_NETWORK,
				  use->load, 1, use->name ? use->name : use->address, 0);
	}
	return err;
}

/* Of the program, not of the interpreter. */
static bool is_written(const struct file *file)
{
	return is_import(file->load) && file->path && file->io.flags & PYI_FILE_WRITTEN &&
	       file->io.flags & PYI_FILE_REGULAR && !strstr(file->path, ".pyc");
}

static int add_files(struct risks *risks, const struct process_files *files)
{
	int err = 0;

	for (size_t i = 0; i < files->cnt && !err; i++)
		if (is_written(files->files[i]))
			err = add(risks, RISK_FILES, files->files[i]->load, 1,
				  files->files[i]->path, 0);
	return err;
}

static int cmp(const void *a, const void *b)
{
	const struct risk *x = *(struct risk *const *)a, *y = *(struct risk *const *)b;

	if (x->load != y->load)
		return x->load->seq < y->load->seq ? -1 : 1;
	if (x->kind != y->kind)
		return (int)x->kind - (int)y->kind;
	return strcmp(x->what ? x->what : "", y->what ? y->what : "");
}

/* Of each import and kind one is kept, the others are counted in it. */
static void merge(struct risks *risks)
{
	size_t kept = 0;

	for (size_t i = 1; i < risks->cnt; i++) {
		struct risk *to = risks->all[kept], *it = risks->all[i];

		if (to->load == it->load && to->kind == it->kind) {
			to->cnt += it->cnt;
			if (!to->what)
				to->what = it->what;
			free(it);
		} else {
			risks->all[++kept] = it;
		}
	}
	risks->cnt = kept + 1;
}

int risks_find(const struct process *process, struct risks *out)
{
	int err = add_effects(out, &process->net);

	if (!err)
		err = add_uses(out, &process->net);
	if (!err)
		err = add_files(out, &process->files);
	if (err || !out->cnt)
		return err;
	qsort(out->all, out->cnt, sizeof(*out->all), cmp);
	merge(out);
	return 0;
}

void risks_free(struct risks *risks)
{
	for (size_t i = 0; i < risks->cnt; i++)
		free(risks->all[i]);
	free(risks->all);
	*risks = (struct risks){};
}
