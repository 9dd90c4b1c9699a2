/* SPDX-License-Identifier: BSD-2-Clause */
/* One line on a terminal's stderr while tracing, rewritten in place, gone before anything else. */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include <stdbool.h>

struct model;

/* Shows nothing unless stderr is a terminal we are in the foreground of. */
void progress_start(void);
void progress_update(const struct model *model); /* at most ten times a second */
/* The same for what has no model: a line of one's own, shown at once. */
void progress_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void progress_clear(void);
void progress_stop(void);

#endif
