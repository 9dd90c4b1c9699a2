/* SPDX-License-Identifier: GPL-2.0-only */
/* Connections: what their beginning (net.bpf.c) and their end (net_end.bpf.c) share. */
#ifndef BPF_CAUSES_NET_BPF_H
#define BPF_CAUSES_NET_BPF_H

#include "core/io.bpf.h"

#define SOCK_DGRAM 2
#define TCP_SYN_SENT 2
#define TCP_CLOSE 7
#define UNKNOWN_NS (~0ULL)

/* Sends what is known of a connection. */
int net_send(struct pyi_net_value *value);
/* Nothing could be read from its socket: forgets it if nothing ever will. */
int net_ended(struct pyi_net_value *net, u64 sk);

#endif
