/* SPDX-License-Identifier: BSD-2-Clause */
/* Private to user/report: findings in words, the same in text, JSON and CI formats. */
#ifndef REPORT_FINDING_H
#define REPORT_FINDING_H

#include "model/advice.h"
#include "report/view.h"

const char *word_rule(enum finding_rule rule);
const char *word_confidence(enum confidence confidence);
const char *word_severity(const struct advice *advice, const struct finding *finding);

/* "app/cli.py:3 imports pandas, and nothing else does". Escaped. */
void phrase_finding(const struct view *view, const struct process *process,
		    const struct finding *finding, struct text_buf *buf);

/* What to do about it. Escaped. */
void phrase_remedy(const struct view *view, const struct process *process,
		   const struct finding *finding, struct text_buf *buf);

#endif
