// SPDX-License-Identifier: BSD-2-Clause
/*
 * See importtime.h. CPython writes a line when an import ends, children before their parent and
 * two blanks further in. Whatever else the program writes to stderr may stand between the lines,
 * or in front of one on the same line.
 */
#include "event/importtime.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "event/importtime_line.h"
#include "event/importtime_tree.h"

#define LINE_MAX_SZ 16384 /* names are cut at PYI_STR_LARGE anyway */

/* Where lines of the log belong to. */
struct source {
	struct tree tree;
	struct importtime_result *result;
	bool has_lines;   /* since the block began */
	bool is_named;    /* by a comment: the header behind it begins nothing new */
	__u32 serial;
	int err;
};

static void end_block(struct source *source)
{
	if (!source->err)
		source->err = tree__flush(&source->tree, &source->result->orphan_cnt);
	source->has_lines = false;
}

/* @tgid 0: unknown. */
static void begin_process(struct source *source, __u32 tgid, __u32 tid)
{
	end_block(source);
	if (!source->err)
		source->err = tree__begin_process(&source->tree, ++source->serial, tgid, tid);
	source->result->process_cnt++;
}

/* "# pyimport-bpf: process 12, thread 13, python3, Python 3.11.2": our own --format importtime. */
static bool take_comment(struct source *source, const char *line)
{
	unsigned int tgid, tid;

	if (sscanf(line, "# pyimport-bpf: process %u, thread %u,", &tgid, &tid) != 2)
		return false;
	if (source->serial && source->tree.tgid == tgid && tgid) {
		end_block(source);
		source->tree.tid = tid;
	} else {
		begin_process(source, tgid, tid);
	}
	source->is_named = true;
	return true;
}

static void take_header(struct source *source)
{
	if (!source->is_named)
		begin_process(source, 0, 0);
	source->is_named = false;
}

static void take_import(struct source *source, const struct importtime_line *line)
{
	if (!source->serial)
		begin_process(source, 0, 0); /* the log has lost its head */
	source->has_lines = true;
	source->is_named = false;
	if (source->err)
		return;
	if (line->is_cached) {
		source->result->cached_cnt++;
		source->err = tree__cached(&source->tree, line->name);
		return;
	}
	source->result->import_cnt++;
	source->result->negative_cnt += line->self_us < 0;
	source->err = tree__add(&source->tree, line);
}

static void take_line(struct source *source, char *text)
{
	struct importtime_line line;

	switch (importtime_parse(text, &line)) {
	case LINE_HEADER:
		take_header(source);
		return;
	case LINE_IMPORT:
		take_import(source, &line);
		return;
	case LINE_OTHER:
		if (!take_comment(source, text))
			source->result->other_cnt++;
	}
}

/* Behind the first part of a line that is too long for us. */
static void skip_rest(FILE *in, const char *line, size_t size)
{
	int c = size && line[size - 1] != '\n' ? getc(in) : '\n';

	while (c != EOF && c != '\n')
		c = getc(in);
}

/* Like fgets, but a NUL in the line does not hide what is behind it. */
static size_t read_line(FILE *in, char *line, size_t max)
{
	size_t size = 0;
	int c = 0;

	while (size + 1 < max && c != '\n' && (c = getc(in)) != EOF)
		line[size++] = c ? (char)c : ' ';
	line[size] = '\0';
	return size;
}

int importtime_read(FILE *in, importtime_fn fn, void *ctx, struct importtime_result *result)
{
	_cleanup_free_ char *line = malloc(LINE_MAX_SZ);
	struct source source = { .tree = { .fn = fn, .ctx = ctx }, .result = result };
	size_t size;

	*result = (struct importtime_result){};
	if (!line)
		return -ENOMEM;
	errno = 0;
	while (!source.err && (size = read_line(in, line, LINE_MAX_SZ))) {
		skip_rest(in, line, size);
		line[strcspn(line, "\r\n")] = '\0';
		take_line(&source, line);
	}
	if (!source.err && ferror(in))
		source.err = errno ? -errno : -EIO;
	end_block(&source);
	tree__free(&source.tree);
	return source.err;
}
