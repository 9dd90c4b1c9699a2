/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records as BPF sends them, made by hand and applied to a model: what the tests of the model are
 * written in. Times are given by the caller; ids are small numbers of the test.
 */
#ifndef STREAM_H
#define STREAM_H

#include <stdlib.h>
#include <string.h>

#include "model/model.h"
#include "unit.h"

struct stream {
	struct model *model;
	__u32 proc, tgid, tid, flags; /* of the next records */
	bool is_dropping;             /* the next records are lost */
};

static inline struct pyi_str stream_str(const char *text)
{
	struct pyi_str str = { .sz = strlen(text), .kind = 1, .is_ascii = 1,
			       .full_chars = strlen(text) };

	return str;
}

static inline struct pyi_hdr stream_hdr(const struct stream *s, __u16 kind, size_t size,
					__u64 ts_ns)
{
	struct pyi_hdr hdr = { .kind = kind, .size = size, .flags = s->flags, .tgid = s->tgid,
			       .tid = s->tid, .proc = s->proc, .ts_ns = ts_ns };

	return hdr;
}

/* Applied from a block of its exact size, so that ASan sees a read beyond it. */
static inline void stream_apply(struct stream *s, const void *record, size_t size)
{
	void *copy;

	if (s->is_dropping)
		return;
	copy = malloc(size ? size : 1);
	memcpy(copy, record, size);
	CHECK(model__apply(s->model, copy, size) == 0);
	free(copy);
}

static inline void stream_open(struct stream *s)
{
	memset(s, 0, sizeof(*s));
	CHECK(model__new(&s->model) == 0);
	s->proc = 1;
	s->tgid = s->tid = 100;
}

static inline void stream_close(struct stream *s)
{
	model__free(s->model);
	s->model = NULL;
}

static inline void stream_exec(struct stream *s, __u64 ts_ns, __u32 ppid, const char *args,
			       size_t args_sz)
{
	struct pyi_exec rec = { .hdr = stream_hdr(s, PYI_EV_EXEC, sizeof(rec), ts_ns), .ppid = ppid,
				.nspid = 7, .uid = 1000, .comm = "python3", .filename_sz = 17,
				.args_sz = args_sz };

	memcpy(rec.filename, "/usr/bin/python3", 17);
	memcpy(rec.args, args, args_sz);
	stream_apply(s, &rec, sizeof(rec));
}

static inline void stream_fork(struct stream *s, __u64 ts_ns, __u32 child_tgid, __u32 child_proc)
{
	struct pyi_fork rec = { .hdr = stream_hdr(s, PYI_EV_FORK, sizeof(rec), ts_ns),
				.child_tgid = child_tgid, .child_proc = child_proc,
				.comm = "python3" };

	stream_apply(s, &rec, sizeof(rec));
}

static inline void stream_exit(struct stream *s, __u64 ts_ns, int wait_status)
{
	struct pyi_exit rec = { .hdr = stream_hdr(s, PYI_EV_EXIT, sizeof(rec), ts_ns),
				.exit_code = wait_status };

	stream_apply(s, &rec, sizeof(rec));
}

static inline void stream_begin_full(struct stream *s, __u64 ts_ns, const struct pyi_begin *fixed,
				     const char *name)
{
	size_t size = sizeof(*fixed) +
		      (strlen(name) > PYI_STR_SMALL ? PYI_STR_LARGE : PYI_STR_SMALL);
	struct pyi_begin *rec = calloc(1, size);

	*rec = *fixed;
	rec->hdr = stream_hdr(s, PYI_EV_BEGIN, size, ts_ns);
	rec->name = stream_str(name);
	memcpy(rec->text, name, strlen(name));
	stream_apply(s, rec, size);
	free(rec);
}

static inline void stream_begin(struct stream *s, __u64 ts_ns, __u32 id, __u32 parent, __u8 span,
				const char *name)
{
	struct pyi_begin rec = { .id = id, .parent = parent, .span = span,
				 .frame = { 0, -1 } };

	if (span == PYI_SPAN_SEARCH)
		rec.via = PYI_VIA_IMPORT_MODULE;
	stream_begin_full(s, ts_ns, &rec, name);
}

static inline void stream_find(struct stream *s, __u64 ts_ns, __u32 id, __u32 parent, __u32 edge,
			       const char *name)
{
	struct pyi_begin rec = { .id = id, .parent = parent, .span = PYI_SPAN_FIND, .edge = edge,
				 .frame = { 0, -1 } };

	stream_begin_full(s, ts_ns, &rec, name);
}

static inline void stream_body(struct stream *s, __u64 ts_ns, __u32 id, __u32 parent, __u32 code,
			       __u64 globals, const char *name)
{
	struct pyi_begin rec = { .id = id, .parent = parent, .span = PYI_SPAN_BODY, .code = code,
				 .globals = globals, .frame = { 0, -1 } };

	stream_begin_full(s, ts_ns, &rec, name);
}

static inline void stream_fail(struct stream *s, __u64 ts_ns, __u32 id, const char *error)
{
	struct pyi_end rec = { .hdr = stream_hdr(s, PYI_EV_END, sizeof(rec), ts_ns), .id = id,
			       .failed = error != NULL };

	if (error)
		strncpy(rec.error, error, sizeof(rec.error) - 1);
	stream_apply(s, &rec, sizeof(rec));
}

static inline void stream_end(struct stream *s, __u64 ts_ns, __u32 id)
{
	stream_fail(s, ts_ns, id, NULL);
}

static inline void stream_mark(struct stream *s, __u64 ts_ns, __u32 id, __u32 mark)
{
	struct pyi_mark rec = { .hdr = stream_hdr(s, PYI_EV_MARK, sizeof(rec), ts_ns), .id = id,
				.mark = mark, .frame = { 0, -1 } };

	stream_apply(s, &rec, sizeof(rec));
}

static inline void stream_import_error(struct stream *s, __u64 ts_ns, __u32 id, const char *type)
{
	struct pyi_mark rec = { .hdr = stream_hdr(s, PYI_EV_MARK, sizeof(rec), ts_ns), .id = id,
				.mark = PYI_MARK_IMPORT_ERROR, .frame = { 0, -1 },
				.name = { .sz = strlen(type) } };

	memcpy(rec.text, type, strlen(type));
	stream_apply(s, &rec, sizeof(rec));
}

/* Line table of 3.11: @lines code units of 2 bytes, one line each from @first on. */
static inline void stream_code(struct stream *s, __u32 id, __u64 globals, const char *module,
			       const char *package, const char *file, const char *name, int first,
			       int lines)
{
	size_t size = sizeof(struct pyi_code) + 512;
	struct pyi_code *rec = calloc(1, size);

	rec->hdr = stream_hdr(s, PYI_EV_CODE, size, 1);
	rec->id = id;
	rec->firstlineno = first;
	rec->globals = globals;
	rec->lines = PYI_LINES_LOCATIONS;
	rec->module = stream_str(module);
	rec->package = stream_str(package);
	rec->filename = stream_str(file);
	rec->name = stream_str(name);
	memcpy(rec->module_text, module, strlen(module));
	memcpy(rec->package_text, package, strlen(package));
	memcpy(rec->filename_text, file, strlen(file));
	memcpy(rec->name_text, name, strlen(name));
	for (int i = 0; i < lines; i++) {
		rec->table[rec->table_sz++] = 0x80 | 13 << 3; /* one unit, no columns */
		rec->table[rec->table_sz++] = i ? 2 : 0;      /* line delta + 1 or 0 */
	}
	stream_apply(s, rec, size);
	free(rec);
}

static inline void stream_edge(struct stream *s, __u64 ts_ns, __u32 id, __u32 span, int level,
			       int has_from, __u32 code, int lasti, const char *name)
{
	size_t size = sizeof(struct pyi_edge) + PYI_STR_SMALL;
	struct pyi_edge *rec = calloc(1, size);

	rec->hdr = stream_hdr(s, PYI_EV_EDGE, size, ts_ns);
	rec->id = id;
	rec->span = span;
	rec->level = level;
	rec->has_from = has_from;
	rec->frame = (struct pyi_frame){ code, lasti };
	rec->name = stream_str(name);
	memcpy(rec->text, name, strlen(name));
	stream_apply(s, rec, size);
	free(rec);
}

static inline void stream_frames(struct stream *s, __u32 span, const struct pyi_frame *frames,
				 __u32 cnt)
{
	struct pyi_frames rec = { .hdr = stream_hdr(s, PYI_EV_FRAMES, sizeof(rec), 1), .span = span,
				  .cnt = cnt };

	memcpy(rec.frames, frames, cnt * sizeof(*frames));
	stream_apply(s, &rec, sizeof(rec));
}

/* Behind the statement: its own frame, and its callers. */
static inline void stream_callers(struct stream *s, __u32 edge, const struct pyi_frame *frames,
				  __u32 cnt)
{
	struct pyi_frames rec = { .hdr = stream_hdr(s, PYI_EV_FRAMES, sizeof(rec), 1), .edge = edge,
				  .cnt = cnt };

	memcpy(rec.frames, frames, cnt * sizeof(*frames));
	stream_apply(s, &rec, sizeof(rec));
}

static inline void stream_from(struct stream *s, __u32 edge, const char *a, const char *b)
{
	size_t size = sizeof(struct pyi_from) + 2 * PYI_FROM_SZ;
	struct pyi_from *rec = calloc(1, size);

	rec->hdr = stream_hdr(s, PYI_EV_FROM, size, 1);
	rec->edge = edge;
	rec->cnt = rec->all = b ? 2 : 1;
	memcpy(rec->names[0], a, strlen(a));
	if (b)
		memcpy(rec->names[1], b, strlen(b));
	stream_apply(s, rec, size);
	free(rec);
}

static inline void stream_count(struct stream *s, __u32 id, __u32 count, __u32 loads)
{
	struct pyi_edge_count rec = { .hdr = stream_hdr(s, PYI_EV_EDGE_COUNT, sizeof(rec), 1),
				      .id = id, .count = count, .loads = loads, .first_ns = 1 };

	rec.hdr.tgid = rec.hdr.tid = 0; /* as user/probe makes it */
	stream_apply(s, &rec, sizeof(rec));
}

/* A whole load from source: FIND, new module, compiled, body. Ids @id and @id + 1. */
static inline void stream_open_load(struct stream *s, __u64 ts_ns, __u32 id, __u32 parent,
				    __u32 edge, __u32 code, __u64 globals, const char *name)
{
	stream_find(s, ts_ns, id, parent, edge, name);
	stream_mark(s, ts_ns + 10, id, PYI_MARK_NEW_MODULE);
	stream_mark(s, ts_ns + 20, id, PYI_MARK_COMPILE);
	stream_body(s, ts_ns + 30, id + 1, id, code, globals, name);
}

static inline void stream_close_load(struct stream *s, __u64 ts_ns, __u32 id)
{
	stream_end(s, ts_ns - 5, id + 1);
	stream_end(s, ts_ns, id);
}

static inline void stream_finish(struct stream *s, __u64 ts_ns)
{
	struct pyi_stats stats = {};

	model__set_stats(s->model, &stats);
	CHECK(model__finish(s->model, ts_ns) == 0);
}

static inline struct process *stream_process(struct stream *s, __u32 serial)
{
	for (size_t i = 0; i < model__process_cnt(s->model); i++)
		if (model__process(s->model, i)->serial == serial)
			return model__process(s->model, i);
	return NULL;
}

/* The @nth load of that name. */
static inline struct load *stream_load(struct stream *s, __u32 serial, const char *name, int nth)
{
	struct process *process = stream_process(s, serial);

	for (size_t i = 0; process && i < process->load_cnt; i++)
		if (process->loads[i]->module && !strcmp(process->loads[i]->module, name) && !nth--)
			return process->loads[i];
	return NULL;
}

static inline struct edge *stream_find_edge(struct stream *s, __u32 serial, int line,
					    const char *to)
{
	struct process *process = stream_process(s, serial);

	for (size_t i = 0; process && i < process->edge_cnt; i++)
		if (process->edges[i]->importer.line == line &&
		    !strcmp(process->edges[i]->module, to))
			return process->edges[i];
	return NULL;
}

static inline void same(int line, const char *what, const char *got, const char *want)
{
	if (strcmp(got ?: "NULL", want))
		FAIL("line %d: %s is \"%s\", want \"%s\"", line, what, got ?: "NULL", want);
}

#define SAME(got, want) same(__LINE__, #got, got, want)

/* A process with its `__main__` body open: span 1, code 10, globals 0x10. */
static inline void open_main(struct stream *s)
{
	stream_open(s);
	stream_exec(s, 1000, 50, "python3\0app.py", 15);
	stream_code(s, 10, 0x10, "__main__", "", "/app/app.py", "<module>", 1, 9);
	stream_body(s, 2000, 1, 0, 10, 0x10, "__main__");
}

#endif
