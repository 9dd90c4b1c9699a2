// SPDX-License-Identifier: BSD-2-Clause
/* Causes in JSON: objects made of a charge. A group that was not measured is null. */
#include "report/json/json_out.h"
#include "report/head/causes.h"

static const char *const compile_words[] = {
	[COMPILE_UNKNOWN] = NULL, [COMPILE_MISSING] = "missing", [COMPILE_STALE] = "stale",
};
static const char *const pyc_words[] = {
	[PYC_UNKNOWN] = NULL, [PYC_WRITTEN] = "written", [PYC_UNWRITABLE] = "unwritable",
	[PYC_UNWRITTEN] = "unwritten",
};

static json_t *new_wait_ns(struct json_out *jo, __u32 measured, const struct pyi_charge *charge)
{
	json_t *obj;

	if (!(measured & PYI_GROUP_CPU))
		return json_null();
	obj = json_object();
	for (int i = 0; i < PYI_WAIT_CNT; i++)
		json_set_ns(jo, obj, causes[CAUSE_WAITS + i].key, charge->wait_ns[i]);
	return obj;
}

static json_t *new_io(struct json_out *jo, __u32 measured, const struct pyi_charge *charge)
{
	bool has_disk = measured & PYI_GROUP_DISK;
	json_t *obj;

	if (!(measured & PYI_GROUP_FILES))
		return json_null();
	obj = json_object();
	json_set_ns(jo, obj, "opens", charge->opens);
	json_set_ns(jo, obj, "open_misses", charge->open_misses);
	json_set_ns(jo, obj, "stats", charge->stats);
	json_set_ns(jo, obj, "stat_misses", charge->stat_misses);
	json_set_ns(jo, obj, "dirs_read", charge->dirs_read);
	json_set_ns(jo, obj, "search_ns", charge->search_ns);
	json_set_ns(jo, obj, "bytes_read", charge->bytes_read);
	json_set_ns(jo, obj, "bytes_written", charge->bytes_written);
	json_set_ns(jo, obj, "bytes_from_disk", has_disk ? charge->bytes_from_disk : NS_UNKNOWN);
	json_set_ns(jo, obj, "mapped", charge->mapped);
	return obj;
}

static json_t *new_rss(struct json_out *jo, __u32 measured, const struct pyi_charge *charge)
{
	json_t *obj;

	if (!(measured & PYI_GROUP_MEMORY))
		return json_null();
	obj = json_object();
	json_set_int(jo, obj, "anon", (__s64)charge->rss_anon);
	json_set_int(jo, obj, "file", (__s64)charge->rss_file);
	json_set_ns(jo, obj, "peak", charge->rss_peak ? charge->rss_peak : NS_UNKNOWN);
	return obj;
}

void json_set_causes(struct json_out *jo, json_t *obj, const struct load *load)
{
	/* Of what began in an earlier file a part was told there. */
	__u32 measured = load->is_carried ? 0 : load->process->measured;
	bool has_memory = measured & PYI_GROUP_MEMORY;

	json_set_ns(jo, obj, "cpu_ns",
		    load_as_measured_ns(load, load->cpu_ns, load->overhead_total_ns));
	json_set_ns(jo, obj, "self_cpu_ns",
		    load_as_measured_ns(load, load->self_cpu_ns, load->overhead_ns));
	json_set(jo, obj, "wait_ns", new_wait_ns(jo, measured, load->charge_all));
	json_set(jo, obj, "self_wait_ns", new_wait_ns(jo, measured, load->charge));
	json_set(jo, obj, "io", new_io(jo, measured, load->charge_all));
	json_set(jo, obj, "self_io", new_io(jo, measured, load->charge));
	json_set(jo, obj, "rss_delta", has_memory ?
		 json_integer((__s64)(load->charge_all->rss_anon + load->charge_all->rss_file)) :
		 json_null());
	json_set(jo, obj, "self_rss", new_rss(jo, measured, load->charge));
	json_set_str(jo, obj, "compile_cause", compile_words[load->compile_cause]);
	json_set_str(jo, obj, "pyc", pyc_words[load->pyc_fate]);
}

static void set_causes(struct json_out *jo, json_t *parent, const char *key,
		       const struct process *process, const struct pyi_charge *charge,
		       __u64 wall_ns, __u64 cpu_ns)
{
	__u32 measured = process->measured;
	json_t *obj = json_object();

	json_set_ns(jo, obj, "wall_ns", wall_ns);
	json_set_ns(jo, obj, "cpu_ns", measured & PYI_GROUP_CPU ? cpu_ns : NS_UNKNOWN);
	json_set(jo, obj, "wait_ns", new_wait_ns(jo, measured, charge));
	json_set(jo, obj, "io", new_io(jo, measured, charge));
	json_set(jo, obj, "rss", new_rss(jo, measured, charge));
	json_set(jo, parent, key, obj);
}

static json_t *new_throttled(struct json_out *jo, const struct throttle *throttle)
{
	bool has_quota = throttle && throttle->cgroup;
	json_t *obj;

	if (!throttle)
		return json_null();
	obj = json_object();
	json_set_str(jo, obj, "cgroup", throttle->cgroup);
	json_set_ns(jo, obj, "quota_us", has_quota ? throttle->quota_us : NS_UNKNOWN);
	json_set_ns(jo, obj, "period_us", has_quota ? throttle->period_us : NS_UNKNOWN);
	json_set_ns(jo, obj, "count", throttle->cnt);
	json_set_ns(jo, obj, "wall_ns", throttle->wall_ns);
	json_set_ns(jo, obj, "startup_count", throttle->startup_cnt);
	json_set_ns(jo, obj, "startup_ns", throttle->startup_ns);
	return obj;
}

json_t *json_new_causes(struct json_out *jo, const struct process *process)
{
	const struct pyi_charge *others = &process->outside_others, *total = &process->total;
	json_t *obj = json_object();

	set_causes(jo, obj, "outside", process, &process->outside, process->outside_ns,
		   process->outside_cpu_ns);
	set_causes(jo, obj, "other_threads", process, others, NS_UNKNOWN, others->cpu_ns);
	set_causes(jo, obj, "total", process, total, NS_UNKNOWN, total->cpu_ns);
	json_set(jo, obj, "throttled", new_throttled(jo, process->throttle));
	return obj;
}
