// SPDX-License-Identifier: BSD-2-Clause
/* Orders of visit: loads of a tree, roots of a process, processes of a trace. No recursion. */
#include "report/view.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "report/text/walk.h"

void walk__free(struct walk *walk)
{
	free(walk->steps);
	*walk = (struct walk){ 0 };
}

static struct load *push(struct walk *walk, struct load *load)
{
	if (walk->cnt == walk->cap) {
		size_t cap = walk->cap ? walk->cap * 2 : 64;
		struct walk_step *steps = reallocarray(walk->steps, cap, sizeof(*steps));

		if (!steps) {
			walk->err = -ENOMEM;
			return NULL;
		}
		walk->steps = steps;
		walk->cap = cap;
	}
	walk->depth = walk->cnt;
	walk->steps[walk->cnt++] = (struct walk_step){ .load = load };
	return load;
}

void walk__start(struct walk *walk, struct load *root)
{
	walk->cnt = 0;
	walk->depth = 0;
	if (root)
		push(walk, root);
	/* The first step is handed out by the first call: next = SIZE_MAX marks it as new. */
	if (walk->cnt)
		walk->steps[0].next = SIZE_MAX;
}

struct load *walk__pre(struct walk *walk)
{
	if (walk->cnt == 1 && walk->steps[0].next == SIZE_MAX) {
		walk->steps[0].next = 0;
		return walk->steps[0].load;
	}
	while (walk->cnt && !walk->err) {
		struct walk_step *top = &walk->steps[walk->cnt - 1];

		if (top->next < top->load->child_cnt)
			return push(walk, top->load->children[top->next++]);
		walk->cnt--;
	}
	return NULL;
}

struct load *walk__post(struct walk *walk)
{
	if (walk->cnt == 1 && walk->steps[0].next == SIZE_MAX)
		walk->steps[0].next = 0;
	while (walk->cnt && !walk->err) {
		struct walk_step *top = &walk->steps[walk->cnt - 1];

		if (top->next < top->load->child_cnt) {
			push(walk, top->load->children[top->next++]);
			continue;
		}
		walk->depth = --walk->cnt;
		return walk->steps[walk->cnt].load;
	}
	return NULL;
}

static int cmp_roots(const void *a, const void *b)
{
	const struct load *x = *(struct load *const *)a, *y = *(struct load *const *)b;
	bool x_is_main = x->tid == x->process->tgid, y_is_main = y->tid == y->process->tgid;

	if (x_is_main != y_is_main)
		return x_is_main ? -1 : 1;
	if (x->tid != y->tid)
		return x->tid < y->tid ? -1 : 1;
	return x->seq < y->seq ? -1 : x->seq > y->seq;
}

int walk_roots(const struct process *process, struct load ***out)
{
	struct load **roots = calloc(process->root_cnt + 1, sizeof(struct load *));

	if (!roots)
		return -ENOMEM;
	if (process->root_cnt)
		memcpy(roots, process->roots, process->root_cnt * sizeof(struct load *));
	qsort(roots, process->root_cnt, sizeof(struct load *), cmp_roots);
	*out = roots;
	return 0;
}

/* A process and where it stands; sorted by parent, then by start, siblings lie together. */
struct sibling {
	const struct process *parent;
	struct process *process;
	size_t index;
};

static int cmp_siblings(const void *a, const void *b)
{
	const struct sibling *x = a, *y = b;

	if (x->parent != y->parent)
		return (uintptr_t)x->parent < (uintptr_t)y->parent ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

/* First of the children of @parent, or @cnt. */
static size_t first_child(const struct sibling *siblings, size_t cnt, const struct process *parent)
{
	size_t low = 0, high = cnt;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if ((uintptr_t)siblings[mid].parent < (uintptr_t)parent)
			low = mid + 1;
		else
			high = mid;
	}
	return low < cnt && siblings[low].parent == parent ? low : cnt;
}

/*
 * Depth first with a stack of positions in the sorted table. A parent link that leads in a
 * circle would never be reached from a root: model links go to earlier processes only.
 */
int walk_processes(const struct model *model, struct process ***out, size_t *out_cnt)
{
	size_t cnt = model__process_cnt(model), depth = 0, done = 0;
	_cleanup_free_ struct sibling *siblings = calloc(cnt + 1, sizeof(*siblings));
	_cleanup_free_ size_t *stack = calloc(cnt + 1, sizeof(*stack));
	_cleanup_free_ struct process **order = calloc(cnt + 1, sizeof(*order));

	if (!siblings || !stack || !order)
		return -ENOMEM;
	for (size_t i = 0; i < cnt; i++) {
		struct process *process = model__process(model, i);

		siblings[i] = (struct sibling){ process->parent, process, i };
	}
	qsort(siblings, cnt, sizeof(*siblings), cmp_siblings);
	if (cnt && !siblings[0].parent)
		stack[depth++] = 0;
	while (depth) {
		size_t at = stack[depth - 1], child;

		/* Advance to the next sibling before its children go on top. */
		if (at + 1 < cnt && siblings[at + 1].parent == siblings[at].parent)
			stack[depth - 1]++;
		else
			depth--;
		order[done++] = siblings[at].process;
		child = first_child(siblings, cnt, siblings[at].process);
		if (child < cnt)
			stack[depth++] = child;
	}
	*out = TAKE_PTR(order);
	*out_cnt = done;
	return 0;
}

bool process_is_shown(const struct process *process)
{
	return process->is_python || process->load_cnt || process->edge_cnt;
}
