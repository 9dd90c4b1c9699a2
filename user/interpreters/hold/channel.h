/* SPDX-License-Identifier: BSD-2-Clause */
/* The holder's questions to the tracer, one after the other. Private to holder.c and hold.c. */
#ifndef INTERPRETERS_HOLD_CHANNEL_H
#define INTERPRETERS_HOLD_CHANNEL_H

#include <linux/types.h>
#include <stdbool.h>
#include "interpreters/hold/holder.h"

struct channel {
	int sock;
	__u32 seq;      /* of the last question */
	__u64 asked_ns; /* the answer to it is still owed since then; 0 = is not */
	/* How long what it is about was held: it was let go without it. */
	__u64 owed_start_ns, owed_ns;
};

/* With the descriptor @fd, if it is not -1. False: the other side takes no more. */
bool channel__send(struct channel *channel, struct holder_request *request, int fd);

/* 1: the answer to the last question; 0: it is not there yet; -EPIPE: the other side has gone. */
int channel__receive(struct channel *channel, struct holder_reply *out);

/* Two ends, of the tracer's and of the holder's. 0 or -errno. */
int channel_pair(int *ours, int *holders);

/* In the tracer, waits for a question: 1, and *fd if it has a descriptor; 0 at the end. */
int channel_take(int sock, struct holder_request *request, int *fd);

#endif
