// SPDX-License-Identifier: BSD-2-Clause
/* Which process of one trace is which of the other, and what speaks against comparing them. */
#include "model/compare/diff.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/state.h"

#define CACHE_MIN_BYTES (1u << 20)

/* Processes of one side that wait for their counterpart: same arguments, in order. */
struct waiting {
	char *key;
	const struct process **processes;
	size_t cnt, cap, taken;
	UT_hash_handle hh;
};

static bool is_compared(const struct process *process)
{
	/* An image that was replaced while it started is a part of the next one. */
	return !process->next &&
	       (process->is_python || process->load_cnt || process->edge_cnt);
}

/* Its arguments without the program's own name: another Python may run the same. */
static char *make_key(const struct process *process)
{
	size_t size = 1, at = 0;
	char *key;

	for (size_t i = 1; i < process->argc; i++)
		size += strlen(process->argv[i]) + 1;
	key = malloc(size);
	for (size_t i = 1; key && i < process->argc; i++) {
		size_t len = strlen(process->argv[i]);

		memcpy(key + at, process->argv[i], len);
		at += len;
		key[at++] = '\n';
	}
	if (key)
		key[at] = '\0';
	return key;
}

static void free_waiting(struct waiting **table)
{
	struct waiting *entry, *next;

	HASH_ITER(hh, *table, entry, next) {
		HASH_DEL(*table, entry);
		free(entry->processes);
		free(entry->key);
		free(entry);
	}
}

static int wait_for(struct waiting **table, const struct process *process)
{
	char *key = make_key(process);
	struct waiting *entry;

	if (!key)
		return -ENOMEM;
	HASH_FIND_STR(*table, key, entry);
	if (entry) {
		free(key);
	} else {
		entry = calloc(1, sizeof(*entry));
		if (!entry) {
			free(key);
			return -ENOMEM;
		}
		entry->key = key;
		HASH_ADD_KEYPTR(hh, *table, entry->key, strlen(entry->key), entry);
	}
	return array_push(&entry->processes, &entry->cnt, &entry->cap, (void *)process);
}

static int find_waiting(struct waiting *table, const struct process *process,
			const struct process **out)
{
	char *key = make_key(process);
	struct waiting *entry;

	if (!key)
		return -ENOMEM;
	HASH_FIND_STR(table, key, entry);
	free(key);
	*out = entry && entry->taken < entry->cnt ? entry->processes[entry->taken++] : NULL;
	return 0;
}

static bool is_other(const char *a, const char *b)
{
	return a && b && strcmp(a, b) != 0;
}

static bool has_compiled(const struct process *process)
{
	size_t source = 0, bytecode = 0;

	for (size_t i = 0; i < process->load_cnt; i++) {
		source += process->loads[i]->kind == KIND_SOURCE;
		bytecode += process->loads[i]->kind == KIND_BYTECODE;
	}
	return source > 5 && source > bytecode;
}

/* A file that is new on one side must be read from disk once: that alone is no cold start. */
static bool is_other_cache(__u64 a_bytes, __u64 b_bytes)
{
	__u64 large = a_bytes > b_bytes ? a_bytes : b_bytes;

	return large - (a_bytes > b_bytes ? b_bytes : a_bytes) > CACHE_MIN_BYTES + large / 2;
}

static __u32 pair_doubts(const struct process *a, const struct process *b)
{
	const struct python_info *x = a->python, *y = b->python;
	__u32 doubts = 0;

	if (x && y && (is_other(x->version, y->version) ||
		       is_other(x->implementation, y->implementation) ||
		       x->free_threaded != y->free_threaded))
		doubts |= DIFF_OTHER_PYTHON;
	if (a->measured & b->measured & PYI_GROUP_DISK &&
	    is_other_cache(a->total.bytes_from_disk, b->total.bytes_from_disk))
		doubts |= DIFF_OTHER_CACHE;
	if (has_compiled(a) != has_compiled(b))
		doubts |= DIFF_OTHER_COMPILE;
	if (a->is_log != b->is_log)
		doubts |= DIFF_LOG;
	else if (a->is_late != b->is_late)
		doubts |= DIFF_LATE;
	return doubts;
}

static __u32 host_doubts(const struct model *before, const struct model *after)
{
	const struct host_info *a = model__host(before), *b = model__host(after);
	__u32 doubts = 0;

	if (is_other(a->hostname, b->hostname))
		doubts |= DIFF_OTHER_HOST;
	if (is_other(a->kernel, b->kernel))
		doubts |= DIFF_OTHER_KERNEL;
	if (is_other(a->arch, b->arch))
		doubts |= DIFF_OTHER_ARCH;
	if (a->cpu_cnt && b->cpu_cnt && a->cpu_cnt != b->cpu_cnt)
		doubts |= DIFF_OTHER_CPUS;
	/* A log is never complete, and says so itself. */
	if ((model__stats(before) && !model__is_complete(before)) ||
	    (model__stats(after) && !model__is_complete(after)) || model__is_cut(before) ||
	    model__is_cut(after))
		doubts |= DIFF_INCOMPLETE;
	return doubts;
}

static int add_pair(struct diff *diff, const struct process *before, const struct process *after)
{
	struct diff_pair *pairs = reallocarray(diff->pairs, diff->pair_cnt + 1, sizeof(*pairs));
	struct diff_pair *pair;

	if (!pairs)
		return -ENOMEM;
	diff->pairs = pairs;
	pair = &pairs[diff->pair_cnt++];
	*pair = (struct diff_pair){ .before = before, .after = after };
	pair->doubts = pair_doubts(before, after);
	return diff_modules(pair) ?: diff_paths(pair);
}

static int add_single(const struct process ***list, size_t *cnt, const struct process *process)
{
	const struct process **grown = reallocarray(*list, *cnt + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	*list = grown;
	grown[(*cnt)++] = process;
	return 0;
}

/* What is left of @table goes to @list, in the order of the trace. */
static int leave(const struct model *model, struct waiting *table, const struct process ***list,
		 size_t *cnt)
{
	const struct process *found;
	int err = 0;

	for (size_t i = 0; i < model__process_cnt(model) && !err; i++) {
		const struct process *process = model__process(model, i);

		if (!is_compared(process))
			continue;
		/* Of the same key, the first `taken` ones have their counterpart. */
		err = find_waiting(table, process, &found);
		if (!err && found)
			err = add_single(list, cnt, found);
	}
	return err;
}

static int pair_all(struct diff *diff, struct waiting **table)
{
	const struct process *process, *other;
	int err = 0;

	for (size_t i = 0; i < model__process_cnt(diff->before) && !err; i++) {
		process = model__process(diff->before, i);
		if (is_compared(process))
			err = wait_for(table, process);
	}
	for (size_t i = 0; i < model__process_cnt(diff->after) && !err; i++) {
		process = model__process(diff->after, i);
		if (!is_compared(process))
			continue;
		err = find_waiting(*table, process, &other);
		if (!err)
			err = other ? add_pair(diff, other, process) :
				      add_single(&diff->only_after, &diff->only_after_cnt, process);
	}
	return err ?: leave(diff->before, *table, &diff->only_before, &diff->only_before_cnt);
}

static const struct process *take_first(const struct process **list, size_t *cnt)
{
	const struct process *first = list[0];

	memmove(list, list + 1, --*cnt * sizeof(*list));
	return first;
}

/* Whatever they are called, the programs that began the two traces are what is to be compared. */
static int pair_rest(struct diff *diff)
{
	const struct process *before, *after;

	if (diff->pair_cnt || !diff->only_before_cnt || !diff->only_after_cnt)
		return 0;
	before = take_first(diff->only_before, &diff->only_before_cnt);
	after = take_first(diff->only_after, &diff->only_after_cnt);
	return add_pair(diff, before, after);
}

int diff__new(const struct model *before, const struct model *after, struct diff **out)
{
	struct diff *diff = calloc(1, sizeof(*diff));
	struct waiting *table = NULL;
	int err;

	if (!diff)
		return -ENOMEM;
	diff->before = before;
	diff->after = after;
	diff->doubts = host_doubts(before, after);
	err = pair_all(diff, &table) ?: pair_rest(diff);
	free_waiting(&table);
	if (err) {
		diff__free(diff);
		return err;
	}
	*out = diff;
	return 0;
}

void diff__free(struct diff *diff)
{
	if (!diff)
		return;
	for (size_t i = 0; i < diff->pair_cnt; i++) {
		free(diff->pairs[i].modules);
		free(diff->pairs[i].came);
		free(diff->pairs[i].went);
		free(diff->pairs[i].libs);
		free(diff->pairs[i].files);
	}
	free(diff->pairs);
	free(diff->only_before);
	free(diff->only_after);
	free(diff);
}

void diff__freep(struct diff **diff)
{
	diff__free(*diff);
}
