/* SPDX-License-Identifier: BSD-2-Clause */
/* Shared by the files of user/probe alone. */
#ifndef PROBE_PRIVATE_H
#define PROBE_PRIVATE_H

#include <bpf/libbpf.h>
#include <sys/stat.h>

#include "probe/probes.h"
#include "pyimport.skel.h"

/* An interpreter file that carries our probes. */
struct probed_file {
	dev_t dev;
	ino_t ino;
	struct timespec ctime; /* an inode number is used again: the change time tells */
	__u32 layout;
	struct bpf_link **links;
	size_t link_cnt;
};

/* Map contents, as bpf/core.bpf.h has them. */
struct edge_value {
	__u32 id, count, loads, serial;
	__u64 first_ns;
};

struct probes {
	struct pyimport_bpf *skel;
	struct ring_buffer *ring;
	probes_record_fn on_record;
	void *ctx;
	bool is_multi, want_no_edges;
	struct probed_file *files;
	size_t file_cnt;
	__u32 site_cnt, layout_cnt;
};

static inline void probes__freep(struct probes **probes)
{
	probes__free(*probes);
}

#endif
