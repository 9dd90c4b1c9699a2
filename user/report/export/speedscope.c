// SPDX-License-Identifier: BSD-2-Clause
/*
 * speedscope's own format: a profile per thread by time (when what was loading), and one per
 * process for each of CPU, memory and bytes that was measured. The latter have no time: they open
 * and close modules along a running sum of what each itself cost. Events of a profile nest.
 */
#include "report/json/json_out.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "report/text/lanes.h"
#include "report/text/measure.h"
#include "report/text/walk.h"
#include "report/text/wording.h"

struct scope {
	const struct view *view;
	struct json_out jo;
	size_t frame_base;  /* frames of the processes before this one */
	bool has_items;     /* of the list being written */
};

static void put_item(struct scope *scope, json_t *item)
{
	fputs(scope->has_items ? ",\n" : "\n", scope->view->out);
	scope->has_items = true;
	json_put(&scope->jo, item, false);
}

static void put_frame(struct scope *scope, const char *prefix, const char *name,
		      const char *suffix, const char *file)
{
	struct text_buf buf = { 0 };
	json_t *frame = json_object();

	text_buf__printf(&buf, "%s%s%s", prefix, name ? name : "?", suffix);
	if (buf.err)
		scope->jo.err = buf.err;
	json_set_str(&scope->jo, frame, "name", text_buf__str(&buf));
	if (file)
		json_set_str(&scope->jo, frame, "file", file);
	put_item(scope, frame);
	text_buf__free(&buf);
}

/* Frames of a process: its loads by seq, its libraries, its waits. frame_of() counts alike. */
static void put_frames(struct scope *scope, const struct process *process)
{
	for (size_t i = 0; i < process->load_cnt; i++) {
		const struct load *load = process->loads[i];

		put_frame(scope, "", load->module, load->result == LOAD_LOADED ? "" :
			  load->result == LOAD_FAILED ? " (failed)" : " (unfinished)", load->file);
	}
	for (size_t i = 0; i < process->lib_cnt; i++)
		put_frame(scope, "dlopen ", process->libs[i]->path, "", process->libs[i]->path);
	for (size_t i = 0; i < process->wait_cnt; i++)
		put_frame(scope, "waiting for ", process->waits[i]->module, "", NULL);
}

static size_t frame_cnt(const struct process *process)
{
	return process->load_cnt + process->lib_cnt + process->wait_cnt;
}

static size_t frame_of(const struct scope *scope, const struct process *process,
		       const struct slice *slice)
{
	size_t base = scope->frame_base + slice->index;

	if (slice->lib)
		return base + process->load_cnt;
	return slice->wait ? base + process->load_cnt + process->lib_cnt : base;
}

static void put_event(struct scope *scope, char type, size_t frame, long long at)
{
	fprintf(scope->view->out, "%s{\"type\":\"%c\",\"frame\":%zu,\"at\":%lld}",
		scope->has_items ? ",\n" : "\n", type, frame, at);
	scope->has_items = true;
}

/* A profile up to its events. @what names it behind the command: a thread, or a measure. */
static void put_profile_head(struct scope *scope, const struct process *process, const char *what,
			     const char *unit, long long end)
{
	struct text_buf buf = { 0 };
	json_t *head = json_object();

	phrase_label(scope->view, process, &buf);
	text_buf__printf(&buf, " (pid %u), %s", process->tgid, what);
	json_set_str(&scope->jo, head, "type", "evented");
	json_set_str(&scope->jo, head, "name", text_buf__str(&buf));
	json_set_str(&scope->jo, head, "unit", unit);
	json_set_int(&scope->jo, head, "startValue", 0);
	json_set_int(&scope->jo, head, "endValue", end);
	fputs(scope->has_items ? ",\n{" : "\n{", scope->view->out);
	json_put(&scope->jo, head, true);
	fputs(",\"events\":[", scope->view->out);
	scope->has_items = false;
	text_buf__free(&buf);
}

static void put_profile_tail(struct scope *scope)
{
	fputs("]}", scope->view->out);
	scope->has_items = true;
}

/* The slices of one lane, from @first to before @end: each closes when the next is not inside. */
static void put_lane(struct scope *scope, const struct process *process, const struct lanes *lanes,
		     size_t first, size_t end, size_t *open)
{
	const struct slice *slices = lanes->slices;
	__u64 base_ns = process->start_ns < slices[first].start_ns ? process->start_ns :
								     slices[first].start_ns;
	size_t depth = 0;

	for (size_t i = first; i <= end; i++) {
		while (depth > (i < end ? slices[i].depth : 0)) {
			const struct slice *last = &slices[open[--depth]];

			put_event(scope, 'C', frame_of(scope, process, last),
				  (long long)(last->end_ns - base_ns));
		}
		if (i == end)
			break;
		put_event(scope, 'O', frame_of(scope, process, &slices[i]),
			  (long long)(slices[i].start_ns - base_ns));
		open[depth++] = i;
	}
}

static int put_threads(struct scope *scope, const struct process *process)
{
	_cleanup_(lanes__free) struct lanes lanes = { 0 };
	_cleanup_free_ size_t *open = NULL;
	int err = lanes__new(scope->view->model, process, &lanes);

	if (err)
		return err;
	open = calloc(lanes.cnt + 1, sizeof(*open));
	if (!open)
		return -ENOMEM;
	for (size_t first = 0, end; first < lanes.cnt && !ferror(scope->view->out); first = end) {
		const struct slice *slice = &lanes.slices[first];
		__u64 base_ns = process->start_ns < slice->start_ns ? process->start_ns :
								      slice->start_ns;
		__u64 last_ns = slice->end_ns;
		char what[80];

		for (end = first + 1; end < lanes.cnt && !slice_begins_lane(&lanes, end); end++)
			if (lanes.slices[end].end_ns > last_ns)
				last_ns = lanes.slices[end].end_ns;
		if (slice->lane)
			snprintf(what, sizeof(what), "thread %u, overlapping %u", slice->tid,
				 slice->lane);
		else
			snprintf(what, sizeof(what), "thread %u", slice->tid);
		put_profile_head(scope, process, what, "nanoseconds",
				 (long long)(last_ns - base_ns));
		put_lane(scope, process, &lanes, first, end, open);
		put_profile_tail(scope);
	}
	return 0;
}

/* What shrinks memory would turn the sum back: it counts as nothing here. */
static long long cost_of(enum measure measure, const struct load *load)
{
	long long cost;

	return measure_self(measure, load, &cost) && cost > 0 ? cost : 0;
}

static int put_measure(struct scope *scope, const struct process *process, enum measure measure)
{
	_cleanup_free_ struct load **roots = NULL;
	_cleanup_free_ size_t *open = NULL;
	_cleanup_(walk__free) struct walk walk = { 0 };
	long long sum = 0, end = 0;
	int err = walk_roots(process, &roots);

	open = calloc(process->load_cnt + 1, sizeof(*open));
	if (err || !open)
		return -ENOMEM;
	for (size_t i = 0; i < process->load_cnt; i++)
		end += cost_of(measure, process->loads[i]);
	put_profile_head(scope, process, measure == MEASURE_MEMORY ? "memory grown" :
			 measure_name(measure), measure_unit(measure), end);
	for (size_t i = 0; !walk.err && i < process->root_cnt && !ferror(scope->view->out); i++) {
		const struct load *load;
		size_t depth = 0;

		walk__start(&walk, roots[i]);
		while ((load = walk__pre(&walk))) {
			while (depth > walk.depth)
				put_event(scope, 'C', open[--depth], sum);
			open[depth++] = scope->frame_base + load->seq;
			put_event(scope, 'O', open[depth - 1], sum);
			sum += cost_of(measure, load);
		}
		while (depth)
			put_event(scope, 'C', open[--depth], sum);
	}
	put_profile_tail(scope);
	return walk.err;
}

static int put_profiles(struct scope *scope, const struct process *process)
{
	int err = put_threads(scope, process);

	for (enum measure measure = MEASURE_CPU; !err && measure < MEASURE_MAX; measure++)
		if (measure_has(measure, process))
			err = put_measure(scope, process, measure);
	scope->frame_base += frame_cnt(process);
	return err ? err : scope->jo.err;
}

int speedscope_write(const struct view *view)
{
	struct scope scope = { .view = view, .jo = { .view = view, .out = view->out } };
	_cleanup_free_ struct process **processes = NULL;
	size_t cnt;
	int err = walk_processes(view->model, &processes, &cnt);

	if (err)
		return err;
	fputs("{\"$schema\":\"https://www.speedscope.app/file-format-schema.json\",\n"
	      "\"exporter\":\"pyimport-bpf\",\n\"name\":\"imports, time " LANES_TIMES "\",\n\"shared\":{\"frames\":[",
	      view->out);
	for (size_t i = 0; i < cnt && !ferror(view->out); i++)
		if (process_is_shown(processes[i]))
			put_frames(&scope, processes[i]);
	fputs("]},\n\"profiles\":[", view->out);
	scope.has_items = false;
	for (size_t i = 0; !err && i < cnt && !ferror(view->out); i++)
		if (process_is_shown(processes[i]))
			err = put_profiles(&scope, processes[i]);
	fputs("]}\n", view->out);
	return err ? err : scope.jo.err;
}
