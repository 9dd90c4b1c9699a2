// SPDX-License-Identifier: BSD-2-Clause
/* When a start-up was over, and its parts; startup.h says what it is. */
#include <errno.h>
#include <string.h>

#include "model/tree/overhead.h"
#include "model/tree/startup.h"

/* A service does other work between its imports and its first wait for a connection. */
#define STARTUP_READY_NS 60000000000ULL

/* What the process lived for, as far as it was seen. */
static __u64 life_end_ns(const struct model *model, const struct process *process)
{
	return process->end_ns != NS_UNKNOWN ? process->end_ns : model->host.trace_end_ns;
}

static __u64 end_of(const struct load *load)
{
	return load->wall_ns == NS_UNKNOWN ? NS_UNKNOWN : load->start_ns + load->wall_ns;
}

static __u64 later(__u64 a, __u64 b)
{
	return a > b ? a : b;
}

static __u64 less(__u64 a, __u64 b)
{
	return a > b ? a - b : 0;
}

static __u64 earlier(__u64 a, __u64 b)
{
	return a < b ? a : b;
}

/*
 * Of a hold whose moment is not known (an old capture) it is known that the process was mapping its
 * interpreter.
 */
static __u64 hold_start_ns(const struct hold_info *hold, const struct process *process)
{
	return hold->start_ns ? hold->start_ns : process->start_ns;
}

/* How long we held it between the two. An exec is held before there is a process of that name. */
static __u64 held_ns(const struct process *process, __u64 from_ns, __u64 to_ns)
{
	__u64 sum_ns = 0;

	for (size_t i = 0; i < process->hold_cnt; i++) {
		__u64 start_ns = hold_start_ns(&process->holds[i], process), end_ns;

		end_ns = earlier(start_ns + process->holds[i].wall_ns, to_ns);
		start_ns = later(start_ns, from_ns);
		sum_ns += end_ns > start_ns ? end_ns - start_ns : 0;
	}
	return sum_ns;
}

__u64 process_time_ns(const struct process *process, __u64 from_ns, __u64 to_ns)
{
	__u64 held = to_ns > from_ns ? held_ns(process, from_ns, to_ns) : 0;

	if (to_ns > from_ns)
		held += overhead_between(process, from_ns, to_ns);
	return to_ns > from_ns && to_ns - from_ns > held ? to_ns - from_ns - held : 0;
}

__u64 process_since_ns(const struct process *process, __u64 at_ns)
{
	__u64 begin_ns = process->startup.begin_ns, ns = 0;

	if (begin_ns == NS_UNKNOWN || at_ns == NS_UNKNOWN || at_ns < begin_ns)
		return NS_UNKNOWN;
	for (; process->previous && at_ns > begin_ns; process = process->previous) {
		if (at_ns > process->start_ns) {
			ns += process_time_ns(process, process->start_ns, at_ns);
			at_ns = process->start_ns;
		}
	}
	return ns + process_time_ns(process, begin_ns, at_ns);
}

bool load_is_top(const struct load *load)
{
	const struct load *above = load->parent;

	if (load->via == VIA_MAIN || load->is_inherited)
		return false;
	while (above && (above->via == VIA_MAIN || above->is_inherited ||
			 above->wall_ns == NS_UNKNOWN))
		above = above->parent;
	return !above;
}

static bool is_in_run(const struct process *process, const struct load *load)
{
	return load->tid == process->tgid && load_is_top(load);
}

/* Where the run of imports may begin; 0 = with the first of them. */
static __u64 run_begin_ns(const struct process_state *state)
{
	if (state->main)
		return state->main->load.start_ns;
	return state->process.run_main_ns != NS_UNKNOWN ? state->process.run_main_ns : 0;
}

/* False: the run has not ended as far as was seen. */
static bool find_end(const struct model *model, const struct process_state *state, __u64 *end_ns)
{
	const struct process *process = &state->process;
	__u64 done_ns = state->main ? end_of(&state->main->load) : NS_UNKNOWN;
	__u64 last_ns = run_begin_ns(state);
	bool is_open = false, is_over = process->end_ns != NS_UNKNOWN || done_ns != NS_UNKNOWN;

	for (size_t i = 0; i < process->load_cnt; i++) {
		const struct load *load = process->loads[i];

		if (!is_in_run(process, load))
			continue;
		/* Behind the end of `__main__` the interpreter is being shut down. */
		if (load->start_ns >= done_ns)
			break;
		if (last_ns && process_time_ns(process, last_ns, load->start_ns) > STARTUP_GAP_NS) {
			is_over = true;
			break;
		}
		is_open |= load->wall_ns == NS_UNKNOWN;
		last_ns = later(last_ns, load->wall_ns == NS_UNKNOWN ? load->start_ns :
				earlier(end_of(load), done_ns));
	}
	*end_ns = last_ns ? last_ns : NS_UNKNOWN;
	return !is_open && (is_over || STARTUP_GAP_NS <
			    process_time_ns(process, last_ns, life_end_ns(model, process)));
}

bool startup_is_over(struct model *model, const struct process_state *state, __u64 now_ns)
{
	const struct process *process = &state->process;
	__u64 end_ns = NS_UNKNOWN;
	bool is_over;

	if (process->ready_ns != NS_UNKNOWN)
		return true;
	model->host.trace_end_ns = now_ns;
	is_over = find_end(model, state, &end_ns);
	model->host.trace_end_ns = 0;
	end_ns = end_ns == NS_UNKNOWN ? process->start_ns : end_ns;
	return is_over && now_ns > end_ns + STARTUP_READY_NS;
}

static const struct load *find_site(const struct process *process)
{
	for (size_t i = 0; i < process->load_cnt; i++) {
		const struct load *load = process->loads[i];

		if (load->tid == process->tgid && !load->parent && load->module &&
		    !load->is_inherited && !strcmp(load->module, "site"))
			return load;
	}
	return NULL;
}

/* Where the program can begin; not all versions tell. */
static __u64 interpreter_end(const struct process_state *state, const struct load *site)
{
	const struct process *process = &state->process;

	if (process->run_main_ns != NS_UNKNOWN)
		return process->run_main_ns;
	if (state->forked_from)
		return process->start_ns;
	if (site && site->wall_ns != NS_UNKNOWN)
		return end_of(site);
	return process->load_cnt ? process->loads[0]->start_ns : process->startup.end_ns;
}

/* What it took to find modules that LazyLoader executed elsewhere. */
static __u64 found_between(const struct process *process, __u64 from_ns, __u64 to_ns)
{
	__u64 sum_ns = 0;

	for (size_t i = 0; i < process->load_cnt; i++) {
		const struct load *found = process->loads[i]->found;

		if (!found || found->tid != process->tgid || !load_is_outermost(found) ||
		    found->start_ns < from_ns || end_of(found) > to_ns)
			continue;
		sum_ns += less(process_time_ns(process, found->start_ns, end_of(found)),
			       ((const struct load_state *)found)->children_ns);
	}
	return sum_ns;
}

/* Outermost imports from @from_ns to @to_ns; greenlets can make them overlap. */
static __u64 imports_between(const struct process *process, __u64 from_ns, __u64 to_ns)
{
	__u64 sum_ns = 0, begin_ns = from_ns;

	for (size_t i = 0; i < process->load_cnt; i++) {
		const struct load *load = process->loads[i];
		__u64 end_ns = earlier(end_of(load), to_ns);

		if (load->tid != process->tgid || !load_is_outermost(load) ||
		    end_ns <= later(load->start_ns, from_ns))
			continue;
		sum_ns += process_time_ns(process, later(load->start_ns, from_ns), end_ns);
		from_ns = end_ns;
	}
	return sum_ns + found_between(process, begin_ns, to_ns);
}

static void find_parts(struct process_state *state)
{
	const struct process *process = &state->process;
	struct startup *startup = &state->process.startup;
	const struct load *site = find_site(process);
	__u64 run_ns = earlier(interpreter_end(state, site), startup->end_ns), main_ns = run_ns;
	__u64 sum_ns;

	startup->run_ns = run_ns;
	if (state->main && !state->forked_from)
		main_ns = earlier(later(state->main->load.start_ns, run_ns), startup->end_ns);
	startup->wall_ns = process_since_ns(process, startup->end_ns);
	startup->held_ns = startup->end_ns - startup->begin_ns - startup->wall_ns;
	startup->images_ns = process_since_ns(process, process->start_ns);
	startup->interpreter_ns = process_time_ns(process, process->start_ns, run_ns);
	startup->site_ns = site ? process_time_ns(process, site->start_ns,
					   earlier(end_of(site), run_ns)) : 0;
	startup->imports_ns = imports_between(process, run_ns, startup->end_ns);
	startup->program_ns = less(process_time_ns(process, run_ns, main_ns),
				   imports_between(process, run_ns, main_ns));
	/* What tracing took is an estimate: it may be more than a short part had. */
	sum_ns = startup->images_ns + startup->interpreter_ns + startup->imports_ns;
	startup->wall_ns = later(startup->wall_ns, sum_ns);
	startup->own_ns = startup->wall_ns - sum_ns;
	startup->program_ns = earlier(startup->program_ns, startup->own_ns);
	startup->site_ns = earlier(startup->site_ns, startup->interpreter_ns);
}

/* For the process and the images before it. */
static void take_off(struct process *process, bool is_taken_off)
{
	for (; process; process = process->previous)
		process->overhead.is_taken_off = process->overhead.is_known && is_taken_off;
}

/* With what tracing took, and without. The latter comes last: it is what is asked for. */
static void find_both_parts(const struct model *model, struct process_state *state)
{
	struct process *process = &state->process;

	take_off(process, false);
	find_parts(state);
	process->startup_measured = process->startup;
	take_off(process, !model->is_as_measured);
	find_parts(state);
	process->startup.held_ns = process->startup_measured.held_ns;
}

/* Was it replaced by the same program's next image while it was starting? */
static bool is_continued(const struct process *process, const struct process *next)
{
	const struct startup *startup = &process->startup;

	return startup->end_ns != NS_UNKNOWN && process->is_python &&
	       process->ready_ns == NS_UNKNOWN &&
	       (next->start_ns <= startup->end_ns ||
		process_time_ns(process, startup->end_ns, next->start_ns) <= STARTUP_GAP_NS);
}

/* In its life; an exec maps its file before the kernel tells of it. */
static bool is_held(const struct model *model, const struct process *process,
		    const struct hold_info *hold)
{
	if (hold->tgid != process->tgid || process->exec_ns == NS_UNKNOWN)
		return false;
	if (!hold->start_ns)
		return !hold->is_exec;
	return hold->start_ns + hold->wall_ns > process->start_ns &&
	       hold->start_ns <= life_end_ns(model, process);
}

static int take_holds(struct model *model, struct process *process)
{
	size_t cnt = 0;

	for (size_t i = 0; i < model->hold_cnt; i++)
		cnt += is_held(model, process, &model->holds[i]);
	if (!cnt)
		return 0;
	process->holds = arena__alloc(&model->arena, cnt * sizeof(*process->holds));
	if (!process->holds)
		return -ENOMEM;
	for (size_t i = 0; i < model->hold_cnt; i++)
		if (is_held(model, process, &model->holds[i]))
			process->holds[process->hold_cnt++] = model->holds[i];
	return 0;
}

/* The image before this one, if it was the same start-up. */
static void join_images(struct process_state *state)
{
	struct process *process = &state->process;
	struct process *before = state->replaced ? &state->replaced->process : NULL;

	if (!before || (!process->is_python && !process->load_cnt) ||
	    !is_continued(before, process))
		return;
	process->previous = before;
	before->next = process;
	process->startup.begin_ns = before->startup.begin_ns;
}

int startup_finish(struct model *model, struct process_state *state)
{
	struct process *process = &state->process;
	struct startup *startup = &process->startup;
	bool is_whole;
	int err;

	memset(startup, 0xff, sizeof(*startup)); /* NS_UNKNOWN */
	startup->by = STARTUP_UNKNOWN;
	err = take_holds(model, process);
	if (err || process->is_late || (state->forked_from && process->ready_ns == NS_UNKNOWN))
		return err;
	startup->begin_ns = process->start_ns;
	join_images(state);
	is_whole = find_end(model, state, &startup->end_ns);
	startup->by = is_whole ? STARTUP_IMPORTS : STARTUP_CUT;
	if (process->ready_ns != NS_UNKNOWN) {
		startup->end_ns = process->ready_ns;
		startup->by = STARTUP_READY;
	}
	if (startup->end_ns == NS_UNKNOWN || startup->end_ns < process->start_ns) {
		memset(startup, 0xff, sizeof(*startup));
		startup->by = STARTUP_UNKNOWN;
		return 0;
	}
	process->startup_end_ns = startup->end_ns;
	find_both_parts(model, state);
	return 0;
}

bool load_is_startup(const struct load *load)
{
	const struct process *process = load->process;
	const struct startup *startup = &process->startup;

	if (load->wall_ns == NS_UNKNOWN || load->is_inherited)
		return false;
	return startup->by == STARTUP_UNKNOWN ||
	       (load->tid == process->tgid && load->start_ns >= startup->run_ns &&
		load->start_ns < startup->end_ns);
}
