/* SPDX-License-Identifier: BSD-2-Clause */
/* Captures in memory: of a program with every kind of record, and what plays them back. */
#ifndef CAPTURE_BYTES_H
#define CAPTURE_BYTES_H

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "event/capture.h"
#include "model/tape/tape.h"
#include "report/report.h"
#include "stream.h"

#define BYTES "/srv/\xff\xc3\xa9\x80\x01"


struct bytes {
	unsigned char *data;
	size_t size;
};

static inline struct bytes slurp(FILE *file)
{
	struct bytes bytes = {};
	long size;

	fflush(file);
	fseek(file, 0, SEEK_END);
	size = ftell(file);
	rewind(file);
	bytes.data = malloc(size + 1);
	bytes.size = fread(bytes.data, 1, size, file);
	return bytes;
}

static inline int play(const void *data, size_t size, struct model **model,
		       struct tape_result *result)
{
	FILE *in = fmemopen((void *)data, size, "r");
	int err;

	CHECK(!model__new(model));
	err = in ? tape_play(in, *model, result) : -EINVAL;
	if (in)
		fclose(in);
	return err;
}

static inline int play_and_drop(const void *data, size_t size, struct tape_result *result)
{
	struct model *model;
	int err = play(data, size, &model, result);

	model__free(model);
	return err;
}

static inline char *report(const struct model *model, const char *view, const char *format)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	CHECK(report_write(&(struct report_input){ .model = model }, view, format, NULL, out) == 0);
	fclose(out);
	return text;
}

/* A program with every kind of record that tests/unit/stream.h makes. */
static inline void tell_program(struct stream *s)
{
	const char *argv[] = { "python3", "app.py", "caf\xe9" };
	const char *notes[] = { "a note", "a second \"one\"" };
	struct process_info process = { .exe = "/usr/bin/python3", .cwd = BYTES, .argv = argv,
					.argc = 3 };
	struct python_info python = { .version = "3.11.2", .implementation = "cpython",
				      .binary = BYTES, .free_threaded = true, .layers = 0x1ff,
				      .notes = notes, .note_cnt = 2 };
	struct host_info host = { .kernel = "6.1.0", .arch = "x86_64", .hostname = "example",
				  .tool_version = "0.1", .trace_start_ns = 5 };

	CHECK(!model__set_host(s->model, &host));
	stream_exec(s, 100, 1, "python3\0app.py", 15);
	CHECK(!model__set_process_info(s->model, 1, &process));
	stream_code(s, 1, 0x1000, "__main__", "", "/srv/app.py", "<module>", 1, 9);
	stream_body(s, 200, 1, 0, 1, 0x1000, "__main__");
	stream_edge(s, 210, 1, 1, 0, 0, 1, 4, "alpha");
	stream_open_load(s, 220, 10, 1, 1, 0, 0, "alpha");
	stream_fork(s, 300, 101, 2);
	stream_close_load(s, 900, 10);
	stream_edge(s, 950, 2, 1, 0, 1, 1, 6, "alpha");
	stream_from(s, 2, "one", "two");
	stream_count(s, 1, 3, 1);
	stream_end(s, 1000, 1);
	stream_exit(s, 1100, 0);
	CHECK(!model__set_python_info(s->model, 0, &python));
	CHECK(!model__add_unprobed(s->model, &python));
	model__set_late_starts(s->model, 5);
}

/* The capture of that program, and the model it was made from. */
static inline struct bytes record(struct stream *s)
{
	struct pyi_stats stats = { .ring_full = 3, .hits = 77, .ends_unmatched = ~0ULL };
	FILE *file = tmpfile();
	struct tape *tape = NULL;
	struct bytes bytes;

	stream_open(s);
	CHECK(!tape__new(file, s->model, &tape));
	tell_program(s);
	model__set_stats(s->model, &stats);
	CHECK(!tape__flush(tape));
	CHECK(!tape__end(tape, 1200));
	tape__free(tape);
	CHECK(!model__finish(s->model, 1200));
	bytes = slurp(file);
	fclose(file);
	return bytes;
}

#endif /* CAPTURE_BYTES_H */
