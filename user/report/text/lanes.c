// SPDX-License-Identifier: BSD-2-Clause
/*
 * Slices of a process on tracks where they nest; see lanes.h. A slice goes on the first lane of its
 * thread where what is open is nothing, or its own parent: two imports that only overlap in time
 * (greenlets) must not look as if one had caused the other.
 */
#include "report/text/lanes.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

void lanes__free(struct lanes *lanes)
{
	free(lanes->slices);
	*lanes = (struct lanes){ 0 };
}

__u64 lanes_end_ns(const struct model *model, const struct process *process)
{
	const struct host_info *host = model__host(model);
	__u64 end_ns = process->end_ns;

	if (end_ns == NS_UNKNOWN && host && host->trace_end_ns)
		end_ns = host->trace_end_ns;
	if (end_ns != NS_UNKNOWN)
		return end_ns;
	end_ns = process->start_ns;
	for (size_t i = 0; i < process->load_cnt; i++) {
		const struct load *load = process->loads[i];
		__u64 last_ns = load->wall_ns == NS_UNKNOWN ? load->start_ns : load_end_ns(load);

		end_ns = last_ns > end_ns ? last_ns : end_ns;
	}
	return end_ns;
}

static void set_times(struct slice *slice, const struct process *process, __u64 until_ns,
		      __u64 start_ns, __u64 wall_ns)
{
	slice->is_main = slice->tid == process->tgid;
	slice->start_ns = start_ns;
	slice->end_ns = wall_ns == NS_UNKNOWN ? until_ns : start_ns + wall_ns;
	/* An inherited load began in the parent: here it is there from the first moment on. */
	if (slice->start_ns < process->start_ns && !process->is_late)
		slice->start_ns = process->start_ns;
	if (slice->end_ns < slice->start_ns)
		slice->end_ns = slice->start_ns;
}

static void collect(const struct model *model, const struct process *process, struct lanes *lanes)
{
	__u64 until_ns = lanes_end_ns(model, process);
	struct slice *slice = lanes->slices;

	for (size_t i = 0; i < process->load_cnt; i++, slice++) {
		slice->index = i;
		slice->load = process->loads[i];
		slice->tid = slice->load->tid;
		set_times(slice, process, until_ns, slice->load->start_ns,
			  load_as_measured_ns(slice->load, slice->load->wall_ns,
					      slice->load->overhead_total_ns));
	}
	for (size_t i = 0; i < process->lib_cnt; i++, slice++) {
		slice->index = i;
		slice->lib = process->libs[i];
		slice->tid = slice->lib->tid;
		set_times(slice, process, until_ns, slice->lib->start_ns, slice->lib->wall_ns);
	}
	for (size_t i = 0; i < process->wait_cnt; i++, slice++) {
		slice->index = i;
		slice->wait = process->waits[i];
		slice->tid = slice->wait->tid;
		set_times(slice, process, until_ns, slice->wait->start_ns, slice->wait->wall_ns);
	}
}

static int cmp_number(__u64 a, __u64 b)
{
	return a < b ? -1 : a > b;
}

/* Parents before their children: they start earlier, or end later, or have the lower seq. */
static int cmp_time(const void *a, const void *b)
{
	const struct slice *x = a, *y = b;
	int order = cmp_number(x->tid, y->tid);

	order = order ? order : cmp_number(x->start_ns, y->start_ns);
	order = order ? order : cmp_number(y->end_ns, x->end_ns);
	if (order || !x->load || !y->load)
		return order ? order : !x->load - !y->load;
	return cmp_number(x->load->seq, y->load->seq);
}

static int cmp_lane(const void *a, const void *b)
{
	const struct slice *x = a, *y = b;
	int order = x->tid == y->tid ? 0 : y->is_main - x->is_main;

	order = order ? order : cmp_number(x->tid, y->tid);
	order = order ? order : cmp_number(x->lane, y->lane);
	return order ? order : cmp_time(a, b);
}

/* The load that must be open around @slice on its own thread, or NULL. */
static const struct load *around(const struct slice *slice)
{
	const struct load *load = slice->load ? slice->load->parent :
				  slice->lib ? slice->lib->load : slice->wait->load;

	while (load && load->tid != slice->tid)
		load = load->parent;
	return load;
}

/* What is open on one lane, as a list of slices through `up`. */
struct lane {
	size_t top; /* SIZE_MAX = nothing */
};

static bool is_around(const struct slice *top, const struct slice *slice)
{
	return top->load && top->load == around(slice) && top->end_ns >= slice->end_ns &&
	       top->start_ns <= slice->start_ns;
}

/* The first lane that takes slice @at; opens a new one if none does. */
static int place(struct slice *slices, size_t *up, size_t at, struct lane **lanes, size_t *cnt)
{
	struct slice *slice = &slices[at];
	struct lane *grown;

	for (size_t i = 0; i < *cnt; i++) {
		size_t top = (*lanes)[i].top;

		while (top != SIZE_MAX && slices[top].end_ns <= slice->start_ns &&
		       !is_around(&slices[top], slice))
			top = up[top];
		(*lanes)[i].top = top;
		if (top != SIZE_MAX && !is_around(&slices[top], slice))
			continue;
		slice->lane = (__u32)i;
		slice->depth = top == SIZE_MAX ? 0 : slices[top].depth + 1;
		up[at] = top;
		(*lanes)[i].top = at;
		return 0;
	}
	grown = reallocarray(*lanes, *cnt + 1, sizeof(**lanes));
	if (!grown)
		return -ENOMEM;
	*lanes = grown;
	grown[*cnt].top = at;
	up[at] = SIZE_MAX;
	slice->lane = (__u32)(*cnt)++;
	slice->depth = 0;
	return 0;
}

int lanes__new(const struct model *model, const struct process *process, struct lanes *out)
{
	size_t cnt = process->load_cnt + process->lib_cnt + process->wait_cnt, lane_cnt = 0;
	_cleanup_(lanes__free) struct lanes lanes = { calloc(cnt + 1, sizeof(struct slice)), cnt };
	_cleanup_free_ size_t *up = calloc(cnt + 1, sizeof(*up));
	_cleanup_free_ struct lane *open = NULL;
	int err = 0;

	if (!lanes.slices || !up)
		return -ENOMEM;
	collect(model, process, &lanes);
	qsort(lanes.slices, cnt, sizeof(struct slice), cmp_time);
	for (size_t i = 0; !err && i < cnt; i++) {
		if (i && lanes.slices[i].tid != lanes.slices[i - 1].tid)
			lane_cnt = 0;
		err = place(lanes.slices, up, i, &open, &lane_cnt);
	}
	if (err)
		return err;
	qsort(lanes.slices, cnt, sizeof(struct slice), cmp_lane);
	*out = lanes;
	lanes.slices = NULL;
	return 0;
}
