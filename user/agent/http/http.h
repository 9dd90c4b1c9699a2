/* SPDX-License-Identifier: BSD-2-Clause */
/* The agent's answers over HTTP, from a thread of its own. */
#ifndef AGENT_HTTP_H
#define AGENT_HTTP_H

#include <stdbool.h>
#include <stdio.h>

struct http;
struct opts;

/* Called on that thread. */
struct http_ops {
	/* Writes the metrics; what goes wrong is an error of @out. */
	void (*metrics)(void *ctx, bool is_openmetrics, FILE *out);
	bool (*is_healthy)(void *ctx), (*is_ready)(void *ctx);
	void *ctx;
};

/*
 * Listens at --listen: HOST:PORT, [HOST]:PORT or unix:PATH, where HOST is a number, localhost, or
 * nothing for localhost; by TLS and for users if there are files of these. Nobody is answered
 * before http__start. -errno after a logged message.
 */
int http__new(const struct opts *opts, const struct http_ops *ops, struct http **out);
int http__start(struct http *http);

/* Reads the files once more. -errno after a logged message: the old ones go on. */
int http__renew(struct http *http, const struct opts *opts);
void http__free(struct http *http); /* NULL-safe; ends what is being answered */

#endif
