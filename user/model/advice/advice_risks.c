// SPDX-License-Identifier: BSD-2-Clause
/* Which risks belong to which deferral: those of the loads that vanish with it. */
#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "model/advice/advice_more.h"

static int add_risk(struct finding *finding, struct risk *risk)
{
	if (finding->risk_cnt == finding->risk_cap) {
		__u32 cap = finding->risk_cap ? 2 * finding->risk_cap : 4;
		const struct risk **bigger = reallocarray(finding->risks, cap, sizeof(*bigger));

		if (!bigger)
			return -ENOMEM;
		finding->risks = bigger;
		finding->risk_cap = cap;
	}
	finding->risks[finding->risk_cnt++] = risk;
	return 0;
}

static bool is_dominated(const struct gains *gains, __u32 node, __u32 by)
{
	while (node != by && node != GRAPH_ROOT)
		node = gains->dominators.idom[node];
	return node == by;
}

/* As many walks over the graph as its gain took. */
static int add_all(const struct advice *advice, struct finding *finding)
{
	const struct gains *gains = advice->gains;
	const struct graph_stmt *stmt = &gains->graph->stmts[finding->stmt];
	_cleanup_free_ bool *gone = NULL;
	int err = 0;

	if (stmt->run_cnt > 1) {
		gone = calloc(gains->graph->node_cnt, sizeof(*gone));
		if (!gone)
			return -ENOMEM;
		for (__u32 i = 0; i < stmt->run_cnt; i++)
			gone[stmt->first_run + i] = true;
		err = graph_take_away(gains->graph, gone);
	}
	for (size_t i = 0; i < advice->risks.cnt && !err; i++) {
		struct risk *risk = advice->risks.all[i];
		__u32 node = graph_node_of(risk->load);

		if (gone ? gone[node] : is_dominated(gains, node, stmt->first_run))
			err = add_risk(finding, risk);
	}
	return err;
}

int advice_add_risks(struct advice *advice)
{
	int err = risks_find(advice->gains->graph->process, &advice->risks);

	for (size_t i = 0; i < advice->finding_cnt && advice->risks.cnt && !err; i++) {
		struct finding *finding = &advice->findings[i];

		if (finding->rule != FINDING_DEFER)
			continue;
		err = add_all(advice, finding);
		if (finding->risk_cnt && finding->confidence != CONFIDENCE_LOW)
			finding->confidence--;
	}
	return err;
}
