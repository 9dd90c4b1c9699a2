/* SPDX-License-Identifier: BSD-2-Clause */
/* The door of user/agent: start-ups of the whole host, folded into metrics for months. */
#ifndef AGENT_AGENT_H
#define AGENT_AGENT_H

struct agent;
struct opts;
struct trace_hooks;

/* How to read the options once more: 0 or -errno after a message. */
struct agent_reload {
	const struct opts *opts; /* those it begins with */
	int (*read)(const struct opts *opts, struct opts *fresh);
	void (*clear)(struct opts *fresh);
};

/* Opens what it listens at. -errno after a logged message. */
int agent__new(const struct agent_reload *reload, struct agent **out);
void agent__free(struct agent *agent); /* NULL-safe */

/* What makes a session feed the agent, which is their ctx. */
extern const struct trace_hooks agent_hooks;

#endif
