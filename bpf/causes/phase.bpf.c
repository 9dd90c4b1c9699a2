// SPDX-License-Identifier: GPL-2.0-only
/*
 * Readiness: a process listens, waits for a connection, gets one. Waiting is what counts as ready:
 * a server may bind long before it has loaded its model, and the master of a pre-fork server
 * listens though only its workers accept. Nothing is remembered of sockets: whether a descriptor
 * is one that listens, and who inherited it, is asked of the kernel when it is waited for.
 */
#include "core/io.bpf.h"
#include "pyimport_phase.h"

#define S_IFMT 0170000
#define S_IFSOCK 0140000
#define TCP_LISTEN 10 /* AF_UNIX uses the same number */
#define EPOLL_CTL_ADD 1
#define POLL_MAX 64   /* entries looked at: servers put their sockets first */
#define SELECT_WORDS 4
#define EPOLL_STEPS 256 /* three for every descriptor that is watched */

enum phase_flag {
	PHASE_LISTENED = 1 << 0,
	PHASE_ARMED = 1 << 1, /* an epoll descriptor watches a listening socket */
	PHASE_READY = 1 << 2,
	PHASE_ACCEPTED = 1 << 3,
	PHASE_URING = 1 << 4,
	PHASE_STALE = 1 << 5, /* io_uring may have changed what an epoll descriptor watches */
};

struct pollfd {
	s32 fd;
	short events, revents;
};

static __always_inline struct file *file_of(u32 fd)
{
	struct task_struct *task = (void *)bpf_get_current_task_btf();
	struct fdtable *fdt = BPF_CORE_READ(task, files, fdt);
	struct file **fds = BPF_CORE_READ(fdt, fd), *file = NULL;

	if (fd < BPF_CORE_READ(fdt, max_fds))
		bpf_probe_read_kernel(&file, sizeof(file), &fds[fd]);
	return file;
}

static __always_inline struct sock *sock_in(struct file *file)
{
	struct socket *socket;

	if (!file || (BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT) != S_IFSOCK)
		return NULL;
	socket = BPF_CORE_READ(file, private_data);
	return BPF_CORE_READ(socket, sk);
}

static __always_inline bool is_listener(struct file *file)
{
	struct sock *sk = sock_in(file);

	return sk && BPF_CORE_READ(sk, __sk_common.skc_state) == TCP_LISTEN;
}

/* Not static: verified once, whatever loop it stands in. */
__noinline int phase_listens(u32 fd)
{
	return is_listener(file_of(fd));
}

/* Where a walk through the tree of an epoll descriptor is: nodes, as numbers. */
struct phase_walk {
	u64 node, from;
};

/*
 * One step of it, up or down by the links alone (fs/eventpoll.c): -1 when it is over, 1 at a socket
 * that listens. By itself: with its three ways in the loop the verifier walked 81,000 instructions.
 */
__noinline int phase_step(struct phase_walk *walk)
{
	struct rb_node *node, *up, *next;

	if (!walk || !walk->node)
		return -1;
	node = (void *)walk->node;
	up = (void *)(BPF_CORE_READ(node, __rb_parent_color) & ~3UL);
	next = up;
	if (walk->from == (u64)up) {
		struct epitem *item = (void *)node - bpf_core_field_offset(struct epitem, rbn);

		if (is_listener(BPF_CORE_READ(item, ffd.file)))
			return 1;
		next = BPF_CORE_READ(node, rb_left) ?: BPF_CORE_READ(node, rb_right) ?: up;
	} else if (walk->from == (u64)BPF_CORE_READ(node, rb_left)) {
		next = BPF_CORE_READ(node, rb_right) ?: up;
	}
	walk->from = (u64)node;
	walk->node = (u64)next;
	return 0;
}

/* Does an epoll descriptor watch a listening socket? */
__noinline int phase_watches(u32 epoll_fd)
{
	struct eventpoll *ep = BPF_CORE_READ(file_of(epoll_fd), private_data);
	struct phase_walk walk = { .node = (u64)BPF_CORE_READ(ep, rbr.rb_root.rb_node) };
	int got = 0;

	for (u32 i = 0; i < EPOLL_STEPS && !got; i++)
		got = phase_step(&walk);
	return got > 0;
}

__noinline int phase_polls(u64 array, u64 cnt)
{
	struct pollfd one = {};

	for (u32 i = 0; i < POLL_MAX && i < cnt; i++) {
		if (bpf_probe_read_user(&one, sizeof(one), (void *)(array + i * sizeof(one))))
			return 0;
		if (one.fd >= 0 && phase_listens(one.fd))
			return 1;
	}
	return 0;
}

/* One word of a set of descriptors, of which the first is @base. */
__noinline int phase_word(u64 word, u32 base)
{
	for (u32 i = 0; i < 64; i++)
		if ((word >> i & 1) && phase_listens(base + i))
			return 1;
	return 0;
}

__noinline int phase_selects(u64 bits, u64 cnt)
{
	u64 word;

	for (u32 i = 0; i < SELECT_WORDS; i++) {
		if (i * 64 >= cnt || bpf_probe_read_user(&word, sizeof(word),
							 (void *)(bits + i * sizeof(word))))
			return 0;
		if (cnt - i * 64 < 64)
			word &= (1ULL << ((cnt - i * 64) & 63)) - 1;
		if (phase_word(word, i * 64))
			return 1;
	}
	return 0;
}

/* NULL: not followed. */
static __always_inline struct phase_state *state_of(void)
{
	u32 tgid = bpf_get_current_pid_tgid() >> 32;
	struct proc *proc = bpf_map_lookup_elem(&procs, &tgid);
	struct phase_state *state, fresh = {};

	if (!proc)
		return NULL;
	state = bpf_map_lookup_elem(&phases, &tgid);
	if (state && state->serial == proc->serial)
		return state;
	fresh.serial = proc->serial;
	bpf_map_update_elem(&phases, &tgid, &fresh, BPF_ANY);
	return bpf_map_lookup_elem(&phases, &tgid);
}

/* Somebody may be waiting for just this: wake the reader. */
static __always_inline void emit(u32 serial, u32 phase, u32 call, struct sock *sk)
{
	struct pyi_phase *rec = bpf_ringbuf_reserve(&events, sizeof(*rec), 0);

	if (!rec) {
		count_loss(ring_full);
		return;
	}
	fill_hdr(&rec->hdr, PYI_EV_PHASE, sizeof(*rec), serial);
	rec->phase = phase;
	rec->call = call;
	rec->family = sk ? BPF_CORE_READ(sk, __sk_common.skc_family) : 0;
	rec->port = sk ? BPF_CORE_READ(sk, __sk_common.skc_num) : 0;
	rec->pad = 0;
	bpf_ringbuf_submit(rec, BPF_RB_FORCE_WAKEUP);
}

__hidden void phase_enter(struct pt_regs *regs, u32 call)
{
	struct phase_state *state;
	int is_ready = 0;

	if (call == PYI_PHASE_CALL_LISTEN || call == PYI_PHASE_CALL_URING)
		return;
	state = state_of();
	if (!state || state->flags & PHASE_READY)
		return;
	switch (call) {
	case PYI_PHASE_CALL_ACCEPT:
		is_ready = phase_listens(SYSCALL_ARG0(regs));
		break;
	case PYI_PHASE_CALL_EPOLL_CTL:
		if (SYSCALL_ARG1(regs) == EPOLL_CTL_ADD && phase_listens(SYSCALL_ARG2(regs)))
			state->flags |= PHASE_ARMED;
		break;
	case PYI_PHASE_CALL_EPOLL_WAIT:
		if (state->flags & PHASE_STALE && phase_watches(SYSCALL_ARG0(regs)))
			state->flags |= PHASE_ARMED;
		state->flags &= ~PHASE_STALE;
		is_ready = state->flags & PHASE_ARMED;
		break;
	case PYI_PHASE_CALL_URING_ENTER: /* libuv adds to its epoll descriptor that way */
		state->flags |= PHASE_STALE;
		break;
	case PYI_PHASE_CALL_POLL:
		is_ready = phase_polls(SYSCALL_ARG0(regs), SYSCALL_ARG1(regs));
		break;
	case PYI_PHASE_CALL_SELECT:
		is_ready = SYSCALL_ARG1(regs) &&
			   phase_selects(SYSCALL_ARG1(regs), SYSCALL_ARG0(regs));
		break;
	}
	if (!is_ready)
		return;
	state->flags |= PHASE_READY;
	emit(state->serial, PYI_PHASE_READY, call, NULL);
}

__hidden void phase_exit(struct pt_regs *regs, u32 call)
{
	struct phase_state *state;
	u32 flag, phase;

	if (call == PYI_PHASE_CALL_LISTEN)
		flag = PHASE_LISTENED, phase = PYI_PHASE_LISTEN;
	else if (call == PYI_PHASE_CALL_ACCEPT)
		flag = PHASE_ACCEPTED, phase = PYI_PHASE_ACCEPT;
	else if (call == PYI_PHASE_CALL_URING)
		flag = PHASE_URING, phase = PYI_PHASE_URING;
	else
		return;
	state = state_of();
	if (!state || state->flags & flag)
		return;
	state->flags |= flag;
	emit(state->serial, phase, call,
	     phase == PYI_PHASE_URING ? NULL : sock_in(file_of(SYSCALL_ARG0(regs))));
}
