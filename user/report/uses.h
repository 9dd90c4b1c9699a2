/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What of a trace a view, format or command shows beside loads and who asked for them. A live
 * trace records just that; a report of a trace that lacks it says so.
 */
#ifndef REPORT_USES_H
#define REPORT_USES_H

#include "pyimport_charge.h"

enum uses {
	USES_LOADS = 0,
	USES_CPU = PYI_GROUP_CPU | PYI_GROUP_WAKE,
	USES_FILES = PYI_GROUP_FILES | PYI_GROUP_DISK,
	USES_MEMORY = PYI_GROUP_MEMORY,
	USES_NET = PYI_GROUP_NET,
	USES_PHASES = PYI_GROUP_PHASES,
	/* Without them its answer would be another one. */
	USES_STATEMENTS = PYI_GROUP_STATEMENTS,
	/* Shown where they are recorded: in the trace of a command. What runs does not pay. */
	USES_SOME_STATEMENTS = 1 << 30,
	USES_BY_MEASURE = 1 << 29, /* what --by says */
	USES_OF_VIEW = 1 << 28,    /* of a command: what its view or format uses */

	USES_HEAD = USES_CPU | USES_PHASES, /* what text views say of each process */
	USES_CAUSES = USES_CPU | USES_FILES | USES_MEMORY | USES_NET | USES_PHASES,
	USES_ALL = USES_CAUSES | USES_STATEMENTS,
};

/* Of a view in text, or of another format; @by: what folded stacks weigh. NULL = the first. */
unsigned int report_uses(const char *view, const char *format, const char *by);

#endif
