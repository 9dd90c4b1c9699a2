/* SPDX-License-Identifier: BSD-2-Clause */
/* Documents to one collector, by libcurl. */
#ifndef AGENT_OTLP_CLIENT_H
#define AGENT_OTLP_CLIENT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct client;
struct opts;

/* Reads the file of headers. -errno after a logged message: no libcurl, no such file, no URL. */
int client__new(const struct opts *opts, struct client **out);
void client__free(struct client *client); /* NULL-safe */

/* What its documents are: JSON, or protobuf. */
bool client__is_json(const struct client *client);

/*
 * Posts a document to @path below the URL; gives up when *stop becomes true. 0; -EAGAIN: later, and
 * *wait_s is what the collector asks to wait (0 = it does not say); -EPROTO: it takes no such
 * document.
 */
int client__post(struct client *client, const char *path, const void *body, size_t sz,
		 const atomic_bool *stop, long *wait_s);

/* Why the last one was not taken. */
const char *client__error(const struct client *client);

#endif
