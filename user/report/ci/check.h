/* SPDX-License-Identifier: BSD-2-Clause */
/* Private to the writers of `check`: verdicts in words. */
#ifndef REPORT_CI_CHECK_H
#define REPORT_CI_CHECK_H

#include "model/compare/budget.h"
#include "model/graph/why.h"
#include "report/view.h"

const char *word_verdict(enum verdict_result result);

/* "modules", "services.a: time", "forbidden torch": what was checked. Not escaped. */
void phrase_checked(const struct verdict *verdict, struct text_buf *buf);

/* "312 modules, 12 more than the 300 allowed". Not escaped. */
void phrase_verdict(const struct verdict *verdict, struct text_buf *buf);

/*
 * The chain of statements that led to the verdict's load; *graph and *why are to be freed and
 * cleared. chain_cnt 0: there is none to tell. 0 or -ENOMEM.
 */
int verdict_chain(const struct verdict *verdict, struct graph **graph, struct why *why);

/* Where to point at: the last statement of the chain in the program's own files. May be empty. */
struct site verdict_site(const struct verdict *verdict, const struct why *why);

/*
 * The file @path as the repository @root names it; else from @cwd on, where its program was
 * started; else as it is. Both may be NULL.
 */
void ci_place(const char *root, const char *cwd, const char *path, struct text_buf *out);

/* "; chain: main.py:1 app.cli > app/cli.py:3 torch"; nothing without statements. Not escaped. */
void phrase_chain(const struct why *why, struct text_buf *buf);

#endif
