/* SPDX-License-Identifier: BSD-2-Clause */
/* What a process is called in a metric. */
#ifndef AGENT_LABELS_H
#define AGENT_LABELS_H

#include "agent/series.h"

struct process;

/* @text made harmless and cut to fit; NULL is "". */
void label_set(char label[LABEL_SZ], const char *text);

/*
 * Its entry point: the script as an absolute path where that is known, "-m MODULE", "-c" (without
 * its text), "-" for what comes from the standard input, else the name of the program. With
 * @is_redacted a script is the last part of its path.
 */
void labels_of(const struct process *process, bool is_redacted, struct labels *labels);

#endif
