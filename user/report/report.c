// SPDX-License-Identifier: BSD-2-Clause
/*
 * The registry of views and formats, and the one place where errors of writing are caught:
 * writers print to a stream of ours that remembers the first errno of the real one.
 */
#include "report/report.h"

#include <errno.h>
#include <stdio_ext.h>
#include <string.h>

#include "report/view.h"

#define WIDTH_DEFAULT 100
#define WIDTH_MIN 40
#define WIDTH_MAX 1000

const char *const report_views[] = {
	"summary", "tree", "blame", "workers", "inventory", "advice", "phases",
	"causes", "files", "libs", "net",
	NULL,
};
const char *const report_formats[] = {
	"text", "json", "importtime",
	"chrome", "speedscope", "folded", "dot", "openmetrics", "otlp", "html", "sqlite",
	NULL,
};

const char *const check_formats[] = {"text", "json", "junit", "sarif", "github", "markdown", NULL};
const char *const diff_formats[] = {"text", "json", "markdown", NULL};

static const struct report_ops {
	const char *format, *view; /* view NULL: any */
	int (*write)(const struct view *view);
} registry[] = {
	{"text", "summary", summary_write},
	{"text", "tree", tree_write},
	{"text", "blame", blame_write},
	{"text", "phases", phases_write},
	{"text", "workers", workers_write},
	{"text", "inventory", inventory_write},
	{"text", "causes", causes_write},
	{"text", "files", files_write},
	{"text", "libs", libs_write},
	{"text", "net", net_write},
	{"text", "advice", advice_write},
	{"text", "why", why_write}, /* not among report_views: it needs a module */
	{"json", "why", why_write_json},
	{"text", "bench", bench_write}, /* of `bench` */
	{"json", "bench", bench_write_json},
	{"text", "check", check_write}, /* needs a budget */
	{"json", "check", check_write_json},
	{"junit", "check", check_write_junit},
	{"sarif", "check", check_write_sarif},
	{"github", "check", check_write_github},
	{"markdown", "check", check_write_markdown},
	{"text", "diff", diff_write}, /* nor this: it needs another model */
	{"json", "diff", diff_write_json},
	{"markdown", "diff", diff_write_markdown},
	{"json", NULL, json_write},
	{"importtime", "summary", importtime_write}, /* the default view: the format decides */
	{"importtime", "tree", importtime_write},
	{"chrome", NULL, chrome_write},
	{"speedscope", NULL, speedscope_write},
	{"folded", NULL, folded_write},
	{"dot", NULL, dot_write},
	{"openmetrics", NULL, openmetrics_write},
	{"otlp", NULL, otlp_write},
	{"html", NULL, html_write},
	{"sqlite", NULL, sqlite_write},
};

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
	const cookie_io_functions_t io = {.write = sink_write};
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

int report_write(const struct model *model, const char *view_name, const char *format,
		 const struct report_opts *opts, FILE *out)
{
	struct sink sink = {.out = out};
	struct view view = {.model = model};

	view_name = view_name ? view_name : report_views[0];
	format = format ? format : report_formats[0];
	if (opts)
		view.opts = *opts;
	/* Nobody's terminal: a document is UTF-8 everywhere. */
	if (!report_is_for_people(format))
		view.opts.use_ascii = false;
	if (view.opts.width <= 0)
		view.opts.width = WIDTH_DEFAULT;
	if (view.opts.width < WIDTH_MIN)
		view.opts.width = WIDTH_MIN;
	if (view.opts.width > WIDTH_MAX)
		view.opts.width = WIDTH_MAX;
	if (!is_name(report_views, view_name) && strcmp(view_name, "why") && strcmp(view_name, "check") &&
	    strcmp(view_name, "bench") &&
	    (strcmp(view_name, "diff") || !view.opts.before))
		return -EINVAL;
	for (size_t i = 0; i < sizeof(registry) / sizeof(registry[0]); i++) {
		const struct report_ops *ops = &registry[i];

		if (!strcmp(ops->format, format) && (!ops->view || !strcmp(ops->view, view_name)))
			return write_to(&sink, ops, &view);
	}
	return -EINVAL;
}
