/* SPDX-License-Identifier: BSD-2-Clause */
/* Who may read the metrics: names, and bcrypt hashes of their passwords. */
#ifndef AGENT_HTTP_USERS_H
#define AGENT_HTTP_USERS_H

#include <stdbool.h>

struct users;

/* Lines NAME:HASH, as htpasswd -B writes them. -errno after a logged message. */
int users__read(const char *path, struct users **out);
void users__free(struct users *users); /* NULL-safe */

/*
 * Is it the password of that name? What was right the last time is known at once. To look at any
 * other takes up to a tenth of a second of CPU time: for a second behind a wrong one none is.
 */
bool users__allow(struct users *users, const char *name, const char *password);

#endif
