// SPDX-License-Identifier: BSD-2-Clause
/* Findings about what imports do beyond loading: the network, children, pools of threads. */
#include <errno.h>

#include "model/advice/finding_kinds.h"

#define POOL_CNT 2 /* threads started by one import that make a pool */

/* The program's own main module may do what it likes. */
static bool is_import(const struct load *load)
{
	return load && load->via != VIA_MAIN && !load->is_inherited;
}

static struct finding *add(struct advice *advice, enum finding_rule rule, const struct load *load)
{
	struct finding *finding = advice_add(advice);

	if (!finding)
		return NULL;
	finding->rule = rule;
	finding->site = load->importer;
	finding->load = load;
	finding->confidence = CONFIDENCE_HIGH;
	return finding;
}

/* One finding per import; uses are in order of time. */
static struct finding *find_network(struct advice *advice, const struct load *load)
{
	for (size_t i = 0; i < advice->finding_cnt; i++)
		if (advice->findings[i].rule == FINDING_NETWORK &&
		    advice->findings[i].load == load)
			return &advice->findings[i];
	return add(advice, FINDING_NETWORK, load);
}

static int add_network(struct advice *advice, const struct process *process)
{
	const struct process_net *net = &process->net;

	for (size_t i = 0; i < net->cnt; i++) {
		const struct net_use *use = net->uses[i];
		struct finding *finding;

		/* A local socket that is not even there, as nscd's, is no use of the network. */
		if (!is_import(use->load) || (use->error && !use->sent && !use->blocked_ns) ||
		    (use->address && use->address[0] == 'u'))
			continue;
		finding = find_network(advice, use->load);
		if (!finding)
			return -ENOMEM;
		finding->cnt++;
		finding->observed_ns += use->blocked_ns;
		if (!finding->peer)
			finding->peer = use->name ? use->name : use->address;
	}
	return 0;
}

int advice_add_effects(struct advice *advice, const struct process *process)
{
	const struct process_net *net = &process->net;
	struct finding *finding;
	int err = add_network(advice, process);

	for (size_t i = 0; i < net->effect_cnt && !err; i++) {
		const struct effect *effect = net->effects[i];

		if (!is_import(effect->load))
			continue;
		if (effect->children) {
			finding = add(advice, FINDING_CHILD, effect->load);
			if (!finding)
				return -ENOMEM;
			finding->cnt = effect->children;
			finding->observed_ns = effect->load->charge->wait_ns[PYI_WAIT_CHILD];
		}
		if (effect->threads >= POOL_CNT) {
			finding = add(advice, FINDING_THREADS, effect->load);
			if (!finding)
				return -ENOMEM;
			finding->cnt = effect->threads;
		}
	}
	return err;
}
