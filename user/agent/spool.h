/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Captures of start-ups worth keeping, in a directory of their own: start-TIME-WHY-ENTRY-PID.cap,
 * mode 0600. Other files there are left alone.
 */
#ifndef AGENT_SPOOL_H
#define AGENT_SPOOL_H

#include <linux/types.h>
#include <stddef.h>

struct model;
struct notable;
struct opts;
struct spool;

struct spool_stats {
	__u64 kept_cnt, failed_cnt, dropped_cnt; /* written; could not be; removed, by a limit */
	__u64 bytes, files;                      /* there are now */
};

/* Makes the directory if need be. -errno after a logged message. */
int spool__new(const struct opts *opts, struct spool **out);
void spool__free(struct spool *spool); /* NULL-safe */

/* Other limits, for what is there too. */
void spool__limit(struct spool *spool, const struct opts *opts);

/* What is told in model_lean.on_fold. A failure is counted, and logged once in a row. */
void spool__keep(struct spool *spool, const struct model *part, const struct notable *notable);

void spool__stats(const struct spool *spool, struct spool_stats *out);

#endif
