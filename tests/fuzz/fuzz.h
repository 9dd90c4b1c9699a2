/* SPDX-License-Identifier: BSD-2-Clause */
/* What the fuzz targets share: a model goes through every view and format, to nowhere. */
#ifndef FUZZ_H
#define FUZZ_H

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/model.h"
#include "report/report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Every pair that makes sense; the others must be refused. Writing to memory cannot fail. */
static inline void fuzz_report(const struct model *model)
{
	const struct report_input input = { .model = model };
	struct report_opts opts = { .width = 60, .use_color = true };
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	for (const char *const *format = report_formats; out && *format; format++) {
		for (const char *const *view = report_views; *view; view++) {
			int err = report_write(&input, *view, *format, &opts, out);

			if (err && err != -EINVAL && err != -ENOMEM)
				abort();
			rewind(out);
		}
	}
	if (out)
		fclose(out);
	free(text);
}

/* What always holds, whatever the records said. */
static inline void fuzz_check(const struct model *model)
{
	for (size_t i = 0; i < model__process_cnt(model); i++) {
		const struct process *process = model__process(model, i);

		for (size_t j = 0; j < process->load_cnt; j++) {
			const struct load *load = process->loads[j];

			if (load->process != process || load->seq != j)
				abort();
			if (load->parent && load->parent->process != process)
				abort();
			if (load->self_ns != NS_UNKNOWN && load->wall_ns != NS_UNKNOWN &&
			    load->self_ns > load->wall_ns)
				abort();
		}
	}
}

#endif
