/* SPDX-License-Identifier: BSD-2-Clause */
/* A command traced several times over: each run by a process of our own, into a capture. */
#ifndef CLI_COMMANDS_REPEAT_H
#define CLI_COMMANDS_REPEAT_H

#include <stdbool.h>
#include <stddef.h>

struct model;
struct opts;

struct traced_runs {
	struct model **models; /* finished */
	size_t cnt, cap;
	bool is_untraced;      /* a run failed because nothing can be traced here */
};

/*
 * Runs @argv @cnt times and adds the models. What the command writes to its standard output is
 * thrown away; its standard error is shown if it could not be traced. 0, or -errno after a logged
 * message.
 */
int traced_runs__add(struct traced_runs *runs, const struct opts *opts, char *const *argv,
		     size_t cnt);

/* The same from a capture file. */
int traced_runs__read(struct traced_runs *runs, const struct opts *opts, const char *path);

void traced_runs__clear(struct traced_runs *runs);

#endif
