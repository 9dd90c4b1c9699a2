/* SPDX-License-Identifier: BSD-2-Clause */
/* Private to user/report: findings in words, the same in text, JSON and CI formats. */
#ifndef REPORT_TEXT_FINDING_H
#define REPORT_TEXT_FINDING_H

#include "model/advice/advice.h"
#include "report/view.h"

const char *word_rule(enum finding_rule rule);
const char *word_confidence(enum confidence confidence);
const char *word_severity(const struct advice *advice, const struct finding *finding);

/* "app/cli.py:3 imports pandas, and nothing else does". Escaped. */
void phrase_finding(const struct view *view, const struct process *process,
		    const struct finding *finding, struct text_buf *buf);

/* "pandas"; "a module" where its name is not known. Escaped. */
void phrase_known_name(const struct view *view, const struct load *load, struct text_buf *buf);

/* remedy.c: what to do about it. Escaped. */
void phrase_remedy(const struct view *view, const struct process *process,
		   const struct finding *finding, struct text_buf *buf);

/* risk.c */
#define SIGNAL_NAME_SZ 16
const char *word_risk(enum risk_kind kind);
const char *word_signal(char buf[SIGNAL_NAME_SZ], unsigned int number); /* "SIGINT"; returns @buf */
void phrase_signals(__u64 signals, struct text_buf *buf); /* "SIGINT, SIGTERM" */

/* "app.db (app/cli.py:3) talks to 192.0.2.1:443 and 2 more". Escaped. */
void phrase_risk(const struct view *view, const struct process *process, const struct risk *risk,
		 struct text_buf *buf);

#endif
