/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What imports do beyond loading: connections, name look-ups, sleeps, locks, threads and children.
 * Part of model.h, which includes it.
 */
#ifndef MODEL_NET_H
#define MODEL_NET_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include "pyimport_file.h"

struct load;

struct net_use {
	enum pyi_net_kind kind;
	const char *address; /* "192.0.2.1:443", "[::1]:80", "unix:/run/x"; NULL = unknown */
	const char *name;    /* DNS: what was asked for; NULL = unknown */
	struct load *load;   /* NULL: outside imports */
	__u32 tid;
	__u64 start_ns;
	__u64 wall_ns;       /* until connected, answered, first accepted; NS_UNKNOWN */
	__u64 blocked_ns;    /* inside connect, send, receive and poll */
	__u64 sent, received;
	int error;           /* errno, 0 = none */
	bool is_datagram;
};

/* Of one import, itself, or of what ran outside of imports. */
struct effect {
	struct load *load;
	__u32 threads, children, sleeps, locks;
	__u64 sleep_ns, lock_ns;
	__u64 signals;       /* bit N-1: it set a handler for signal N */
};

struct process_net {
	struct net_use **uses; /* by start */
	size_t cnt, cap;
	struct effect **effects; /* by import */
	size_t effect_cnt, effect_cap;
};

#endif
