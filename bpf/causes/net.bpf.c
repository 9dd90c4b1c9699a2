// SPDX-License-Identifier: GPL-2.0-only
/*
 * The network: connections, name look-ups, sockets listened on. A connection is counted under its
 * struct sock until that is closed (if its peer resets it: until the reader was told), used again,
 * or tracing ends.
 */
#include "causes/net.bpf.h"

#define AF_UNIX 1
#define AF_INET 2
#define AF_INET6 10
#define DNS_PORT 53
#define DNS_HEADER_SZ 12
#define EINPROGRESS 115
#define EINTR 4
#define F_SETLKW 7
#define F_OFD_SETLKW 38
#define TCP_ESTABLISHED 1

/* What the kernel's ABI calls sockaddr_in, sockaddr_in6, pollfd, iovec and msghdr. */
struct addr_in { u16 family; __be16 port; __be32 addr; };
struct addr_in6 { u16 family; __be16 port; u32 flow; u8 addr[16]; u32 scope; };
struct user_iovec { u64 base, sz; };
struct user_msghdr { u64 name; u32 name_sz, pad; u64 iov, iov_cnt, control, control_sz, flags; };
struct user_mmsghdr { struct user_msghdr hdr; u32 sz, pad; };

static __always_inline u16 swap16(u16 value)
{
	return value << 8 | value >> 8;
}

/* Starts to put together io->net for the socket in io->id. */
static __always_inline struct pyi_net_value *net_start(struct io *io, u16 kind)
{
	struct pyi_net_value *net = &io->net.value;

	__builtin_memset(net, 0, sizeof(*net));
	net->id = io->id.sk;
	net->start_ns = io->now - io->ns;
	net->wall_ns = UNKNOWN_NS;
	net->serial = io->serial;
	net->span = io->span;
	net->tid = bpf_get_current_pid_tgid();
	net->kind = kind;
	net->type = io->id.sock_type;
	return net;
}

static const struct pyi_net_value no_net = {};

/* Keeps io->net under its socket. */
__noinline int net_keep(struct io *io)
{
	struct pyi_net_value *old;
	u64 key;

	if (!io)
		return 0;
	key = io->net.value.id;
	old = bpf_map_lookup_elem(&conns, &key);
	if (old) /* it was closed, and this is another one at its address */
		net_send(old);
	net_send(&io->net.value);
	/* 6.1 takes the value for a map from a map or the stack, not from a function's argument. */
	if (!old) {
		bpf_map_update_elem(&conns, &key, &no_net, BPF_ANY);
		old = bpf_map_lookup_elem(&conns, &key);
	}
	if (old)
		*old = io->net.value;
	else
		count_loss(net_full);
	return 0;
}

/* The address at @addr, and what its port says of the kind. */
__noinline int net_addr(struct io *io, u64 addr, u32 sz)
{
	struct pyi_net_value *net;
	u16 family;

	if (!io)
		return 0;
	net = &io->net.value;
	if (sz > PYI_ADDR_SZ)
		sz = PYI_ADDR_SZ;
	if (bpf_probe_read_user(net->addr, sz, (void *)addr))
		return 0;
	net->addr_sz = sz;
	family = *(u16 *)net->addr;
	if ((family == AF_INET || family == AF_INET6) &&
	    *(u16 *)(net->addr + 2) == swap16(DNS_PORT))
		net->kind = PYI_NET_DNS;
	return 0;
}

/* An address of the socket itself: its own when listening, else its peer's. */
__noinline int net_sock_addr(struct io *io, u32 is_own)
{
	struct pyi_net_value *net;
	struct sock_common *common;
	struct addr_in6 *in6;
	struct addr_in *in;
	u16 family, port;

	if (!io || !io->id.sk)
		return 0;
	net = &io->net.value;
	common = &((struct sock *)io->id.sk)->__sk_common;
	family = BPF_CORE_READ(common, skc_family);
	port = is_own ? swap16(BPF_CORE_READ(common, skc_num)) : BPF_CORE_READ(common, skc_dport);
	*(u16 *)net->addr = family;
	net->addr_sz = sizeof(family);
	if (family == AF_INET) {
		in = (struct addr_in *)net->addr;
		in->port = port;
		in->addr = is_own ? BPF_CORE_READ(common, skc_rcv_saddr) :
				    BPF_CORE_READ(common, skc_daddr);
		net->addr_sz = sizeof(*in);
	} else if (family == AF_INET6) {
		in6 = (struct addr_in6 *)net->addr;
		in6->port = port;
		if (is_own)
			BPF_CORE_READ_INTO(&in6->addr, common, skc_v6_rcv_saddr);
		else
			BPF_CORE_READ_INTO(&in6->addr, common, skc_v6_daddr);
		net->addr_sz = sizeof(*in6);
	}
	return 0;
}

/* On this very machine it may be settled before the call returns. */
static __always_inline void connect_state(struct io *io, struct pyi_net_value *net)
{
	struct sock *sk = (struct sock *)io->id.sk;
	u8 state = BPF_CORE_READ(sk, __sk_common.skc_state);

	if (state == TCP_SYN_SENT)
		return;
	net->wall_ns = io->ns;
	if (state == TCP_CLOSE)
		net->error = BPF_CORE_READ(sk, sk_err);
}

__noinline int call_connect(struct io *io)
{
	struct pyi_net_value *net;

	if (!io || fd_id(io, io->args[0]) || !io->id.sk)
		return 0;
	net = net_start(io, PYI_NET_CONNECT);
	net_addr(io, io->args[1], io->args[2]);
	if (*(u16 *)net->addr != AF_UNIX && *(u16 *)net->addr != AF_INET &&
	    *(u16 *)net->addr != AF_INET6)
		return 0; /* a datagram socket that lets go of its peer; other families */
	net->blocked_ns = io->ns;
	if (io->ret != -EINPROGRESS && io->ret != -EINTR)
		net->wall_ns = io->ns;
	if (io->ret < 0 && io->ret != -EINPROGRESS && io->ret != -EINTR)
		net->error = -io->ret;
	if (io->ret == -EINPROGRESS)
		connect_state(io, net);
	if (io->id.sock_type == SOCK_DGRAM)
		net->wall_ns = UNKNOWN_NS; /* nothing has been sent yet */
	return net_keep(io);
}

__noinline int call_listen(struct io *io)
{
	if (!io || io->ret || fd_id(io, io->args[0]) || !io->id.sk)
		return 0;
	net_start(io, PYI_NET_LISTEN);
	net_sock_addr(io, 1);
	return net_keep(io);
}

/* Of a listening socket the first connection is told; the others are counted. */
__noinline int call_accept(struct io *io)
{
	struct pyi_net_value *listener;
	u64 key;

	if (!io || io->ret < 0 || fd_id(io, io->args[0]) || !io->id.sk)
		return 0;
	key = io->id.sk;
	listener = bpf_map_lookup_elem(&conns, &key);
	if (listener && __sync_fetch_and_add(&listener->received, 1))
		return 0;
	if (listener)
		listener->wall_ns = io->now - listener->start_ns;
	if (fd_id(io, io->ret) || !io->id.sk)
		return 0;
	net_start(io, PYI_NET_ACCEPT)->wall_ns = io->ns;
	net_sock_addr(io, 0);
	return net_keep(io);
}

/* The question's name, as it stands behind the header of a DNS packet. */
__noinline int read_query(struct pyi_net_value *net, u64 data, u64 sz)
{
	if (!net || net->kind != PYI_NET_DNS || net->query_sz || sz <= DNS_HEADER_SZ)
		return 0;
	sz -= DNS_HEADER_SZ;
	if (sz > PYI_QUERY_SZ)
		sz = PYI_QUERY_SZ;
	if (!bpf_probe_read_user(net->query, sz, (void *)(data + DNS_HEADER_SZ)))
		net->query_sz = sz;
	return 0;
}

/* The connection of descriptor @fd; made when a datagram names its receiver itself. */
static __always_inline struct pyi_net_value *conn_of(struct io *io, u32 fd, u64 addr, u32 addr_sz)
{
	struct pyi_net_value *net;
	u64 key;

	if (fd_id(io, fd) || !io->id.sk)
		return NULL;
	key = io->id.sk;
	net = bpf_map_lookup_elem(&conns, &key);
	if (net && net->serial == io->serial)
		return net;
	if (!addr || io->id.sock_type != SOCK_DGRAM)
		return NULL;
	net_start(io, PYI_NET_CONNECT);
	net_addr(io, addr, addr_sz);
	net_keep(io);
	return bpf_map_lookup_elem(&conns, &key);
}

static __always_inline void add_sent(struct io *io, struct pyi_net_value *net, u64 sz)
{
	__sync_fetch_and_add(&net->sent, sz);
	__sync_fetch_and_add(&net->blocked_ns, io->ns);
}

__noinline int call_send(struct io *io)
{
	struct user_msghdr hdr = {};
	struct pyi_net_value *net;

	if (!io || io->ret < 0)
		return 0;
	if (io->call == PYI_CALL_SEND) {
		hdr.name = io->args[4];
		hdr.name_sz = sizeof(struct addr_in6);
	} else {
		bpf_probe_read_user(&hdr, sizeof(hdr), (void *)io->args[1]);
	}
	net = conn_of(io, io->args[0], hdr.name, hdr.name_sz);
	if (!net)
		return 0;
	if (io->call == PYI_CALL_SEND) {
		read_query(net, io->args[1], io->args[2]);
	} else {
		struct user_iovec iov = {};

		bpf_probe_read_user(&iov, sizeof(iov), (void *)hdr.iov);
		read_query(net, iov.base, iov.sz);
	}
	add_sent(io, net, io->ret);
	return 0;
}

#define MSGS_MAX 8 /* messages of one sendmmsg that are looked at */

__noinline int call_sendmmsg(struct io *io)
{
	struct user_mmsghdr msg = {};
	struct user_iovec iov = {};
	struct pyi_net_value *net;
	u64 sent = 0;

	if (!io || io->ret <= 0)
		return 0;
	bpf_probe_read_user(&msg, sizeof(msg), (void *)io->args[1]);
	net = conn_of(io, io->args[0], msg.hdr.name, msg.hdr.name_sz);
	if (!net)
		return 0;
	bpf_probe_read_user(&iov, sizeof(iov), (void *)msg.hdr.iov);
	read_query(net, iov.base, iov.sz);
	for (int i = 0; i < MSGS_MAX && i < io->ret; i++) {
		bpf_probe_read_user(&msg, sizeof(msg), (void *)(io->args[1] + i * sizeof(msg)));
		sent += msg.sz;
	}
	add_sent(io, net, sent);
	return 0;
}

__noinline int sock_moved(struct io *io, u64 sk)
{
	struct pyi_net_value *net;

	if (!io)
		return 0;
	net = bpf_map_lookup_elem(&conns, &sk);
	if (!net || net->serial != io->serial || net->kind == PYI_NET_LISTEN)
		return 0;
	if (io->call == PYI_CALL_WRITE) {
		if (io->ret > 0)
			add_sent(io, net, io->ret);
		return 0;
	}
	__sync_fetch_and_add(&net->blocked_ns, io->ns);
	if (io->ret <= 0) {
		net_ended(net, sk);
		return 0;
	}
	__sync_fetch_and_add(&net->received, io->ret);
	if (net->kind == PYI_NET_DNS) /* the last answer so far */
		net->wall_ns = io->now - net->start_ns;
	return 0;
}

/* Waiting for one socket is that socket's; waiting for none is sleeping. */
__noinline int call_poll(struct io *io)
{
	struct pyi_net_value *net;
	u32 fd = 0;

	if (!io)
		return 0;
	if (!io->args[1])
		return note_wait(io, 0);
	if (io->args[1] != 1 || bpf_probe_read_user(&fd, sizeof(fd), (void *)io->args[0]))
		return 0;
	net = conn_of(io, fd, 0, 0);
	if (net)
		__sync_fetch_and_add(&net->blocked_ns, io->ns);
	return 0;
}

__noinline int net_call(struct io *io)
{
	if (!io)
		return 0;
	io_set_span(io);
	switch (io->call) {
	case PYI_CALL_CONNECT: return call_connect(io);
	case PYI_CALL_SEND:
	case PYI_CALL_SENDMSG: return call_send(io);
	case PYI_CALL_SENDMMSG: return call_sendmmsg(io);
	case PYI_CALL_RECV: return fd_id(io, io->args[0]) ? 0 : sock_moved(io, io->id.sk);
	case PYI_CALL_LISTEN: return call_listen(io);
	case PYI_CALL_ACCEPT: return call_accept(io);
	case PYI_CALL_POLL: return call_poll(io);
	case PYI_CALL_SLEEP: return note_wait(io, 0);
	case PYI_CALL_SELECT: return io->args[0] ? 0 : note_wait(io, 0);
	case PYI_CALL_FLOCK: return note_wait(io, 1);
	case PYI_CALL_FCNTL:
		return io->args[1] == F_SETLKW || io->args[1] == F_OFD_SETLKW ?
			       note_wait(io, 1) : 0;
	case PYI_CALL_SIGACTION: return note_signal(io);
	}
	return 0;
}
