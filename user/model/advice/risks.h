/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What was seen of a module while it loaded that may be meant to happen at start-up: if its import
 * is deferred, that happens later, in another thread, or never.
 */
#ifndef MODEL_ADVICE_RISKS_H
#define MODEL_ADVICE_RISKS_H

#include "model/model.h"

enum risk_kind {
	RISK_THREADS = 0, /* threads started */
	RISK_CHILDREN,    /* child processes started */
	RISK_NETWORK,     /* connections and look-ups */
	RISK_LISTEN,      /* sockets listened on */
	RISK_SIGNALS,     /* signal handlers set */
	RISK_FILES,       /* files opened for writing; compiled modules are not meant */
	RISK_KIND_CNT,
};

/* One kind of thing that one import did. */
struct risk {
	enum risk_kind kind;
	const struct load *load;
	__u32 cnt;        /* of them */
	const char *what; /* NETWORK, LISTEN: first name or address, FILES: first path; NULL */
	__u64 signals;    /* SIGNALS: bit N-1 for signal N */
};

struct risks {
	struct risk **all; /* by start of the import, then by kind */
	size_t cnt, cap;
};

/* Starts as {0}. 0 or -ENOMEM; to be freed in both cases. */
int risks_find(const struct process *process, struct risks *out);
void risks_free(struct risks *risks);

#endif
