/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The few kernel types the BPF programs touch, with only the fields they read. CO-RE relocates
 * every field against the running kernel's BTF, so order and size here mean nothing.
 */
#ifndef __VMLINUX_H__
#define __VMLINUX_H__

typedef unsigned char __u8;
typedef unsigned short __u16;
typedef unsigned int __u32;
typedef unsigned long long __u64;
typedef signed char __s8;
typedef short __s16;
typedef int __s32;
typedef long long __s64;
typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s32 s32;
typedef __s64 s64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;
typedef _Bool bool;
enum { false = 0, true = 1 };

enum bpf_map_type {
	BPF_MAP_TYPE_HASH = 1,
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_PERCPU_ARRAY = 6,
	BPF_MAP_TYPE_LRU_HASH = 9,
	BPF_MAP_TYPE_RINGBUF = 27,
	BPF_MAP_TYPE_TASK_STORAGE = 29,
};
enum { BPF_ANY = 0, BPF_NOEXIST = 1, BPF_EXIST = 2 };
enum { BPF_F_NO_PREALLOC = 1U << 0 };
enum { BPF_LOCAL_STORAGE_GET_F_CREATE = 1ULL << 0 };
enum { BPF_RB_NO_WAKEUP = 1ULL << 0, BPF_RB_FORCE_WAKEUP = 1ULL << 1 };
enum { BPF_RB_AVAIL_DATA = 0, BPF_RB_RING_SIZE = 1 };

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

typedef struct {
	int counter;
} atomic_t;

typedef struct {
	long counter;
} atomic_long_t;
struct percpu_counter {
	s64 count;
	s32 *counters;
};
struct bpf_array {
	void *pptrs[1];
};
struct mm_struct {
	unsigned long arg_start, arg_end;
	struct percpu_counter rss_stat[4]; /* 6.2+ */
};
struct signal_struct {
	atomic_t live;
	unsigned long maxrss; /* pages */
};
struct ns_common {
	unsigned int inum;
};
struct upid {
	int nr;
};
struct pid {
	unsigned int level;
	struct upid numbers[1];
};
struct kernfs_node {
	u64 id;
};
struct cgroup;
struct cgroup_subsys_state {
	struct cgroup *cgroup;
	struct cgroup_subsys_state *parent;
};
struct cgroup_root {
	int hierarchy_id;
};
struct super_block {
	u32 s_dev;
	unsigned long s_magic;
	struct block_device *s_bdev;
};
struct hlist_node {
	struct hlist_node *next;
};
struct hlist_head {
	struct hlist_node *first;
};
struct inode {
	unsigned short i_mode;
	unsigned long i_ino;
	s64 i_size;
	struct super_block *i_sb;
	struct hlist_head i_dentry;
};
struct qstr {
	u32 len;
	const unsigned char *name;
};
struct dentry {
	struct dentry *d_parent;
	struct qstr d_name;
	union {
		struct hlist_node d_alias;
	} d_u;
};
struct path {
	struct dentry *dentry;
};
struct file {
	struct inode *f_inode;
	struct path f_path;
	void *private_data;
};
struct rb_node {
	unsigned long __rb_parent_color;
	struct rb_node *rb_right, *rb_left;
};
struct rb_root {
	struct rb_node *rb_node;
};
struct rb_root_cached {
	struct rb_root rb_root;
};
struct epoll_filefd {
	struct file *file;
};
struct epitem {
	struct rb_node rbn;
	struct epoll_filefd ffd;
};
struct eventpoll {
	struct rb_root_cached rbr;
};
struct fdtable {
	unsigned int max_fds;
	struct file **fd;
};
struct files_struct {
	struct fdtable *fdt;
};
struct in6_addr {
	u8 in6_u[16];
};
struct sock_common {
	__be32 skc_daddr, skc_rcv_saddr;
	__be16 skc_dport;
	u16 skc_num;
	unsigned short skc_family;
	volatile unsigned char skc_state;
	struct in6_addr skc_v6_daddr, skc_v6_rcv_saddr;
};
struct sock {
	struct sock_common __sk_common;
	int sk_err;
	struct socket *sk_socket;
};
struct socket {
	short type;
	struct sock *sk;
};
struct address_space {
	struct inode *host;
};
struct page {
	struct address_space *mapping;
	unsigned long compound_head;
};
struct bio_vec {
	struct page *bv_page;
};
struct bvec_iter {
	unsigned int bi_size;
};
struct bio {
	u32 bi_opf;
	unsigned short bi_flags;
	struct bvec_iter bi_iter;
	struct bio_vec *bi_io_vec;
};
struct cgroup {
	struct cgroup_subsys_state self;
	struct kernfs_node *kn;
	struct cgroup_root *root;
};
struct css_set {
	struct cgroup_subsys_state *subsys[1]; /* one per controller the kernel has */
	struct cgroup *dfl_cgrp;
};
typedef struct {
	u32 val;
} kuid_t;
struct cred {
	kuid_t uid;
};
struct thread_struct {
	unsigned long fsbase; /* x86 */
	struct {
		unsigned long tp_value;
	} uw; /* arm64 */
};
struct sched_entity {
	u64 sum_exec_runtime;
};
struct fs_struct {
	struct path root;
};
struct task_struct {
	unsigned int __state;
	struct sched_entity se;
	unsigned int in_iowait : 1;
	struct fs_struct *fs;
	struct files_struct *files;
	int pid, tgid;
	int exit_code;
	char comm[16];
	struct task_struct *real_parent, *group_leader;
	struct mm_struct *mm;
	struct signal_struct *signal;
	struct pid *thread_pid;
	const struct cred *cred;
	struct css_set *cgroups;
	struct thread_struct thread;
};
struct linux_binprm {
	const char *filename;
};

#if defined(__TARGET_ARCH_x86)
struct pt_regs {
	unsigned long r15, r14, r13, r12, bp, bx, r11, r10, r9, r8, ax, cx, dx, si, di, orig_ax,
		ip, cs, flags, sp, ss;
};
#define SYSCALL_NR(regs) ((regs)->orig_ax)
#define SYSCALL_ARG0(regs) ((regs)->di)
#define SYSCALL_ARG1(regs) ((regs)->si)
#define SYSCALL_ARG2(regs) ((regs)->dx)
#define SYSCALL_ARG3(regs) ((regs)->r10)
#define SYSCALL_ARG4(regs) ((regs)->r8)
#elif defined(__TARGET_ARCH_arm64)
struct user_pt_regs {
	__u64 regs[31], sp, pc, pstate;
};
struct pt_regs {
	union {
		struct user_pt_regs user_regs;
	};
	u64 orig_x0;
	s32 syscallno;
};
#define SYSCALL_NR(regs) ((u32)(regs)->syscallno)
#define SYSCALL_ARG0(regs) ((regs)->orig_x0)
#define SYSCALL_ARG1(regs) ((regs)->user_regs.regs[1])
#define SYSCALL_ARG2(regs) ((regs)->user_regs.regs[2])
#define SYSCALL_ARG3(regs) ((regs)->user_regs.regs[3])
#define SYSCALL_ARG4(regs) ((regs)->user_regs.regs[4])
#endif

#pragma clang attribute pop

#endif
