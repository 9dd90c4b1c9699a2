// SPDX-License-Identifier: GPL-2.0-only
/*
 * What else reaches out of an import: sleeps, file locks, signal handlers, threads and children
 * started.
 */
#include "core/io.bpf.h"

#define SIG_DEFAULT 0
#define SIG_IGNORE 1
#define SIG_LIBC_1 32 /* the C library's own, set with the first thread */
#define SIG_LIBC_2 33

static __always_inline struct pyi_effect_value *effect_entry(struct io *io)
{
	struct effect_key key = { io->serial, io->span, charge_parity, 0 };
	struct pyi_effect_value none = {}, *value = bpf_map_lookup_elem(&effects, &key);

	if (value)
		return value;
	bpf_map_update_elem(&effects, &key, &none, BPF_NOEXIST);
	return bpf_map_lookup_elem(&effects, &key);
}

__noinline int note_wait(struct io *io, u32 is_lock)
{
	struct pyi_effect_value *effect;

	if (!io)
		return 0;
	effect = effect_entry(io);
	if (!effect) {
		count_loss(net_full);
		return 0;
	}
	if (is_lock) {
		__sync_fetch_and_add(&effect->locks, 1);
		__sync_fetch_and_add(&effect->lock_ns, io->ns);
	} else {
		__sync_fetch_and_add(&effect->sleeps, 1);
		__sync_fetch_and_add(&effect->sleep_ns, io->ns);
	}
	return 0;
}

/* What to do at a signal. A handler that was put aside while the signal was ignored is no news. */
__noinline int note_signal(struct io *io)
{
	struct pyi_effect_value *effect;
	u64 handler = 0, bit;

	if (!io || io->ret || !io->args[1] || io->args[0] == SIG_LIBC_1 ||
	    io->args[0] == SIG_LIBC_2 ||
	    bpf_probe_read_user(&handler, sizeof(handler), (void *)io->args[1]) ||
	    handler == SIG_DEFAULT)
		return 0;
	effect = effect_entry(io);
	if (!effect) {
		count_loss(net_full);
		return 0;
	}
	bit = 1ULL << ((io->args[0] - 1) & 63);
	if (handler == SIG_IGNORE)
		effect->ignored |= bit;
	else if (effect->ignored & bit)
		effect->ignored &= ~bit;
	else
		effect->signals |= bit;
	return 0;
}

/* Threads and children; what becomes of them is told elsewhere. */
SEC("?tp_btf/sched_process_fork")
int BPF_PROG(net_fork, struct task_struct *parent, struct task_struct *child)
{
	struct io *io = io_now();
	struct pyi_spawn *rec;

	if (!io)
		return 0;
	io_set_span(io);
	rec = bpf_ringbuf_reserve(&events, sizeof(*rec), 0);
	if (!rec) {
		count_loss(ring_full);
		return 0;
	}
	fill_hdr(&rec->hdr, PYI_EV_SPAWN, sizeof(*rec), io->serial);
	rec->span = io->span;
	rec->child_tid = child->pid;
	rec->is_thread = parent->tgid == child->tgid;
	rec->pad = 0;
	bpf_ringbuf_submit(rec, wake_flag());
	return 0;
}
