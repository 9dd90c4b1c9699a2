/* SPDX-License-Identifier: BSD-2-Clause */
/* The trace itself, for commands that show it in a way of their own. */
#ifndef CLI_COMMANDS_TRACE_H
#define CLI_COMMANDS_TRACE_H

struct opts;
struct trace_hooks;

/* trace_run with @hooks (trace/session.h), which are given @ctx; NULL: the usual ones. */
int trace_run_with(const struct opts *opts, const struct trace_hooks *hooks, void *ctx);

#endif
