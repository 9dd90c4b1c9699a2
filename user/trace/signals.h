/* SPDX-License-Identifier: BSD-2-Clause */
/* Signals to us, as flags for the main loop. */
#ifndef TRACE_SIGNALS_H
#define TRACE_SIGNALS_H

#include <stdbool.h>

struct launch;

/*
 * Takes over SIGINT, SIGTERM, SIGHUP, SIGCHLD and SIGPIPE (not those we were started with
 * ignored). With @launch, SIGTERM and SIGHUP go on to the command, and so does a SIGINT that
 * somebody sent to us alone: one from the terminal has reached the command by itself. Without, the
 * first of the three asks to stop. A second SIGINT, 0.2 s later or more, has its default effect in
 * any case. Of a SIGINT that was ignored only the terminal's stays so.
 */
void signals_install(const struct launch *launch);

bool signals_want_stop(void);

/* Before signals_install: a SIGHUP asks for that, as a daemon's does, not for the end. */
void signals_reload_at_hangup(void);
/* One has come since the last call. */
bool signals_take_reload(void);

/* What is left to do is short: everything has its default effect again, SIGPIPE but ignored. */
void signals_restore(void);

#endif
