/* SPDX-License-Identifier: BSD-2-Clause */
/* The figure by which an export weighs modules: time, CPU, memory or bytes. */
#ifndef REPORT_TEXT_MEASURE_H
#define REPORT_TEXT_MEASURE_H

#include <stdbool.h>

#include "report/view.h"

enum measure { MEASURE_TIME, MEASURE_CPU, MEASURE_MEMORY, MEASURE_BYTES, MEASURE_MAX };

const char *measure_name(enum measure measure); /* as in --by */
const char *measure_unit(enum measure measure); /* "nanoseconds" or "bytes" */

/* -EINVAL: no such name. NULL is time. */
int measure_find(const char *name, enum measure *out);

/* What has to be recorded for it: enum uses. */
unsigned int measure_uses(const char *name);

/* What @load itself cost, without its children. False: not measured. Memory can be negative. */
bool measure_self(enum measure measure, const struct load *load, long long *out);

/* Was it measured for any load of the process? */
bool measure_has(enum measure measure, const struct process *process);

#endif
