/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MODEL_TREE_UNPROBED_H
#define MODEL_TREE_UNPROBED_H

#include <stdbool.h>

struct process_state;

/*
 * Were its first imports missed? Its exec was seen and so were imports, but none of those that each
 * CPython begins with. All its loads must be known.
 */
bool process_has_begun_unseen(const struct process_state *state);

#endif
