// SPDX-License-Identifier: GPL-2.0-only
/* What is known of a connection, sent; when it is there, and when nothing more can come of it. */
#include "causes/net.bpf.h"

__noinline int net_send(struct pyi_net_value *value)
{
	struct pyi_net *rec;

	if (!value)
		return 0;
	rec = bpf_ringbuf_reserve(&events, sizeof(*rec), 0);
	if (!rec) {
		count_loss(ring_full);
		return 0;
	}
	fill_hdr(&rec->hdr, PYI_EV_NET, sizeof(*rec), value->serial);
	rec->hdr.tid = value->tid;
	bpf_probe_read_kernel(&rec->value, sizeof(rec->value), value);
	bpf_ringbuf_submit(rec, wake_flag());
	return 0;
}

/* The peer reset it, and the reader has heard of that: nothing more will come. */
__noinline int net_ended(struct pyi_net_value *net, u64 sk)
{
	if (!net || net->type == SOCK_DGRAM ||
	    BPF_CORE_READ((struct sock *)sk, __sk_common.skc_state) != TCP_CLOSE)
		return 0;
	net_send(net);
	bpf_map_delete_elem(&conns, &sk);
	return 0;
}

/* A connection that was not waited for is there, or will never be; one that was is over. */
SEC("?tp_btf/inet_sock_set_state")
int BPF_PROG(net_state, const struct sock *sk, int old, int new)
{
	u64 key = (u64)sk;
	struct pyi_net_value *net = bpf_map_lookup_elem(&conns, &key);

	if (!net)
		return 0;
	if (old == TCP_SYN_SENT && net->wall_ns == UNKNOWN_NS)
		net->wall_ns = bpf_ktime_get_ns() - net->start_ns;
	if (new != TCP_CLOSE)
		return 0;
	if (old == TCP_SYN_SENT)
		net->error = sk->sk_err;
	net_send(net);
	/* Reset by the peer while somebody has it open: what waits in it is still to be counted. */
	if (old == TCP_SYN_SENT || !sk->sk_socket)
		bpf_map_delete_elem(&conns, &key);
	return 0;
}
