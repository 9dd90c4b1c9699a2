// SPDX-License-Identifier: BSD-2-Clause
/* See lazy_names.h. */
#include "model/tree/lazy_names.h"

#include <stdlib.h>
#include <string.h>

#include "model/state/module_names.h"
#include "model/tree/load_result.h"

static bool is_same_site(const struct site *x, const struct site *y)
{
	return x->file == y->file && x->module == y->module && x->line == y->line;
}

/* Equal ones behind one another. Module names are interned. */
static int cmp_module(const void *a, const void *b)
{
	const struct lazy_name *x = *(struct lazy_name *const *)a;
	const struct lazy_name *y = *(struct lazy_name *const *)b;

	if (x->module != y->module)
		return x->module < y->module ? -1 : 1;
	if (x->declared.file != y->declared.file)
		return x->declared.file < y->declared.file ? -1 : 1;
	if (x->declared.line != y->declared.line)
		return x->declared.line < y->declared.line ? -1 : 1;
	return x->seq < y->seq ? -1 : x->seq > y->seq;
}

static int cmp_seq(const void *a, const void *b)
{
	const struct lazy_name *x = *(struct lazy_name *const *)a;
	const struct lazy_name *y = *(struct lazy_name *const *)b;

	return x->seq < y->seq ? -1 : x->seq > y->seq;
}

/* The first of process->lazies, sorted by module, that is of @module or comes behind. */
static size_t find_first(const struct process *process, const char *module)
{
	size_t low = 0, high = process->lazy_cnt;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (process->lazies[middle]->module < module)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void note_load(struct process *process, const struct load *load)
{
	for (size_t i = find_first(process, load->module);
	     i < process->lazy_cnt && process->lazies[i]->module == load->module; i++) {
		struct lazy_name *lazy = process->lazies[i];

		if (!lazy->load || (load->declared && !lazy->load->declared &&
				    is_same_site(load->declared, &lazy->declared)))
			lazy->load = load;
	}
}

void lazy_names_finish(struct process_state *state)
{
	struct process *process = &state->process;
	bool is_known = true;
	size_t cnt = 0;

	if (!process->lazy_cnt)
		return;
	for (const struct process_state *one = state; one; one = one->forked_from)
		is_known &= !one->process.is_late; /* what it had loaded by then was not seen */
	qsort(process->lazies, process->lazy_cnt, sizeof(*process->lazies), cmp_module);
	for (size_t i = 0; i < process->lazy_cnt; i++) {
		const struct lazy_name *last = cnt ? process->lazies[cnt - 1] : NULL;
		struct lazy_name *lazy = process->lazies[i];

		if (last && last->module == lazy->module &&
		    is_same_site(&last->declared, &lazy->declared))
			continue;
		/* These two are made before anything is imported. */
		lazy->is_never = is_known && strcmp(lazy->module, "sys") != 0 &&
				 strcmp(lazy->module, "builtins") != 0 &&
				 !module_was_loaded(state, lazy->module);
		process->lazies[cnt++] = lazy;
	}
	process->lazy_cnt = cnt;
	for (size_t i = 0; i < process->load_cnt; i++)
		note_load(process, process->loads[i]);
	for (size_t i = 0; i < cnt; i++)
		process->lazies[i]->is_never &= !process->lazies[i]->load;
	qsort(process->lazies, cnt, sizeof(*process->lazies), cmp_seq);
}

void lazy_join(struct model *model, struct process_state *state)
{
	for (size_t i = 0; i < state->process.load_cnt; i++) {
		struct load_state *load = (struct load_state *)state->process.loads[i];
		struct module_name *name = load->load.module && !load->load.is_inherited &&
			!load->drop ? name_find(state, load->load.module) : NULL;

		if (!name)
			continue;
		if (load_is_lazy_find(model, load)) {
			name->lazy = load;
		} else if (name->lazy && load_is_lazy_run(model, load)) {
			load->load.found = &name->lazy->load;
			name->lazy->drop = DROP_FOUND;
			name->lazy->runs = load;
			name->lazy = NULL;
		}
	}
}
