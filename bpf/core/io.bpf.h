/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a followed thread does in the kernel: the state of the call it is in, the maps that count
 * files and effects, and the doors between the programs on every system call (call.bpf.c) and the
 * files that know what one of them means (file.bpf.c, path.bpf.c, net.bpf.c, phase.bpf.c).
 */
#ifndef BPF_CORE_IO_BPF_H
#define BPF_CORE_IO_BPF_H

#include "imports/stack.bpf.h"
#include "pyimport_file.h"

#define PATH_SLACK 256 /* a component is read behind the last byte that may be used */

#define S_KIND 0170000
#define S_SOCKET 0140000
#define S_DIRECTORY 0040000
#define S_REGULAR 0100000

/* What the kernel knows of an open file. */
struct file_id {
	u64 ino, size;
	u32 dev;
	u16 mode;
	u16 is_remote; /* no block device below it */
	u64 inode;     /* addresses */
	u64 dentry;
	u64 sk;        /* of a socket, its struct sock */
	u32 sock_type;
	u32 pad;
};

/* Of one thread of a followed process, in task storage. */
struct io {
	u32 serial;      /* of the image; 0: to be looked up again */
	u32 call;        /* enum pyi_call it is in, 0 = none */
	u64 enter_ns;    /* 0 = its begin was not seen */
	u64 now, ns;     /* the call's end, and how long it took; 0 = unknown */
	u64 args[5];
	s64 ret;
	u32 spent_ns;    /* in our programs, in calls that the thread's account does not have yet */
	u32 spent_calls;
	u64 read_bytes;  /* brought from disk by the read it is in */
	u32 span;        /* innermost open span */
	u32 in_link;     /* which is a dlopen of the interpreter */
	struct file_id id;
	u64 last_ino, last_path; /* the file that was named last */
	u32 last_dev;
	u32 is_text_fresh;       /* text holds the path of the key just found */
	struct pyi_net net;      /* one that is being put together */
	struct pyi_path rec;     /* its text follows */
	char text[PYI_PATH_SZ + PATH_SLACK];
};
_Static_assert(sizeof(struct io) <= STORAGE_MAX_SZ, "io");
_Static_assert(__builtin_offsetof(struct io, text) ==
	       __builtin_offsetof(struct io, rec) + sizeof(struct pyi_path), "text follows rec");

struct inode_key {
	u64 ino;
	u32 dev, pad;
};
struct ios_map {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct io);
};
/*
 * Adding to a map made beforehand costs 0.4 us, to one that grows 1 us: a start-up fits into the
 * first (6 MB), what opens 100,000 files while user space is away goes on in the second.
 */
struct files_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 32768);
	__type(key, struct pyi_file_key);
	__type(value, struct pyi_file_value);
};
struct more_files_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 262144);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct pyi_file_key);
	__type(value, struct pyi_file_value);
};
struct file_cnts_map { /* paths first seen in an image, by serial */
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 32768);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, u32);
	__type(value, u32);
};
struct path_slot {
	u64 key;
	u64 is_sent; /* its text */
};
#define PATH_SLOT_CNT (1 << 17)
struct path_slots_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, PATH_SLOT_CNT);
	__type(key, u32);
	__type(value, struct path_slot);
};
struct paths_map { /* those for which path_slots has no room */
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 262144);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, u64);
	__type(value, struct path_slot);
};
struct inodes_map { /* path an open file was last opened by */
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 32768);
	__type(key, struct inode_key);
	__type(value, u64);
};
struct links_map { /* by span */
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, u32);
	__type(value, struct pyi_link_value);
};
struct conns_map { /* by address of the struct sock */
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, u64);
	__type(value, struct pyi_net_value);
};
struct effect_key {
	u32 serial, span, parity, pad;
};
struct effects_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct effect_key);
	__type(value, struct pyi_effect_value);
};
extern struct conns_map conns SEC(".maps");
extern struct effects_map effects SEC(".maps");
extern struct ios_map ios SEC(".maps");
extern struct files_map files SEC(".maps");
extern struct more_files_map more_files SEC(".maps");
extern struct file_cnts_map file_cnts SEC(".maps");
extern struct path_slots_map path_slots SEC(".maps");
extern struct paths_map paths SEC(".maps");
extern struct inodes_map inodes SEC(".maps");
extern struct links_map links SEC(".maps");

/* The state of the current thread; NULL: not followed. Bystanders pay two failed look-ups. */
static __always_inline struct io *io_now(void)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct io *io = bpf_task_storage_get(&ios, task, NULL, 0);
	u32 tgid = bpf_get_current_pid_tgid() >> 32;
	struct proc *proc;

	if (io && io->serial)
		return io;
	proc = bpf_map_lookup_elem(&procs, &tgid);
	if (!proc)
		return NULL;
	if (!io)
		io = bpf_task_storage_get(&ios, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!io) {
		count_loss(thread_state);
		return NULL;
	}
	io->serial = proc->serial;
	return io;
}

/* The outermost load, but not the program's own body: that has all that is imported in it. */
static __always_inline struct open_span *sums_span(struct thread *t, struct open_span *top)
{
	struct open_span *span = &t->open[0];

	if (span->span == PYI_SPAN_BODY && t->depth > 1)
		span = &t->open[1];
	return span->id ? span : top; /* where greenlets switch, it may be a hole */
}

/* Charges what follows to the innermost open span of the current thread. */
static __always_inline void io_set_span(struct io *io)
{
	struct thread *t = bpf_task_storage_get(&threads, bpf_get_current_task_btf(), NULL, 0);
	struct open_span *top;

	io->span = io->in_link = 0;
	if (!t || t->serial != io->serial)
		return;
	t->spent.bpf_ns += io->spent_ns;
	t->spent.calls += io->spent_calls;
	io->spent_ns = io->spent_calls = 0;
	top = open_top(t);
	if (!top)
		return;
	if (cfg_sums)
		top = sums_span(t, top);
	io->span = top->id;
	io->in_link = top->span == PYI_SPAN_DLOPEN;
}

/* path.bpf.c: keys of paths. The text of a new one goes out by path_send. */
u64 path_given(struct io *io, u64 addr, u32 kind);  /* as the program wrote it */
u64 path_of_dentry(struct io *io, u64 dentry);      /* as its file system names it */
u64 path_of_inode(struct io *io, u64 inode);
u64 path_of_fd(struct io *io, u32 fd); /* fills io->id; 0 = no regular file or directory */
int path_send(struct io *io, u64 key);              /* -1: too many, not told apart */
int path_opened(struct io *io, u64 key); /* io->id is known by this name from now on */
int inode_id(struct io *io, u64 inode);  /* fills io->id but for the dentry */
int fd_id(struct io *io, u32 fd);        /* fills io->id; -1 = no such descriptor */

/* file.bpf.c: a call on a path or a descriptor has ended. */
int file_call(struct io *io);

/* net.bpf.c: a call of the network or of waiting has ended; a socket was read or written. */
int net_call(struct io *io);
int sock_moved(struct io *io, u64 sk); /* io->ret bytes */

/* effect.bpf.c: the call was a sleep, or a wait for a file lock. */
int note_wait(struct io *io, u32 is_lock);
int note_signal(struct io *io); /* … sigaction */

/* phase.bpf.c: @call is an enum pyi_phase_call; at its end it has succeeded. */
__hidden void phase_enter(struct pt_regs *regs, u32 call);
__hidden void phase_exit(struct pt_regs *regs, u32 call);

#endif
