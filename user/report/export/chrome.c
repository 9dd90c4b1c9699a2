// SPDX-License-Identifier: BSD-2-Clause
/*
 * Chrome trace events, for Perfetto and chrome://tracing: a slice per load, library and lock wait,
 * a track per thread, phases as asynchronous slices of the process, an arrow from the load that
 * holds a lock to the one that waits. Times count from `otherData.origin_ns`, so that they stay
 * exact as the doubles that viewers make of them. What overlaps gets a track of its own: slices
 * of one track must nest.
 */
#include "report/json/json_out.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "report/text/lanes.h"
#include "report/text/walk.h"
#include "report/text/wording.h"

#define ID_MAX (1U << 22) /* pids and tids are below: made-up ones start here */

struct chrome {
	const struct view *view;
	struct json_out jo;
	__u64 origin_ns;
	__u32 made_up;  /* pids and tids given out beyond those of the kernel */
	__u32 flow_cnt, phase_cnt;
	bool has_events;
};

static void put_time(struct chrome *chrome, const char *key, __u64 ns)
{
	fprintf(chrome->view->out, "\"%s\":%llu.%03llu,", key, (unsigned long long)(ns / 1000),
		(unsigned long long)(ns % 1000));
}

/* One event; @rest brings what is no number of every event, and is freed. */
static void put_event(struct chrome *chrome, const char *phase, __u64 ns, __u32 pid, __u32 tid,
		      json_t *rest)
{
	fprintf(chrome->view->out, "%s{\"ph\":\"%s\",", chrome->has_events ? ",\n" : "\n", phase);
	chrome->has_events = true;
	if (*phase != 'M')
		put_time(chrome, "ts", ns - chrome->origin_ns);
	fprintf(chrome->view->out, "\"pid\":%u,\"tid\":%u,", pid, tid);
	json_put(&chrome->jo, rest, true);
	fputc('}', chrome->view->out);
}

static void put_meta(struct chrome *chrome, const char *name, __u32 pid, __u32 tid,
		     const char *key, json_t *value)
{
	json_t *rest = json_object(), *args = json_object();

	json_set_str(&chrome->jo, rest, "name", name);
	json_set(&chrome->jo, args, key, value);
	json_set(&chrome->jo, rest, "args", args);
	put_event(chrome, "M", 0, pid, tid, rest);
}

/* What is null was not measured: a viewer need not show it, nor a wait or a count of nothing. */
static void drop_empty(json_t *obj, bool is_inner)
{
	const char *key;
	json_t *value;
	void *next;

	json_object_foreach_safe(obj, next, key, value) {
		bool is_empty = json_is_null(value) ||
				(is_inner && json_is_integer(value) && !json_integer_value(value));

		if (json_is_object(value)) {
			drop_empty(value, true);
			is_empty = !json_object_size(value);
		}
		if (is_empty)
			json_object_del(obj, key);
	}
}

static json_t *new_args(struct chrome *chrome, const struct slice *slice)
{
	static const char *const drawn[] = { "tid", "start_ns", "wall_ns", "seq" };
	json_t *args = slice->load ? json_new_import(&chrome->jo, slice->load) :
		       slice->lib ? json_new_lib(&chrome->jo, slice->lib) :
		       json_new_wait(&chrome->jo, slice->wait);

	for (size_t i = 0; i < sizeof(drawn) / sizeof(drawn[0]); i++)
		json_object_del(args, drawn[i]);
	drop_empty(args, false);
	return args;
}

static void set_name(struct chrome *chrome, json_t *rest, const struct slice *slice)
{
	struct text_buf buf = { 0 };

	if (slice->load) {
		text_buf__add(&buf, slice->load->module ? slice->load->module : "?");
	} else if (slice->lib) {
		const char *path = slice->lib->path ? slice->lib->path : "?";
		const char *slash = strrchr(path, '/');

		text_buf__printf(&buf, "dlopen %s", slash && slash[1] ? slash + 1 : path);
	} else {
		text_buf__printf(&buf, "waiting for %s",
				 slice->wait->module ? slice->wait->module : "?");
	}
	if (buf.err)
		chrome->jo.err = buf.err;
	json_set_str(&chrome->jo, rest, "name", text_buf__str(&buf));
	text_buf__free(&buf);
}

static const char *category(const struct slice *slice)
{
	if (slice->lib)
		return slice->lib->failed ? "dlopen,failed" : "dlopen";
	if (slice->wait)
		return "lock";
	switch (slice->load->result) {
	case LOAD_FAILED:
		return "import,failed";
	case LOAD_UNFINISHED:
		return "import,unfinished";
	default:
		return "import";
	}
}

static void put_slice(struct chrome *chrome, __u32 pid, __u32 tid, const struct slice *slice)
{
	json_t *rest = json_object();

	set_name(chrome, rest, slice);
	json_set_str(&chrome->jo, rest, "cat", category(slice));
	json_set(&chrome->jo, rest, "args", new_args(chrome, slice));
	fprintf(chrome->view->out, "%s{\"ph\":\"X\",", chrome->has_events ? ",\n" : "\n");
	chrome->has_events = true;
	put_time(chrome, "ts", slice->start_ns - chrome->origin_ns);
	put_time(chrome, "dur", slice->end_ns - slice->start_ns);
	fprintf(chrome->view->out, "\"pid\":%u,\"tid\":%u,", pid, tid);
	json_put(&chrome->jo, rest, true);
	fputc('}', chrome->view->out);
}

static void put_flow_end(struct chrome *chrome, const char *phase, __u64 ns, __u32 pid, __u32 tid)
{
	json_t *rest = json_object();

	json_set_str(&chrome->jo, rest, "name", "import lock");
	json_set_str(&chrome->jo, rest, "cat", "lock");
	json_set_int(&chrome->jo, rest, "id", chrome->flow_cnt);
	if (*phase == 'f')
		json_set_str(&chrome->jo, rest, "bp", "e"); /* the slice around, not the next one */
	put_event(chrome, phase, ns, pid, tid, rest);
}

/* From the load that held the lock, as it ends, to the wait, as that ends. */
static void put_flow(struct chrome *chrome, __u32 pid, const struct slice *owner, __u32 owner_tid,
		     const struct slice *wait, __u32 wait_tid)
{
	__u64 from_ns = owner->end_ns > owner->start_ns ? owner->end_ns - 1 : owner->start_ns;
	__u64 to_ns = wait->end_ns > wait->start_ns ? wait->end_ns - 1 : wait->start_ns;

	if (from_ns > to_ns)
		from_ns = to_ns > owner->start_ns ? to_ns : owner->start_ns;
	if (from_ns > to_ns)
		return; /* approximate times that make no arrow */
	chrome->flow_cnt++;
	put_flow_end(chrome, "s", from_ns, pid, owner_tid);
	put_flow_end(chrome, "f", to_ns, pid, wait_tid);
}

static void put_thread_name(struct chrome *chrome, const struct process *process, __u32 pid,
			    __u32 tid, const struct slice *slice)
{
	struct text_buf buf = { 0 };

	if (slice->tid == process->tgid)
		text_buf__add(&buf, "main thread");
	else
		text_buf__printf(&buf, "thread %u", slice->tid);
	if (slice->lane)
		text_buf__printf(&buf, ", overlapping (%u)", slice->lane);
	put_meta(chrome, "thread_name", pid, tid, "name", json_string(text_buf__str(&buf)));
	text_buf__free(&buf);
}

static int put_slices(struct chrome *chrome, const struct process *process, __u32 pid)
{
	_cleanup_(lanes__free) struct lanes lanes = { 0 };
	_cleanup_free_ __u32 *tids = NULL;      /* by slice: the track it is on */
	_cleanup_free_ size_t *slice_of = NULL; /* by seq of the load */
	int err = lanes__new(chrome->view->model, process, &lanes);

	if (err)
		return err;
	tids = calloc(lanes.cnt + 1, sizeof(*tids));
	slice_of = calloc(process->load_cnt + 1, sizeof(*slice_of));
	if (!tids || !slice_of)
		return -ENOMEM;
	for (size_t i = 0; i < lanes.cnt && !ferror(chrome->view->out); i++) {
		const struct slice *slice = &lanes.slices[i];

		if (slice_begins_lane(&lanes, i)) {
			tids[i] = slice->lane || !slice->tid ? ID_MAX + chrome->made_up++ :
							       slice->tid;
			put_thread_name(chrome, process, pid, tids[i], slice);
		} else {
			tids[i] = tids[i - 1];
		}
		if (slice->load)
			slice_of[slice->load->seq] = i;
		put_slice(chrome, pid, tids[i], slice);
	}
	for (size_t i = 0; i < lanes.cnt && !ferror(chrome->view->out); i++) {
		const struct slice *slice = &lanes.slices[i];
		const struct load *owner = slice->wait ? slice->wait->owner : NULL;
		size_t at = owner ? slice_of[owner->seq] : 0;

		if (owner)
			put_flow(chrome, pid, &lanes.slices[at], tids[at], slice, tids[i]);
	}
	return 0;
}

/* Phases may overlap: they are asynchronous slices, each with an id of its own. */
static void put_phases(struct chrome *chrome, const json_t *identity, __u32 pid)
{
	size_t i;
	json_t *phase;

	json_array_foreach(json_object_get(identity, "phases"), i, phase) {
		const json_t *start = json_object_get(phase, "start_ns");
		const json_t *end = json_object_get(phase, "end_ns");
		const char *name = json_string_value(json_object_get(phase, "name"));

		if (!name || !json_is_integer(start) || !json_is_integer(end) ||
		    json_integer_value(start) < (json_int_t)chrome->origin_ns ||
		    json_integer_value(end) < json_integer_value(start))
			continue;
		chrome->phase_cnt++;
		for (unsigned int k = 0; k < 2; k++) {
			json_t *rest = json_object();

			json_set_str(&chrome->jo, rest, "name", name);
			json_set_str(&chrome->jo, rest, "cat", "phase");
			json_set_int(&chrome->jo, rest, "id", chrome->phase_cnt);
			put_event(chrome, k ? "e" : "b",
				  (__u64)json_integer_value(k ? end : start), pid, pid, rest);
		}
	}
}

/*
 * A pid can come back, or go on with another program (exec): each image is a process here. A log of
 * -X importtime knows none, and 0 is the kernel's own.
 */
static __u32 pid_of(struct chrome *chrome, struct process **processes, size_t at)
{
	if (!processes[at]->tgid)
		return ID_MAX + chrome->made_up++;
	for (size_t i = 0; i < at; i++)
		if (process_is_shown(processes[i]) && processes[i]->tgid == processes[at]->tgid)
			return ID_MAX + chrome->made_up++;
	return processes[at]->tgid;
}

static int put_process(struct chrome *chrome, const struct process *process, __u32 pid)
{
	struct text_buf buf = { 0 };
	json_t *identity = json_new_identity(&chrome->jo, process);
	int err;

	phrase_label(chrome->view, process, &buf);
	put_meta(chrome, "process_name", pid, pid, "name",
		 json_new_str(&chrome->jo, text_buf__str(&buf)));
	put_meta(chrome, "process_sort_index", pid, pid, "sort_index",
		 json_integer((json_int_t)process->serial));
	text_buf__reset(&buf);
	if (process->tgid)
		text_buf__printf(&buf, "pid %u", process->tgid);
	if (process->python && process->python->version && *process->python->version) {
		text_buf__add(&buf, buf.sz ? ", Python " : "Python ");
		text_buf__escape(&buf, process->python->version, 0);
	}
	if (buf.sz)
		put_meta(chrome, "process_labels", pid, pid, "labels",
			 json_new_str(&chrome->jo, text_buf__str(&buf)));
	text_buf__free(&buf);
	put_phases(chrome, identity, pid);
	json_decref(identity);
	err = put_slices(chrome, process, pid);
	return err ? err : chrome->jo.err;
}

static __u64 find_origin(struct process **processes, size_t cnt)
{
	__u64 origin_ns = NS_UNKNOWN;

	for (size_t i = 0; i < cnt; i++) {
		const struct process *process = processes[i];

		if (!process_is_shown(process))
			continue;
		if (process->start_ns < origin_ns)
			origin_ns = process->start_ns;
		for (size_t k = 0; k < process->load_cnt; k++)
			if (process->loads[k]->start_ns < origin_ns)
				origin_ns = process->loads[k]->start_ns;
	}
	return origin_ns == NS_UNKNOWN ? 0 : origin_ns;
}

static void put_tail(struct chrome *chrome)
{
	const struct host_info *host = model__host(chrome->view->model);
	json_t *other = json_object();

	json_set_str(&chrome->jo, other, "clock", "CLOCK_MONOTONIC");
	json_set_ns(&chrome->jo, other, "origin_ns", chrome->origin_ns);
	json_set_str(&chrome->jo, other, "times", LANES_TIMES);
	json_set_str(&chrome->jo, other, "hostname", host ? host->hostname : NULL);
	json_set_str(&chrome->jo, other, "kernel", host ? host->kernel : NULL);
	json_set_bool(&chrome->jo, other, "complete", model__is_complete(chrome->view->model));
	fputs("\n],\n\"displayTimeUnit\":\"ms\",\n\"otherData\":", chrome->view->out);
	json_put(&chrome->jo, other, false);
	fputs("}\n", chrome->view->out);
}

int chrome_write(const struct view *view)
{
	struct chrome chrome = { .view = view, .jo = { .view = view, .out = view->out } };
	_cleanup_free_ struct process **processes = NULL;
	size_t cnt;
	int err = walk_processes(view->model, &processes, &cnt);

	if (err)
		return err;
	chrome.origin_ns = find_origin(processes, cnt);
	fputs("{\"traceEvents\":[", view->out);
	for (size_t i = 0; !err && i < cnt && !ferror(view->out); i++)
		if (process_is_shown(processes[i]))
			err = put_process(&chrome, processes[i], pid_of(&chrome, processes, i));
	put_tail(&chrome);
	return err ? err : chrome.jo.err;
}
