/* SPDX-License-Identifier: BSD-2-Clause */
/* Private to the two writers of `diff`. */
#ifndef REPORT_DIFF_OUT_H
#define REPORT_DIFF_OUT_H

#include "report/view.h"

#define DIFF_DOUBT_CNT 10
extern const char *const diff_doubt_words[DIFF_DOUBT_CNT]; /* by bit of enum diff_doubt */

#endif
