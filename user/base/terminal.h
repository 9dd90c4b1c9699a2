/* SPDX-License-Identifier: BSD-2-Clause */
/* What is known of the terminal behind a descriptor. */
#ifndef BASE_TERMINAL_H
#define BASE_TERMINAL_H

#include <stdbool.h>

/* Columns: what COLUMNS says, else the terminal's; 0 = neither, so nothing limits a line. */
int terminal_columns(int fd);

/* Does it show colours? Not where NO_COLOR is set or TERM is dumb. */
bool terminal_has_color(int fd);

/*
 * Does it make links of OSC 8? No terminal can be asked; those that are known to do so are named by
 * @get, which reads a variable of the user's environment. FORCE_HYPERLINK=1 or =0 decides.
 */
bool terminal_has_links(int fd, const char *(*get)(void *ctx, const char *name), void *ctx);

#endif
