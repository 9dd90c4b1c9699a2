/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The only code that knows the BPF skeleton: load, attach, follow processes, drain, detach.
 * The door of user/probe.
 */
#ifndef PROBE_PROBES_H
#define PROBE_PROBES_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>
#include "pyimport_event.h"
#include "pyimport_stats.h"

struct interp;
struct probes;

/* One record as it left the ring. Runs on the thread that calls probes__poll. Must not fail. */
typedef void (*probes_record_fn)(void *ctx, const void *record, size_t size);

struct probes_opts {
	size_t ring_sz;        /* bytes, a power of two >= 4096; 0 = 4 MiB */
	bool want_perf;        /* perf uprobes even where uprobe_multi exists */
	bool want_all;         /* follow every process that hits a probe, not only followed ones */
	__u32 groups_off;      /* enum pyi_group: causes not to measure */
	const char *no_tracepoint; /* do as if the kernel lacked it; NULL = none */
	const char *tables;    /* NAME:N,… for tests: entries of these maps; NULL = as usual */
	bool want_runs;        /* have the kernel count the runs of programs, and their time */
	bool want_no_edges;    /* do not probe import statements: loads only */
	bool want_no_frames;   /* nor who imported */
	bool want_sums;        /* of files what was read, by outermost load; not which it was */
	bool is_patient;       /* polls seldom: be woken when a process begins, not when it ends */
	bool want_scopes;      /* follow what is in the cgroups of probes__scope */
	const char *cgroup_controller; /* whose v1 hierarchy cgroups belong to; NULL = v2 */
	__u32 cgroup_root;     /* that hierarchy's number in /proc/PID/cgroup */
	probes_record_fn on_record;
	void *ctx;
};

/* Kernel facts, each found by trying it. For doctor and --version -v. */
struct probes_facts {
	bool has_btf, has_bpf, has_uprobe_multi, has_task_storage, has_tp_btf;
	int bpf_errno;         /* why the first BPF call failed, 0 = it did not */
	char detail[256];      /* the verifier's or libbpf's own words, "" = none */
};
void probes_facts(struct probes_facts *out);
const char *probes_library(void); /* "libbpf v1.4" */

/*
 * Loads the programs and attaches the process life-cycle tracepoints. Nothing is followed yet.
 * -EPERM: capabilities missing. -ENOENT/-ESRCH: no kernel BTF. -ENOTSUP: kernel too old.
 */
int probes__new(const struct probes_opts *opts, struct probes **out);

/*
 * Probes an interpreter file, open at @fd (kept open by the caller for the call only). Reads the
 * probed pages first: a uprobe on a page outside the page cache made ext4 on 6.18 warn. *layout is
 * the index that struct pyi_python will carry. The same inode twice is one probe set, 0 and the
 * same layout.
 */
int probes__attach(struct probes *probes, int fd, const struct interp *interp, __u32 *layout);

/*
 * Follows a process and the children it starts from now on; *serial is its pyi_hdr.proc.
 * @is_switching: a greenlet library is mapped already (later ones are noticed by themselves).
 */
int probes__follow(struct probes *probes, pid_t tgid, bool is_switching, __u32 *serial);

/* Is the process one of those? Asks the kernel's map, so children count too. */
bool probes__is_followed(const struct probes *probes, pid_t tgid);
__u32 probes__serial(const struct probes *probes, pid_t tgid); /* of its image, 0 = no, or ended */
void probes__each_followed(const struct probes *probes, void (*fn)(void *ctx, pid_t tgid),
			   void *ctx);
/* When one of those ended last, or execed; CLOCK_MONOTONIC, 0 = never. */
__u64 probes__last_end_ns(const struct probes *probes);
/* Did one of that number end at @since_ns or later? Known of the last 4,096. */
bool probes__has_ended(const struct probes *probes, pid_t tgid, __u64 since_ns);
/* The descriptors that is_followed and has_ended need. */
void probes__followed_fds(const struct probes *probes, int fds[2]);

/*
 * Follows (or no longer) what execs in, is born in or moves into a cgroup and those below it. Who
 * is inside already is the caller's to find. -E2BIG: more than PYI_SCOPES_MAX.
 */
int probes__scope(struct probes *probes, __u64 cgroup, bool is_wanted);

/* Hands records to on_record; waits at most @timeout_ms for some. Count or -errno (-EINTR too). */
int probes__poll(struct probes *probes, int timeout_ms);

/* Hands over all that came in before this call, and does not wait. 0 or -errno, logged. */
int probes__catch_up(struct probes *probes);

/* Soon all that was charged by now is told, at a later poll: settled_ns is later than now then. */
void probes__settle(struct probes *probes);
__u64 probes__settled_ns(const struct probes *probes);
/* Tells how often each statement has run so far, at once. 0 or -errno, logged. */
int probes__tell_counts(struct probes *probes);

/* Detaches every probe: from here on the targets run as if we had never been there. */
void probes__detach(struct probes *probes);

/* After detach: the rest of the ring, then one PYI_EV_EDGE_COUNT per statement, to on_record. */
int probes__drain(struct probes *probes);

int probes__stats(struct probes *probes, struct pyi_stats *out);

/* Begins against ends per kind of span, e.g. to report probe sites that do not pair up. */
struct probes_balance { const char *span; __u64 begins, ends; };
size_t probes__balance(const struct probes *probes, struct probes_balance *out, size_t max);

/* Hits of one kind of probe site. */
struct probes_hits {
	const char *end, *begin; /* what ends and begins there; NULL = nothing does */
	__u64 cnt;
};
/* By kind, in whatever process; probes__stats has those of processes that are not followed. */
size_t probes__hits(const struct probes *probes, struct probes_hits *out, size_t max);

/* How often the kernel ran one of our programs, on the whole host, and for how long. */
struct probes_runs {
	const char *program;
	__u64 cnt, ns;
};
/* The dearest first; none without probes_opts.want_runs, or where the kernel does not count. */
size_t probes__runs(const struct probes *probes, struct probes_runs *out, size_t max);

bool probes__is_multi(const struct probes *probes); /* uprobe_multi in use */
void probes__free(struct probes *probes); /* NULL-safe; detaches if need be */

#endif
