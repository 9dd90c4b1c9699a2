/* SPDX-License-Identifier: BSD-2-Clause */
/* Shared by the files of user/probe alone. */
#ifndef PROBE_PRIVATE_H
#define PROBE_PRIVATE_H

#include <bpf/libbpf.h>
#include <sys/stat.h>

#include "probe/probes.h"
#include "pyimport_charge.h"
#include "pyimport_maps.h"
#include "pyimport.skel.h"
#include "interpreters/discover/overlay.h"

/* An interpreter file that carries our probes. */
struct probed_file {
	struct code_id id;
	__u32 layout;
	struct bpf_link **links;
	size_t link_cnt;
};

/* Emptying the map of charges. */
struct charges {
	bool is_wanted;    /* a process is ready: what it was charged so far is its start-up's */
	bool is_turned;    /* the parity was changed: the other one's charges can be taken */
	__u64 turned_ns;
	__u64 settled_ns;  /* all that was charged by then has been told */
	__u64 taken_cnt;   /* charge_cnt then */
	__u32 taken_files_cnt;
};

struct probes {
	struct pyimport_bpf *skel;
	struct ring_buffer *ring;
	int left_cnt; /* records still to be read in this poll */
	probes_record_fn on_record;
	void *ctx;
	bool is_multi, want_no_edges, want_sums;
	int runs_fd;       /* the kernel counts runs while it is open; -1 = it does not */
	struct probed_file *files;
	size_t file_cnt;
	__u32 site_cnt, layout_cnt;
	__u32 groups;      /* enum pyi_group that are measured */
	struct charges charges;
};

/* causes.c: switches programs on and off before load; @unwanted: enum pyi_group. */
void causes_choose(struct probes *probes, const struct probes_opts *opts);

/* charges.c: hands on what can be while tracing; all that is left, once detached. */
int charges_poll(struct probes *probes);
int charges_drain(struct probes *probes);

/* counts.c: has the kernel count runs; where it refuses, they are unknown */
void runs_begin(struct probes *probes);

/* phases.c: the table of system calls, before load */
void phases_prepare(struct probes *probes);

/*
 * skeleton.c: 0 or -errno. *@skel, NULL before, may be set in both cases. *@fd, -1 before, is a
 * file that must stay open until the programs are loaded, if it is set.
 */
int skeleton_open(struct pyimport_bpf **skel, int *fd);
int skeleton_attach(struct pyimport_bpf *skel); /* of programs that are loaded */

/* scope.c: knobs and programs about cgroups, before load */
int scope_setup(struct probes *probes, const struct probes_opts *opts);

static inline void probes__freep(struct probes **probes)
{
	probes__free(*probes);
}

#endif
