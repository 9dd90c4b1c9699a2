// SPDX-License-Identifier: BSD-2-Clause
/* What the skeleton's own functions do, without libbpf reading all types of the kernel for it. */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "probe/features.h"
#include "probe/private.h"

/* Its type is known to us: for it alone libbpf would look through all types of the kernel. */
static int prepare_tracepoint(struct bpf_program *program, struct bpf_prog_load_opts *opts,
			      long cookie)
{
	const char *name = strchr(bpf_program__section_name(program), '/');

	(void)cookie;
	opts->attach_btf_id = name ? feature_tp_btf(name + 1) : 0;
	return bpf_program__set_type(program, BPF_PROG_TYPE_TRACING);
}

/* Until a program is loaded libbpf takes it for one of raw tracepoints, which need no types. */
static int register_tracepoints(void)
{
	static int id = -1;
	LIBBPF_OPTS(libbpf_prog_handler_opts, opts, .prog_prepare_load_fn = prepare_tracepoint);

	if (id < 0 && feature_types())
		id = libbpf_register_prog_handler("tp_btf+", BPF_PROG_TYPE_RAW_TRACEPOINT,
						  BPF_TRACE_RAW_TP, &opts);
	return id < 0 && feature_types() ? id : 0;
}

/* What libbpf does for programs whose handler is its own. */
static int attach_tracepoints(struct bpf_object_skeleton *skeleton)
{
	for (int i = 0; i < skeleton->prog_cnt; i++) {
		const struct bpf_program *program = *skeleton->progs[i].prog;
		struct bpf_link **link = skeleton->progs[i].link;

		if (*link || bpf_program__fd(program) < 0 ||
		    bpf_program__type(program) != BPF_PROG_TYPE_TRACING)
			continue;
		*link = bpf_program__attach_trace(program);
		if (!*link)
			return -errno;
	}
	return 0;
}

/* libbpf looks at the types of the kernel when it loads; before that it says which those are. */
static int open_with_types(const struct kernel_types *types, struct pyimport_bpf **skel, int *fd)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts);
	char path[32];

	*fd = memfd_create("kernel types", MFD_CLOEXEC);
	if (*fd < 0)
		return -errno;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", *fd);
	opts.btf_custom_path = path;
	*skel = pyimport_bpf__open_opts(&opts);
	return *skel ? kernel_types__cut(types, bpf_object__btf((*skel)->obj), *fd) : -errno;
}

int skeleton_open(struct pyimport_bpf **skel, int *fd)
{
	const struct kernel_types *types = feature_types();
	int err = register_tracepoints();

	if (err || (types && !open_with_types(types, skel, fd)))
		return err;
	/* No place for the types (a limit on files, say): libbpf reads all of them itself. */
	pyimport_bpf__destroy(*skel);
	*skel = pyimport_bpf__open();
	return *skel ? 0 : -errno;
}

int skeleton_attach(struct pyimport_bpf *skel)
{
	return pyimport_bpf__attach(skel) ?: attach_tracepoints(skel->skeleton);
}
