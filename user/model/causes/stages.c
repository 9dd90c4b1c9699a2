// SPDX-License-Identifier: BSD-2-Clause
/*
 * Stages of a load between the search and the module's own code: reading, then compiling or
 * unmarshalling; and why there was something to compile.
 */
#include "model/causes/stages.h"

static __u64 between(__u64 from_ns, __u64 to_ns)
{
	return from_ns && to_ns >= from_ns ? to_ns - from_ns : NS_UNKNOWN;
}

static void settle_compile(struct load_state *state)
{
	struct load *load = &state->load;
	__u64 flags = load->charge->flags;

	if (!(load->process->measured & PYI_GROUP_FILES))
		return;
	load->compile_cause = flags & PYI_CHARGE_PYC_READ ? COMPILE_STALE :
			      flags & PYI_CHARGE_PYC_MISSING ? COMPILE_MISSING : COMPILE_UNKNOWN;
	load->pyc_fate = flags & PYI_CHARGE_PYC_WRITTEN ? PYC_WRITTEN :
			 flags & PYI_CHARGE_PYC_UNWRITABLE ? PYC_UNWRITABLE : PYC_UNWRITTEN;
}

/*
 * When the search was over. Nothing says so of source and bytecode; what is done next is to look
 * for the .pyc. Of frozen modules the code follows at once.
 */
static void settle_found(struct load_state *state)
{
	struct load *load = &state->load;
	bool is_known = state->found_at_ns && state->found_at_ns != state->compile_at_ns;
	__u64 inside_ns = 0;

	if (state->pyc_wanted_ns && !is_known)
		state->found_at_ns = state->pyc_wanted_ns;
	else if (!state->found_at_ns && load->kind == KIND_FROZEN)
		state->found_at_ns = state->body_at_ns;
	else
		return;
	for (size_t i = 0; i < load->child_cnt; i++) {
		const struct load *child = load->children[i];

		if (child->tid == load->tid && child->wall_ns != NS_UNKNOWN &&
		    child->start_ns < state->found_at_ns)
			inside_ns += child->wall_ns;
	}
	load->find_ns = between(load->start_ns + inside_ns, state->found_at_ns);
}

void stages_settle(struct load_state *state)
{
	struct load *load = &state->load;

	settle_found(state);
	load->read_ns = load->compile_ns = load->unmarshal_ns = NS_UNKNOWN;
	if (state->compile_at_ns)
		settle_compile(state);
	if (!state->found_at_ns || !state->body_at_ns)
		return;
	if (state->compile_at_ns) {
		load->read_ns = between(state->found_at_ns, state->compile_at_ns);
		load->compile_ns = between(state->compile_at_ns, state->body_at_ns);
	} else if (state->pyc_at_ns >= state->found_at_ns &&
		   state->pyc_at_ns <= state->body_at_ns) {
		load->read_ns = between(state->found_at_ns, state->pyc_at_ns);
		load->unmarshal_ns = between(state->pyc_at_ns, state->body_at_ns);
	}
}
