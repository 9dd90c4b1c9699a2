/* SPDX-License-Identifier: BSD-2-Clause */
/* The socket behind --listen. */
#ifndef AGENT_LISTEN_H
#define AGENT_LISTEN_H

#include <stdbool.h>

/*
 * A socket that listens at @address (http.h), or -errno after a logged message. *is_unix: there is
 * a file to remove at the end. It has the mode 0600; one that nobody listens at is replaced.
 */
int listen_at(const char *address, bool asks_password, bool is_tls, bool *is_unix);

#endif
