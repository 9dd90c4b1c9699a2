/* SPDX-License-Identifier: BSD-2-Clause */
/* Private to user/report: what its files share. */
#ifndef REPORT_VIEW_H
#define REPORT_VIEW_H

#include <stdint.h>
#include <stdio.h>

#include "base/table.h"
#include "base/text.h"
#include "model/model.h"
#include "report/registry.h"
#include "report/report.h"
#include "report/uses.h"

#define TOP_DEFAULT 10
#define WIDTH_NARROW 80 /* below, tables leave the kind out */

/* Marks that were written in front of names, which the legend explains. */
struct view_marks { bool has_approx, has_odd; };

/* One report being written. The width in `opts` is resolved. */
struct view {
	const struct model *model; /* that of `input` */
	struct report_input input;
	struct report_opts opts;
	unsigned int uses; /* enum uses: what it shows */
	bool is_whole; /* no width was given: tables are as wide as what is in them */
	struct view_marks *marks;
	FILE *out;
};

/* The writers. 0 or -ENOMEM; errors of view->out are seen by report_write. */
#define REPORT_WRITER(name, write, uses) int write(const struct view *view);
#define REPORT_COMMAND_WRITER(command, format, write, uses) int write(const struct view *view);
REPORT_VIEWS(REPORT_WRITER)
REPORT_FORMATS(REPORT_WRITER)
REPORT_COMMANDS(REPORT_COMMAND_WRITER)
#undef REPORT_WRITER
#undef REPORT_COMMAND_WRITER

static inline enum table_style style_of(const struct load *load)
{
	return load->result == LOAD_LOADED ? TABLE_PLAIN : TABLE_RED;
}

static inline size_t view_top(const struct view *view)
{
	return view->opts.top ? view->opts.top : TOP_DEFAULT;
}

static inline bool view_is_narrow(const struct view *view)
{
	return view->opts.width < WIDTH_NARROW;
}

static inline struct table_look view_look(const struct view *view, size_t indent)
{
	return (struct table_look){
		.width = (size_t)view->opts.width, .is_whole = view->is_whole, .indent = indent,
		.use_color = view->opts.use_color, .use_ascii = view->opts.use_ascii,
	};
}

#endif
