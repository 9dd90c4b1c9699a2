// SPDX-License-Identifier: BSD-2-Clause
/*
 * Loads the BPF programs, follows processes, hands records on, reads counters, takes everything
 * down again. Attaching to an interpreter file is in attach.c.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "probe/calls.h"
#include "probe/features.h"
#include "probe/private.h"
#include "pyimport_phase.h"

#define LAYOUTS_OF_HOST 2048u
#define SITES_OF_HOST 65536u   /* 2 MB of kernel memory */
#define POLL_MAX_CNT 8192 /* records read at a time */
#define CATCH_UP_MAX 8192 /* such reads: more than the largest ring holds */
#define RING_DEFAULT_SZ (4u << 20)
#define EDGES_PREALLOC 131072u   /* 14 MB of kernel memory */
#define CHARGES_ON_DEMAND 65536u
#define EDGES_ON_DEMAND 262144u /* taken only when used; 4 MB of buckets */

static int on_ring_record(void *ctx, void *data, size_t sz)
{
	struct probes *probes = ctx;

	const struct pyi_phase *phase = data;
	const struct pyi_end *end = data;

	if (sz == sizeof(*phase) && phase->hdr.kind == PYI_EV_PHASE &&
	    phase->phase == PYI_PHASE_READY)
		probes->charges.is_wanted = true;
	probes->on_record(probes->ctx, data, sz);
	if (sz == sizeof(*end) && end->hdr.kind == PYI_EV_END && end->span == PYI_SPAN_DLOPEN)
		calls_linked(probes, end->id);
	/* libbpf reads on while there is something: for ever, if targets are faster than us. */
	return --probes->left_cnt > 0 ? 0 : -EAGAIN;
}

/* libbpf's own words: what it warns of is explained by our messages, so only -vvv shows them. */
static int print_libbpf(enum libbpf_print_level level, const char *fmt, va_list args)
{
	(void)level;
	log_vprint(LOG_TRACE, fmt, args);
	return 0;
}

/* NAME:N,… Slots are counted in powers of two, 8 of them at least: that many are looked at. */
static void size_tables(struct pyimport_bpf *skel, const char *tables)
{
	char name[BPF_OBJ_NAME_LEN];
	struct bpf_map *map;
	unsigned int cnt;

	for (int end = 0; sscanf(tables, "%15[a-z_]:%u%n", name, &cnt, &end) == 2; tables += end) {
		map = bpf_object__find_map_by_name(skel->obj, name);
		if (!map || bpf_map__set_max_entries(map, cnt))
			log_warn("the size of %s stays as it is", name);
		if (map == skel->maps.edge_slots)
			skel->rodata->cfg_edge_slots = cnt;
		if (map == skel->maps.code_slots)
			skel->rodata->cfg_code_slots = cnt;
		end += tables[end] == ',';
	}
}

static void size_maps(struct probes *probes, const struct probes_opts *opts)
{
	struct pyimport_bpf *skel = probes->skel;
	size_t ring_sz = opts->ring_sz ? opts->ring_sz : RING_DEFAULT_SZ;

	bpf_map__set_max_entries(skel->maps.events, ring_sz);
	if (opts->want_all) { /* each container may bring an interpreter of its own */
		bpf_map__set_max_entries(skel->maps.layouts, LAYOUTS_OF_HOST);
		bpf_map__set_max_entries(skel->maps.sites, SITES_OF_HOST);
	}
	skel->rodata->cfg_wakeup_sz = ring_sz / 8;
	skel->rodata->cfg_all = opts->want_all;
	skel->rodata->cfg_sums = opts->want_sums;
	skel->rodata->cfg_wake_at_exec = opts->is_patient;
	skel->rodata->cfg_no_frames = opts->want_no_frames;
	if (feature_mem_alloc()) {
		bpf_map__set_map_flags(skel->maps.edges, BPF_F_NO_PREALLOC);
		bpf_map__set_max_entries(skel->maps.edges, EDGES_ON_DEMAND);
		bpf_map__set_map_flags(skel->maps.codes, BPF_F_NO_PREALLOC);
		bpf_map__set_max_entries(skel->maps.codes, EDGES_ON_DEMAND / 4);
		bpf_map__set_map_flags(skel->maps.charges, BPF_F_NO_PREALLOC);
		bpf_map__set_max_entries(skel->maps.charges, CHARGES_ON_DEMAND);
	} else {
		bpf_map__set_max_entries(skel->maps.edges, EDGES_PREALLOC);
	}
	if (opts->tables)
		size_tables(skel, opts->tables);
}

static int explain_load(int err)
{
	struct probes_facts facts;

	if (err == -EPERM || err == -EACCES)
		return log_err(-EPERM, "the kernel refuses to load BPF programs: "
			       "CAP_BPF and CAP_PERFMON are needed%s, "
			       "or kernel lockdown forbids it", geteuid() ? " (try sudo)" : "");
	if (err == -ESRCH || err == -ENOENT)
		return log_err(-ENOENT, "the kernel has no type information: /sys/kernel/btf/vmlinux "
			       "is missing (CONFIG_DEBUG_INFO_BTF)");
	if (err == -EMFILE || err == -ENFILE || err == -ENOMEM) {
		log_err(err, "not enough memory for the BPF programs and their maps");
		log_hint("%s", err == -ENOMEM ? "a smaller --ring; memory may be limited by ulimit -v or the cgroup" :
						"ulimit -n 1024");
		return -ENOTSUP;
	}
	probes_facts(&facts);
	if (!facts.has_task_storage)
		return log_err(-ENOTSUP, "this kernel has no task storage for tracing programs, where "
			       "a thread's imports are kept: Linux 5.15 or newer is needed");
	return log_err(-ENOTSUP, "the kernel refuses the BPF programs (%s): Linux 5.15 or newer is "
		       "needed; -vvv shows the verifier's messages", strerror(-err));
}

int probes__new(const struct probes_opts *opts, struct probes **out)
{
	_cleanup_(probes__freep) struct probes *probes = calloc(1, sizeof(*probes));
	_cleanup_close_ int types_fd = -1;
	int err;

	if (!probes)
		return -ENOMEM;
	probes->runs_fd = -1;
	probes->on_record = opts->on_record;
	probes->ctx = opts->ctx;
	probes->want_no_edges = opts->want_no_edges;
	probes->want_sums = opts->want_sums;
	libbpf_set_print(print_libbpf);
	err = skeleton_open(&probes->skel, &types_fd);
	if (err)
		return explain_load(err);
	probes->is_multi = !opts->want_perf && feature_uprobe_multi();
	bpf_program__set_autoload(probes->is_multi ? probes->skel->progs.site_multi :
						     probes->skel->progs.site_perf, true);
	causes_choose(probes, opts);
	size_maps(probes, opts);
	err = scope_setup(probes, opts);
	if (err)
		return err;
	calls_prepare(probes);
	phases_prepare(probes);
	err = pyimport_bpf__load(probes->skel);
	features_forget();
	if (err)
		return explain_load(err);
	if (opts->want_runs)
		runs_begin(probes);
	err = skeleton_attach(probes->skel);
	if (err)
		return explain_load(err);
	probes->ring = ring_buffer__new(bpf_map__fd(probes->skel->maps.events), on_ring_record,
					probes, NULL);
	if (!probes->ring)
		return log_err(-errno, "cannot map the ring buffer");
	probes->skel->bss->cfg_active = true;
	*out = TAKE_PTR(probes);
	return 0;
}

int probes__follow(struct probes *probes, pid_t tgid, bool is_switching, __u32 *serial)
{
	struct proc proc = { .layout = ~0u };
	__u32 key = tgid, slot;

	if (!bpf_map_lookup_elem(bpf_map__fd(probes->skel->maps.procs), &key, &proc)) {
		*serial = proc.serial; /* a child, or moved into a cgroup: BPF was first */
		proc.flags |= PROC_SWITCHING;
		if (is_switching) /* -ENOENT: it has just ended */
			bpf_map_update_elem(bpf_map__fd(probes->skel->maps.procs), &key, &proc,
					    BPF_EXIST);
		return 0;
	}
	proc.serial = __sync_fetch_and_add(&probes->skel->bss->last_serial, 1) + 1;
	proc.flags = is_switching ? PROC_SWITCHING : 0;
	slot = proc.serial % bpf_map__max_entries(probes->skel->maps.serials);
	if (bpf_map_update_elem(bpf_map__fd(probes->skel->maps.serials), &slot, &proc.serial,
				BPF_ANY) ||
	    bpf_map_update_elem(bpf_map__fd(probes->skel->maps.procs), &key, &proc, BPF_ANY))
		return log_err(-errno, "cannot follow process %d", (int)tgid);
	*serial = proc.serial;
	return 0;
}

__u32 probes__serial(const struct probes *probes, pid_t tgid)
{
	struct proc proc;
	__u32 key = tgid;
	int err = bpf_map_lookup_elem(bpf_map__fd(probes->skel->maps.procs), &key, &proc);

	return err ? 0 : proc.serial;
}

bool probes__is_followed(const struct probes *probes, pid_t tgid)
{
	return probes__serial(probes, tgid) != 0;
}

bool probes__has_ended(const struct probes *probes, pid_t tgid, __u64 since_ns)
{
	__u32 key = tgid;
	__u64 end_ns;

	return !bpf_map_lookup_elem(bpf_map__fd(probes->skel->maps.ended), &key, &end_ns) &&
	       end_ns >= since_ns;
}

void probes__each_followed(const struct probes *probes, void (*fn)(void *ctx, pid_t tgid),
			   void *ctx)
{
	int fd = bpf_map__fd(probes->skel->maps.procs);
	__u32 tgid, *from = NULL;

	while (!bpf_map_get_next_key(fd, from, &tgid)) {
		fn(ctx, tgid);
		from = &tgid;
	}
}

__u64 probes__last_end_ns(const struct probes *probes)
{
	return probes->skel->bss->last_end_ns;
}

void probes__followed_fds(const struct probes *probes, int fds[2])
{
	fds[0] = bpf_map__fd(probes->skel->maps.procs);
	fds[1] = bpf_map__fd(probes->skel->maps.ended);
}

int probes__poll(struct probes *probes, int timeout_ms)
{
	int cnt;

	probes->left_cnt = POLL_MAX_CNT;
	cnt = ring_buffer__poll(probes->ring, timeout_ms);
	/* Most records wake nobody: what came in meanwhile is there unannounced. */
	if (!cnt)
		cnt = ring_buffer__consume(probes->ring);
	if (cnt == -EAGAIN)
		cnt = POLL_MAX_CNT;
	return cnt < 0 ? cnt : charges_poll(probes) ?: cnt;
}

/* One synthetic record per statement, so that the stream alone tells everything. */
static void send_edge_count(struct probes *probes, const struct edge_value *value)
{
	struct pyi_edge_count rec = {
		.hdr = { .kind = PYI_EV_EDGE_COUNT, .size = sizeof(rec), .proc = value->serial,
			 .ts_ns = value->first_ns },
		.id = value->id, .count = value->count, .loads = value->loads,
		.is_inside = !value->is_elsewhere, .first_ns = value->first_ns,
	};

	probes->on_record(probes->ctx, &rec, sizeof(rec));
}

static int send_edge_counts(struct probes *probes, int fd)
{
	enum { BATCH = 4096 };
	_cleanup_free_ __u64 *keys = calloc(BATCH, sizeof(*keys));
	_cleanup_free_ struct edge_value *values = calloc(BATCH, sizeof(*values));
	__u32 batch = 0, cnt;
	void *in = NULL;
	int err;

	if (!keys || !values)
		return -ENOMEM;
	do {
		cnt = BATCH;
		err = bpf_map_lookup_batch(fd, in, &batch, keys, values, &cnt, NULL);
		if (err && err != -ENOENT)
			return log_err(err, "cannot read the counts of import statements");
		for (__u32 i = 0; i < cnt; i++)
			if (values[i].id)
				send_edge_count(probes, &values[i]);
		in = &batch;
	} while (!err);
	return 0;
}

int probes__tell_counts(struct probes *probes)
{
	int err = send_edge_counts(probes, bpf_map__fd(probes->skel->maps.edge_slots));

	return err ? err : send_edge_counts(probes, bpf_map__fd(probes->skel->maps.edges));
}

int probes__catch_up(struct probes *probes)
{
	int err = -EAGAIN;

	for (int i = 0; i < CATCH_UP_MAX && err == -EAGAIN; i++) {
		probes->left_cnt = POLL_MAX_CNT;
		err = ring_buffer__consume(probes->ring);
	}
	if (err < 0 && err != -EAGAIN)
		return log_err(err, "cannot read the ring buffer");
	return 0;
}

int probes__drain(struct probes *probes)
{
	int err = probes__catch_up(probes);

	if (!err)
		err = probes__tell_counts(probes);
	if (!err)
		err = charges_drain(probes);
	return err ? err : calls_drain(probes);
}

bool probes__is_multi(const struct probes *probes)
{
	return probes->is_multi;
}

void probes__free(struct probes *probes)
{
	if (!probes)
		return;
	probes__detach(probes);
	ring_buffer__free(probes->ring);
	if (probes->runs_fd >= 0)
		close(probes->runs_fd);
	pyimport_bpf__destroy(probes->skel);
	free(probes->files);
	free(probes);
}
