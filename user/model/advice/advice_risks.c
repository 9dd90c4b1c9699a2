// SPDX-License-Identifier: BSD-2-Clause
/* Which risks belong to which deferral: those of the loads that vanish with it. */
#include <errno.h>
#include <stdlib.h>

#include "model/advice/finding_kinds.h"

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

static int add_all(const struct advice *advice, struct finding *finding)
{
	const struct gains *gains = advice->gains;
	struct gain gain;
	int err = 0;

	err = gains__of_stmts(gains, finding->stmts, finding->stmt_cnt, &gain);
	for (size_t i = 0; i < advice->risks.cnt && !err; i++) {
		struct risk *risk = advice->risks.all[i];

		if (reach__is_lost(gains->reach, graph_node_of(risk->load)))
			err = add_risk(finding, risk);
	}
	return err;
}

int advice_add_risks(struct advice *advice)
{
	int err = risks_find(advice->gains->graph->process, &advice->risks);

	for (size_t i = 0; i < advice->finding_cnt && advice->risks.cnt && !err; i++) {
		struct finding *finding = &advice->findings[i];

		if (finding->rule != FINDING_DEFER && finding->rule != FINDING_TOGETHER)
			continue;
		err = add_all(advice, finding);
		if (finding->risk_cnt && finding->confidence != CONFIDENCE_LOW)
			finding->confidence--;
	}
	return err;
}
