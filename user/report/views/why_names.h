/* SPDX-License-Identifier: BSD-2-Clause */
/* `why`: a package as a whole, and names that may have been meant. */
#ifndef REPORT_VIEWS_WHY_NAMES_H
#define REPORT_VIEWS_WHY_NAMES_H

#include "report/view.h"

/* What the start-up spent under a package and its submodules; nothing of a module without any. */
void why_package(const struct view *view, const struct process *process, const char *package,
		 __u64 imports_ns);

/* No process loaded what was asked for. */
void why_nothing(const struct view *view);

#endif
