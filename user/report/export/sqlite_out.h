/* SPDX-License-Identifier: BSD-2-Clause */
/* Private to the two files of --format sqlite. */
#ifndef REPORT_EXPORT_SQLITE_OUT_H
#define REPORT_EXPORT_SQLITE_OUT_H

#include <sqlite3.h>

#include "report/view.h"

/* Each 0 or -ENOMEM. */
int sqlite_put_trace(sqlite3 *db, const struct view *view); /* meta, loss */
int sqlite_put_process(sqlite3 *db, const struct process *process); /* all the rest */

#endif
