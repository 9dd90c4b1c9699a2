// SPDX-License-Identifier: BSD-2-Clause
/*
 * Processes among each other: what the own imports of a forked one cost, and which processes did
 * the same, so that a report can show the workers of a server as one.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "model/tree/workers.h"

/* What identifies a group while it is sought. */
struct sought {
	struct group_state *groups; /* by hash; several may share one */
	struct name *names;         /* of the process looked at */
	size_t name_cnt;
};

/* A load of a process as far as it must be equal in all members. Texts are interned. */
struct name {
	const char *module;
	__u64 result; /* no padding: compared as bytes */
};

struct group_state {
	struct group group;
	__u64 hash;
	struct name *names; /* sorted; owned */
	size_t name_cnt;
	const struct process *first;
	struct group_state *next; /* same hash */
	UT_hash_handle hh;
};

bool load_is_outermost(const struct load *load)
{
	const struct load *above = load->parent;

	if (load->via == VIA_MAIN || load->is_inherited)
		return false;
	while (above && (above->via == VIA_MAIN || above->is_inherited))
		above = above->parent;
	return !above;
}

/* Of imports that never ended nothing is known; of a process without imports: 0. */
static void find_own(struct process *process)
{
	bool is_known = true;

	process->own_ns = process->own_measured_ns = 0;
	for (size_t i = 0; i < process->load_cnt; i++) {
		const struct load *load = process->loads[i];

		if (!load_is_outermost(load))
			continue;
		if (load->wall_ns == NS_UNKNOWN) {
			is_known = false;
			continue;
		}
		process->own_ns += load->wall_ns;
		process->own_measured_ns += load_as_measured_ns(load, load->wall_ns,
								load->overhead_total_ns);
	}
	if (!process->own_ns && !is_known)
		process->own_ns = process->own_measured_ns = NS_UNKNOWN;
}

static int cmp_names(const void *a, const void *b)
{
	const struct name *x = a, *y = b;

	if (x->module != y->module)
		return (uintptr_t)x->module < (uintptr_t)y->module ? -1 : 1;
	return x->result < y->result ? -1 : x->result > y->result;
}

static int collect_names(struct sought *sought, const struct process *process)
{
	size_t cnt = 0;

	sought->names = calloc(process->load_cnt + 1, sizeof(*sought->names));
	if (!sought->names)
		return -ENOMEM;
	for (size_t i = 0; i < process->load_cnt; i++) {
		const struct load *load = process->loads[i];

		if (!load->is_inherited)
			sought->names[cnt++] = (struct name){ load->module, load->result };
	}
	qsort(sought->names, cnt, sizeof(*sought->names), cmp_names);
	sought->name_cnt = cnt;
	return 0;
}

static __u64 mix(__u64 hash, __u64 value)
{
	hash = (hash ^ value) * 0x9e3779b97f4a7c15u;
	return hash ^ hash >> 29;
}

static const char *main_file(const struct process *process)
{
	const struct process_state *state = (const struct process_state *)process;

	return state->main && !state->main->load.is_inherited ? state->main->load.file : NULL;
}

/* How it ended, where that is worth a row of its own: running and 0 are alike. */
static int ending(const struct process *process)
{
	return process->has_exit ? process->exit_signal << 8 | process->exit_code : 0;
}

static __u64 hash_of(const struct sought *sought, const struct process *process,
		     const struct group *above)
{
	__u64 hash = mix(0, (uintptr_t)above);

	hash = mix(hash, above ? 0 : process->ppid);
	hash = mix(hash, process->is_python ? process->layout : ~0u);
	hash = mix(hash, (uintptr_t)main_file(process));
	hash = mix(hash, process->argc);
	hash = mix(hash, (__u64)ending(process) << 2 | process->is_late << 1 |
			 (process->exec_ns != NS_UNKNOWN));
	for (size_t i = 0; i < sought->name_cnt; i++)
		hash = mix(hash, (uintptr_t)sought->names[i].module ^ sought->names[i].result);
	return hash;
}

/* The same text, numbers aside: descriptors and shards differ between workers. */
static bool is_alike(const char *a, const char *b)
{
	for (; *a && *b; a++, b++) {
		if (isdigit((unsigned char)*a) && isdigit((unsigned char)*b)) {
			a += strspn(a, "0123456789") - 1;
			b += strspn(b, "0123456789") - 1;
		} else if (*a != *b) {
			return false;
		}
	}
	return *a == *b;
}

static bool has_same_args(const struct process *a, const struct process *b)
{
	if (a->argc != b->argc)
		return false;
	if (a->argv == b->argv)
		return true;
	for (size_t i = 0; i < a->argc; i++)
		if (!is_alike(a->argv[i], b->argv[i]))
			return false;
	return true;
}

/* Not by `exe`: of a short-lived process it may be the name called, not what that led to. */
static bool has_same_program(const struct process *a, const struct process *b)
{
	return a->is_python == b->is_python && (!a->is_python || a->layout == b->layout);
}

static bool is_member(const struct group_state *state, const struct sought *sought,
		      const struct process *process, const struct group *above)
{
	const struct process *first = state->first;

	return state->group.parent == above && (above || first->ppid == process->ppid) &&
	       has_same_program(first, process) && main_file(first) == main_file(process) &&
	       first->is_late == process->is_late && ending(first) == ending(process) &&
	       (first->exec_ns == NS_UNKNOWN) == (process->exec_ns == NS_UNKNOWN) &&
	       state->name_cnt == sought->name_cnt &&
	       !memcmp(state->names, sought->names, sought->name_cnt * sizeof(*sought->names)) &&
	       has_same_args(first, process);
}

static struct group_state *group_new(struct model *model, struct sought *sought,
				     const struct process *first, struct group *above, __u64 hash)
{
	struct group_state *state = calloc(1, sizeof(*state)), *head;

	if (!state || array_push(&model->groups, &model->group_cnt, &model->group_cap,
				 &state->group)) {
		free(state);
		return NULL;
	}
	state->group.id = model->group_cnt;
	state->group.parent = above;
	state->first = first;
	state->hash = hash;
	state->names = TAKE_PTR(sought->names);
	state->name_cnt = sought->name_cnt;
	HASH_FIND(hh, sought->groups, &hash, sizeof(hash), head);
	if (head) {
		state->next = head->next;
		head->next = state;
	} else {
		HASH_ADD(hh, sought->groups, hash, sizeof(state->hash), state);
	}
	return state;
}

static int group_join(struct model *model, struct sought *sought, struct process *process)
{
	struct group *above = process->parent ? process->parent->group : NULL;
	struct group_state *state;
	__u64 hash;

	if (collect_names(sought, process))
		return -ENOMEM;
	hash = hash_of(sought, process, above);
	HASH_FIND(hh, sought->groups, &hash, sizeof(hash), state);
	while (state && !is_member(state, sought, process, above))
		state = state->next;
	if (!state)
		state = group_new(model, sought, process, above, hash);
	free(sought->names);
	sought->names = NULL;
	if (!state)
		return -ENOMEM;
	process->group = &state->group;
	return array_push(&state->group.members, &state->group.member_cnt,
			  &state->group.member_cap, process);
}

static int cmp_own(const void *a, const void *b)
{
	const struct process *x = *(struct process *const *)a, *y = *(struct process *const *)b;

	if (x->own_measured_ns != y->own_measured_ns)
		return x->own_measured_ns < y->own_measured_ns ? -1 : 1;
	if (x->start_ns != y->start_ns)
		return x->start_ns < y->start_ns ? -1 : 1;
	return x->serial < y->serial ? -1 : x->serial > y->serial;
}

static void settle_group(struct group *group)
{
	size_t known_cnt = 0;

	qsort(group->members, group->member_cnt, sizeof(*group->members), cmp_own);
	while (known_cnt < group->member_cnt &&
	       group->members[known_cnt]->own_measured_ns != NS_UNKNOWN)
		known_cnt++;
	group->typical = group->members[known_cnt ? (known_cnt - 1) / 2 : 0];
}

/* Processes come by start: parents, where they were seen at all, before their children. */
int groups_finish(struct model *model)
{
	struct sought sought = {};
	int err = 0;

	for (size_t i = 0; !err && i < model->process_cnt; i++) {
		find_own(model->processes[i]);
		err = group_join(model, &sought, model->processes[i]);
	}
	HASH_CLEAR(hh, sought.groups);
	for (size_t i = 0; !err && i < model->group_cnt; i++)
		settle_group(model->groups[i]);
	return err;
}

void groups_free(struct model *model)
{
	for (size_t i = 0; i < model->group_cnt; i++) {
		struct group_state *state = (struct group_state *)model->groups[i];

		free(state->names);
		free(state->group.members);
		free(state);
	}
	free(model->groups);
}

size_t model__group_cnt(const struct model *model)
{
	return model->group_cnt;
}

struct group *model__group(const struct model *model, size_t index)
{
	return index < model->group_cnt ? model->groups[index] : NULL;
}
