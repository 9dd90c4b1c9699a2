/* SPDX-License-Identifier: BSD-2-Clause */
/* Private to advice*.c: statements worth a finding, and which of them contain which. */
#ifndef MODEL_ADVICE_ADVICE_CANDIDATES_H
#define MODEL_ADVICE_ADVICE_CANDIDATES_H

#include "model/advice/advice.h"

#define SAME_PCT 90 /* of the gain of the statement above: it brings the same */

/* One statement and what it would bring. */
struct candidate {
	__u32 stmt;
	struct gain gain;
	bool is_own, is_entry;
	__u32 lost_cnt; /* nodes that are lost without it */
	__u32 above; /* nearest candidate without which it is lost as well, or GRAPH_NONE */
	__u64 parts_ns; /* gains of the candidates right below it */
	bool is_same;   /* a candidate below brings the same */
};

struct candidates {
	struct candidate *all;
	__u32 cnt;
	__u32 *of_stmt; /* index + 1 by statement; 0 = none */
};

/* Below it nothing is worth a finding. */
__u64 advice_least_gain(const struct gains *gains);

/*
 * Statements with a gain, dearest first by what they ask for; of these the program's own if there
 * are any; then what they contain. 0 or -ENOMEM.
 */
int candidates_find(struct advice *advice, struct candidates *out);

/* In the text of -c: what stands there is what is to be run, and nobody defers it. */
bool stmt_is_of_text(const struct graph *graph, const struct graph_stmt *stmt);

/*
 * The statement that brings the program in is not to be deferred: there is nothing without it. Of
 * an installed script the package it comes from is the program. 0 or -ENOMEM. advice_entry.c
 */
int candidates_find_entry(struct advice *advice, struct candidates *candidates);

/* Does it stand in the package that is the program of an installed script? */
bool advice_is_of_program(const struct advice *advice, const struct graph_stmt *stmt);

/* Of an installed script: one of the statements that bring its program in. */
bool advice_is_entry(const struct advice *advice, const struct graph_stmt *stmt);

/* The dearest load it asks for, of those first that the question asked last lost (NULL: none). */
const struct load *stmt_dearest(const struct graph *graph, const struct graph_stmt *stmt,
				const struct reach *reach);

#endif
