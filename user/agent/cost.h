/* SPDX-License-Identifier: BSD-2-Clause */
/* What the agent costs the host. */
#ifndef AGENT_COST_H
#define AGENT_COST_H

#include "agent/metrics.h"

/* CPU and memory of the agent and of its children; what cannot be read stays as it is. */
void cost_read(struct agent_state *state);

#endif
