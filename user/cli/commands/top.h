/* SPDX-License-Identifier: BSD-2-Clause */
/* `top`: what is starting now, on a terminal; lines of what started where there is none. */
#ifndef CLI_COMMANDS_TOP_H
#define CLI_COMMANDS_TOP_H

#include <linux/types.h>
#include <stdbool.h>

struct model;

/* Takes the terminal if standard input and output are one. */
void top_start(void);

/* Redraws a few times a second. False: the user has seen enough. */
bool top_update(const struct model *model, __u64 now_ns);

/* Gives the terminal back; where there was none, tells the rest. Before the model is finished. */
void top_finish(const struct model *model, __u64 now_ns);

/* Gives the terminal back, whatever happened. */
void top_stop(void);

#endif
