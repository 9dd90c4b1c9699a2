// SPDX-License-Identifier: BSD-2-Clause
/*
 * The registry of views and formats, and the one place where errors of writing are caught:
 * writers print to a stream of ours that remembers the first errno of the real one.
 */
#include "report/report.h"

#include <errno.h>
#include <stdio_ext.h>
#include <string.h>

#include "report/text/measure.h"
#include "report/view.h"

#define WIDTH_DEFAULT 100
#define WIDTH_MIN 40
#define WIDTH_MAX 1000

#define NAME(name, write, uses) #name,
const char *const report_views[] = { REPORT_VIEWS(NAME) NULL };
const char *const report_formats[] = { "text", REPORT_FORMATS(NAME) NULL };
const char *const check_formats[] = { "text", "json", "junit", "sarif", "github", "markdown",
				      NULL };
const char *const diff_formats[] = { "text", "json", "markdown", "html", NULL };
const char *const plain_formats[] = { "text", "json", NULL };

/* What the commands show needs more than a model; it goes before the formats that take any view. */
#define VIEW_ROW(name, write, uses) { "text", #name, write, uses },
#define COMMAND_ROW(command, format, write, uses) { #format, #command, write, uses },
#define FORMAT_ROW(name, write, uses) { #name, NULL, write, uses },
static const struct report_ops {
	const char *format, *view; /* view NULL: any */
	int (*write)(const struct view *view);
	unsigned int uses;
} registry[] = {
	REPORT_VIEWS(VIEW_ROW)
	REPORT_COMMANDS(COMMAND_ROW)
	REPORT_FORMATS(FORMAT_ROW)
};

/* NULL: there is none. */
static const struct report_ops *find_ops(const char *view, const char *format)
{
	for (size_t i = 0; i < sizeof(registry) / sizeof(registry[0]); i++) {
		const struct report_ops *ops = &registry[i];

		if (!strcmp(ops->format, format) && (!ops->view || !strcmp(ops->view, view)))
			return ops;
	}
	return NULL;
}

unsigned int report_uses(const char *view, const char *format, const char *by)
{
	const struct report_ops *ops = find_ops(view ? view : report_views[0],
						format ? format : report_formats[0]);
	unsigned int uses = ops ? ops->uses : USES_ALL;

	return uses & USES_BY_MEASURE ? measure_uses(by) : uses;
}

struct sink {
	FILE *out;
	int err;
};

static ssize_t sink_write(void *cookie, const char *data, size_t sz)
{
	struct sink *sink = cookie;

	if (!sink->err) {
		errno = 0;
		if (fwrite(data, 1, sz, sink->out) != sz)
			sink->err = errno ? -errno : -EIO;
	}
	return sink->err ? 0 : (ssize_t)sz;
}

static bool is_name(const char *const *names, const char *name)
{
	for (; *names; names++)
		if (!strcmp(*names, name))
			return true;
	return false;
}

static int write_to(struct sink *sink, const struct report_ops *ops, struct view *view)
{
	const cookie_io_functions_t io = { .write = sink_write };
	int err;

	view->out = fopencookie(sink, "w", io);
	if (!view->out)
		return -ENOMEM;
	/* Ours alone: no lock per character, and few writes. */
	__fsetlocking(view->out, FSETLOCKING_BYCALLER);
	setvbuf(view->out, NULL, _IOFBF, 1 << 16);
	err = ops->write(view);
	if (fclose(view->out) && !sink->err)
		sink->err = -EIO;
	view->out = NULL;
	errno = 0;
	if (!sink->err && fflush(sink->out))
		sink->err = errno ? -errno : -EIO;
	return err ? err : sink->err;
}

bool report_is_for_people(const char *format)
{
	return !strcmp(format, "text") || !strcmp(format, "importtime");
}

int report_write(const struct report_input *input, const char *view_name, const char *format,
		 const struct report_opts *opts, FILE *out)
{
	struct sink sink = { .out = out };
	struct view_marks marks = {};
	struct view view = { .model = input->model, .input = *input, .marks = &marks };
	const struct report_ops *ops;

	view_name = view_name ? view_name : report_views[0];
	format = format ? format : report_formats[0];
	if (opts)
		view.opts = *opts;
	/* Nobody's terminal: a document is UTF-8 everywhere. */
	if (!report_is_for_people(format))
		view.opts.use_ascii = false;
	if (strcmp(format, "text") != 0)
		view.opts.use_links = false;
	view.is_whole = view.opts.width <= 0;
	if (view.is_whole)
		view.opts.width = WIDTH_DEFAULT;
	if (view.opts.width < WIDTH_MIN)
		view.opts.width = WIDTH_MIN;
	if (view.opts.width > WIDTH_MAX)
		view.opts.width = WIDTH_MAX;
	if (!is_name(report_views, view_name) && strcmp(view_name, "why") && strcmp(view_name, "check") &&
	    strcmp(view_name, "bench") &&
	    (strcmp(view_name, "diff") || !input->before))
		return -EINVAL;
	/* Lines of loads, as the default view and the tree are: other views have no such lines. */
	if (!strcmp(format, "importtime") && strcmp(view_name, "summary") &&
	    strcmp(view_name, "tree"))
		return -EINVAL;
	ops = find_ops(view_name, format);
	if (!ops)
		return -EINVAL;
	view.uses = report_uses(view_name, format, view.opts.by);
	return write_to(&sink, ops, &view);
}
