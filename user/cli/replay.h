/* SPDX-License-Identifier: BSD-2-Clause */
/* Files of others for the commands that trace nothing: captures, logs of -X importtime. */
#ifndef CLI_REPLAY_H
#define CLI_REPLAY_H

#include <stdbool.h>

struct model;
struct opts;

struct replay {
	struct model *model; /* finished; the caller frees it */
	bool is_partial;     /* cut or damaged: what came before is in the model */
};

/*
 * Reads @path ("-": standard input), in the format that --from names. Logs what fails, and warns
 * of what is only a part. 0 or -errno; with 0 there is a model.
 */
int replay_load(const struct opts *opts, const char *path, struct replay *replay);

#endif
