// SPDX-License-Identifier: BSD-2-Clause
/* What the kernel side and the kernel itself have counted: losses, hits, pairs, runs. */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "probe/private.h"
#include "pyimport_layout.h"

/* An entry of a per-CPU map of u64, summed up; 0 when it cannot be read. */
static __u64 sum_of(const struct bpf_map *map, __u32 key)
{
	int cpu_cnt = libbpf_num_possible_cpus();
	_cleanup_free_ __u64 *values = calloc(cpu_cnt > 0 ? cpu_cnt : 1, sizeof(*values));
	__u64 sum = 0;

	if (!values || cpu_cnt <= 0 || bpf_map_lookup_elem(bpf_map__fd(map), &key, values))
		return 0;
	for (int i = 0; i < cpu_cnt; i++)
		sum += values[i];
	return sum;
}

/* All entries but the first of such a map, in one call: the agent asks each second. */
static __u64 sum_behind_first(const struct bpf_map *map)
{
	__u32 cnt = bpf_map__max_entries(map), at = 0;
	int cpu_cnt = libbpf_num_possible_cpus();
	_cleanup_free_ __u32 *keys = calloc(cnt, sizeof(*keys));
	_cleanup_free_ __u64 *values = calloc((size_t)cnt * (cpu_cnt > 0 ? cpu_cnt : 1),
					      sizeof(*values));
	__u64 sum = 0;

	if (!keys || !values || cpu_cnt <= 0)
		return 0;
	if (bpf_map_lookup_batch(bpf_map__fd(map), NULL, &at, keys, values, &cnt, NULL) &&
	    errno != ENOENT)
		return 0;
	for (__u32 i = 0; i < cnt; i++)
		for (int cpu = 0; keys[i] && cpu < cpu_cnt; cpu++)
			sum += values[(size_t)i * cpu_cnt + cpu];
	return sum;
}

int probes__stats(struct probes *probes, struct pyi_stats *out)
{
	const struct bpf_map *hits = probes->skel->maps.hits;

	*out = probes->skel->bss->stats;
	out->bystander_hits = sum_of(hits, 0);
	out->hits = sum_behind_first(hits);
	out->hits -= out->bystander_hits < out->hits ? out->bystander_hits : out->hits;
	return 0;
}

static const char *const site_names[PYI_SITE_MAX] = {
	[PYI_SITE_IMPORT] = "import", [PYI_SITE_FIND] = "find", [PYI_SITE_BODY] = "body",
	[PYI_SITE_EXECDEF] = "execdef", [PYI_SITE_DLOPEN] = "dlopen",
	[PYI_SITE_DYNAMIC] = "dynamic", [PYI_SITE_BUILTIN] = "builtin",
	[PYI_SITE_SEARCH] = "search", [PYI_SITE_SEARCH_FAST] = "search",
	[PYI_SITE_COMPILE] = "compile", [PYI_SITE_RUN_MAIN] = "run main",
	[PYI_SITE_FINALIZE] = "finalize", [PYI_SITE_LAZY] = "lazy", [PYI_SITE_LAZY_NEW] = "lazy_new",
	[PYI_SITE_IMPORT_ERROR] = "import error",
};

size_t probes__hits(const struct probes *probes, struct probes_hits *out, size_t max)
{
	size_t cnt = 0;

	for (__u32 i = 1; i < PYI_SITE_MAX * PYI_SITE_MAX && cnt < max; i++) {
		__u64 hits = sum_of(probes->skel->maps.hits, i);

		if (!hits)
			continue;
		out[cnt] = (struct probes_hits){ .end = site_names[i / PYI_SITE_MAX],
						 .begin = site_names[i % PYI_SITE_MAX],
						 .cnt = hits };
		cnt++;
	}
	return cnt;
}

size_t probes__balance(const struct probes *probes, struct probes_balance *out, size_t max)
{
	static const char *const names[] = {
		[PYI_SPAN_FIND] = "find", [PYI_SPAN_SEARCH] = "search", [PYI_SPAN_BODY] = "body",
		[PYI_SPAN_EXECDEF] = "execdef", [PYI_SPAN_DLOPEN] = "dlopen",
		[PYI_SPAN_DYNAMIC] = "dynamic",
	};
	size_t cnt = 0;

	for (__u32 span = PYI_SPAN_FIND; span <= PYI_SPAN_DYNAMIC && cnt < max; span++)
		out[cnt++] = (struct probes_balance){
			.span = names[span], .begins = sum_of(probes->skel->maps.pairs, 2 * span),
			.ends = sum_of(probes->skel->maps.pairs, 2 * span + 1),
		};
	return cnt;
}

/* Counting and timing costs each run of any program on this host two readings of a clock. */
void runs_begin(struct probes *probes)
{
	probes->runs_fd = bpf_enable_stats(BPF_STATS_RUN_TIME);
	if (probes->runs_fd < 0)
		log_info("the kernel does not count the runs of programs: %s", strerror(errno));
}

static int compare_runs(const void *a, const void *b)
{
	const struct probes_runs *left = a, *right = b;

	return (left->ns < right->ns) - (left->ns > right->ns);
}

size_t probes__runs(const struct probes *probes, struct probes_runs *out, size_t max)
{
	struct bpf_program *program;
	size_t cnt = 0;

	if (probes->runs_fd < 0)
		return 0;
	bpf_object__for_each_program(program, probes->skel->obj) {
		struct bpf_prog_info info = {};
		__u32 sz = sizeof(info);

		if (cnt == max || bpf_program__fd(program) < 0 ||
		    bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &sz) || !info.run_cnt)
			continue;
		out[cnt] = (struct probes_runs){ .program = bpf_program__name(program),
						 .cnt = info.run_cnt, .ns = info.run_time_ns };
		cnt++;
	}
	qsort(out, cnt, sizeof(*out), compare_runs);
	return cnt;
}
