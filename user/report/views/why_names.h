/* SPDX-License-Identifier: BSD-2-Clause */
/* `why`: a package as a whole, and names that may have been meant. */
#ifndef REPORT_VIEWS_WHY_NAMES_H
#define REPORT_VIEWS_WHY_NAMES_H

#include "report/view.h"

/* Its submodules that were loaded, and what the start-up spent under it and them. */
__u64 why_package_ns(const struct process *process, const char *package, size_t *cnt);

/* The same in words; nothing of a module without any. */
void why_package(const struct view *view, const struct process *process, const char *package,
		 __u64 imports_ns);

/* No process loaded what was asked for. */
void why_nothing(const struct view *view);

#endif
