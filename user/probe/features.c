// SPDX-License-Identifier: BSD-2-Clause
/*
 * What this kernel can do, found by trying, never by comparing versions. Each fact names the
 * kernel change behind it.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <bpf/btf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "probe/features.h"

static struct kernel_types *kernel; /* 8 MB: kept while features are looked up */

const struct kernel_types *feature_types(void)
{
	if (!kernel && kernel_types__new(&kernel))
		kernel = NULL;
	return kernel;
}

void features_forget(void)
{
	kernel_types__free(kernel);
	kernel = NULL;
}

static __u32 find_type(const char *name, unsigned int kind)
{
	const struct kernel_types *types = feature_types();

	return types ? kernel_types__find(types, name, kind) : 0;
}

/* A program that returns 0, of the given type; its descriptor or -errno. */
static int load_empty(enum bpf_prog_type type, enum bpf_attach_type attach)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = attach);
	int fd = bpf_prog_load(type, "pyi_probe", "GPL", insns, 2, &opts);

	return fd;
}

int feature_empty_program(bool is_multi)
{
	return load_empty(BPF_PROG_TYPE_KPROBE, is_multi ? BPF_TRACE_UPROBE_MULTI : 0);
}

/* uprobe_multi links: kernel 6.6, commit 89ae89f53d20. */
bool feature_uprobe_multi(void)
{
	unsigned long offset = 0;
	LIBBPF_OPTS(bpf_link_create_opts, opts, .uprobe_multi = {
		.path = "/", .offsets = &offset, .cnt = 1,
	});
	_cleanup_close_ int prog = load_empty(BPF_PROG_TYPE_KPROBE, BPF_TRACE_UPROBE_MULTI);
	int link;

	if (prog < 0)
		return false;
	/* A kernel that knows the link type looks at the path and finds a directory: -EBADF. */
	link = bpf_link_create(prog, -1, BPF_TRACE_UPROBE_MULTI, &opts);
	if (link >= 0)
		close(link);
	return link == -EBADF;
}

/* BPF memory allocator: 6.1, commit 7c8199e24fa0. Before it, maps grown on demand can deadlock. */
bool feature_mem_alloc(void)
{
	return find_type("bpf_mem_alloc", BTF_KIND_STRUCT);
}

/* Tracepoints with types: 5.5; which of them there are is up to the kernel's configuration. */
__u32 feature_tp_btf(const char *tracepoint)
{
	char name[64];

	snprintf(name, sizeof(name), "btf_trace_%s", tracepoint);
	return find_type(name, BTF_KIND_TYPEDEF);
}

/* enum cgroup_subsys_id has the controllers this kernel was built with, in their order. */
int feature_cgroup_index(const char *controller)
{
	__u32 id = find_type("cgroup_subsys_id", BTF_KIND_ENUM);
	int index = -ENOENT;
	char name[64];

	/* Older than their v1 names. */
	if (!strcmp(controller, "blkio"))
		controller = "io";
	snprintf(name, sizeof(name), "%s_cgrp_id", controller);
	if (id) {
		const struct btf_type *type = kernel_types__get(kernel, id);
		const struct btf_enum *value = btf_enum(type);

		for (int i = 0; i < btf_vlen(type); i++)
			if (!strcmp(kernel_types__name(kernel, value[i].name_off), name))
				index = value[i].val;
	}
	return index;
}

/* Local storage of tasks for tracing programs: 5.12, commit a10787e6d58c. */
static bool has_task_storage(void)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_NO_PREALLOC);
	struct btf *btf = btf__new_empty();
	int type, fd = -1;

	if (!btf)
		return false;
	type = btf__add_int(btf, "int", 4, BTF_INT_SIGNED);
	if (type > 0 && !btf__load_into_kernel(btf)) {
		opts.btf_fd = btf__fd(btf);
		opts.btf_key_type_id = opts.btf_value_type_id = type;
		fd = bpf_map_create(BPF_MAP_TYPE_TASK_STORAGE, "pyi_probe", 4, 4, 0, &opts);
	}
	btf__free(btf);
	if (fd < 0)
		return false;
	close(fd);
	return true;
}

void probes_facts(struct probes_facts *out)
{
	int fd;

	*out = (struct probes_facts){ .has_btf = feature_types() != NULL };
	out->has_tp_btf = feature_tp_btf("sched_process_exec");
	fd = load_empty(BPF_PROG_TYPE_KPROBE, 0);
	out->has_bpf = fd >= 0;
	if (fd < 0) {
		out->bpf_errno = -fd;
		strncpy(out->detail, strerror(-fd), sizeof(out->detail) - 1);
		return;
	}
	close(fd);
	out->has_uprobe_multi = feature_uprobe_multi();
	out->has_task_storage = has_task_storage();
}

const char *probes_library(void)
{
	static char text[32];

	snprintf(text, sizeof(text), "libbpf %s", libbpf_version_string());
	return text;
}
