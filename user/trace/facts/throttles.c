// SPDX-License-Identifier: BSD-2-Clause
/*
 * See throttles.h. A process is noted when its record comes and looked at after the ring was
 * read: some milliseconds after it began. What is open stays open, so that what a process was
 * stopped for is also known when it has ended.
 */
#include "trace/facts/throttles.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "model/model.h"
#include "pyimport_event.h"
#include "interpreters/containers/cpu_quota.h"
#include "interpreters/process/proc.h"

#define NOTED_MAX 4096      /* processes looked at at once: the others' quotas are unknown */
#define GAP_NS 20000000ULL
#define GAP_SHARE 64        /* a look per so many parts of the age: 700 in a day */

struct watched {
	__u32 serial;
	pid_t tgid;
	bool is_open, is_ended;
	__u64 since_ns, next_ns;
	struct cpu_quota quotas[CPU_QUOTAS_MAX];
	struct cpu_throttled told[CPU_QUOTAS_MAX];
	int quota_cnt;
};

struct throttles {
	struct cgroup_mount mount;
	bool has_mount;
	struct watched *watched;
	size_t cnt, cap;
};

int throttles__new(struct throttles **out)
{
	struct throttles *throttles = calloc(1, sizeof(*throttles));

	if (!throttles)
		return -ENOMEM;
	throttles->has_mount = !cpu_quota_mount(&throttles->mount);
	*out = throttles;
	return 0;
}

static void watched_clear(struct watched *watched)
{
	for (int i = 0; i < watched->quota_cnt; i++)
		cpu_quota__close(&watched->quotas[i]);
	watched->quota_cnt = 0;
}

void throttles__free(struct throttles *throttles)
{
	if (!throttles)
		return;
	for (size_t i = 0; i < throttles->cnt; i++)
		watched_clear(&throttles->watched[i]);
	cgroup_mount_clear(&throttles->mount);
	free(throttles->watched);
	free(throttles);
}

static bool is_watched(const struct throttles *throttles, __u32 serial)
{
	for (size_t i = throttles->cnt; i-- > 0;)
		if (throttles->watched[i].serial == serial)
			return true;
	return false;
}

static void end(struct throttles *throttles, pid_t tgid)
{
	for (size_t i = 0; i < throttles->cnt; i++)
		if (throttles->watched[i].tgid == tgid)
			throttles->watched[i].is_ended = true;
}

void throttles__follow(struct throttles *throttles, pid_t tgid, __u32 serial)
{
	size_t cap = throttles->cap ? throttles->cap * 2 : 16;
	struct watched *bigger;

	if (!throttles->has_mount || throttles->cnt == NOTED_MAX || is_watched(throttles, serial))
		return;
	if (throttles->cnt == throttles->cap) {
		bigger = reallocarray(throttles->watched, cap, sizeof(*bigger));
		if (!bigger)
			return;
		throttles->watched = bigger;
		throttles->cap = cap;
	}
	end(throttles, tgid); /* what ran there before an exec */
	throttles->watched[throttles->cnt++] = (struct watched){ .serial = serial, .tgid = tgid };
}

void throttles__note(struct throttles *throttles, const struct pyi_hdr *hdr)
{
	if (hdr->kind == PYI_EV_EXEC || hdr->kind == PYI_EV_PYTHON) {
		throttles__follow(throttles, (pid_t)hdr->tgid, hdr->proc);
	} else if (hdr->kind == PYI_EV_FORK) {
		const struct pyi_fork *fork = (const void *)hdr;

		throttles__follow(throttles, (pid_t)fork->child_tgid, fork->child_proc);
	} else if (hdr->kind == PYI_EV_EXIT) {
		end(throttles, (pid_t)hdr->tgid);
	}
}

static void tell(struct model *model, const struct watched *watched, int index, __u64 now_ns)
{
	const struct cpu_quota *quota = &watched->quotas[index];
	const struct cpu_throttled *told = &watched->told[index];
	struct throttle_info info = {};

	if (watched->quota_cnt)
		info = (struct throttle_info){ quota->path, quota->quota_us, quota->period_us,
					       now_ns, told->cnt, told->wall_ns };
	if (model__add_throttle(model, watched->serial, &info))
		log_debug("CPU quota of process image %u: out of memory", watched->serial);
}

/* The first look: which quotas there are, and what they count before the process does. */
static void begin(const struct throttles *throttles, struct model *model, struct watched *watched,
		  __u64 now_ns)
{
	_cleanup_close_ int proc_fd = proc_open(watched->tgid);
	int cnt = proc_fd < 0 ? proc_fd :
		  cpu_quotas__open(&throttles->mount, proc_fd, watched->quotas);

	watched->is_open = true;
	watched->since_ns = now_ns;
	if (cnt < 0) {
		log_debug("process %d: CPU quota unknown: %s", watched->tgid, strerror(-cnt));
		return;
	}
	watched->quota_cnt = cnt;
	for (int i = 0; i < cnt; i++) {
		if (!cpu_quota__read(&watched->quotas[i], &watched->told[i]))
			continue;
		log_debug("process %d: what its CPU quota counts is unknown", watched->tgid);
		watched_clear(watched);
		return;
	}
	for (int i = 0; i < cnt || !i; i++)
		tell(model, watched, i, now_ns);
}

static void look(struct model *model, struct watched *watched, __u64 now_ns)
{
	for (int i = 0; i < watched->quota_cnt; i++) {
		struct cpu_throttled now, *told = &watched->told[i];

		if (cpu_quota__read(&watched->quotas[i], &now) ||
		    (now.cnt == told->cnt && now.wall_ns == told->wall_ns))
			continue;
		*told = now;
		tell(model, watched, i, now_ns);
	}
	watched->next_ns = (now_ns - watched->since_ns) / GAP_SHARE;
	watched->next_ns = now_ns + (watched->next_ns > GAP_NS ? watched->next_ns : GAP_NS);
}

void throttles__read(struct throttles *throttles, struct model *model, __u64 now_ns, bool is_last)
{
	size_t kept = 0;

	for (size_t i = 0; i < throttles->cnt; i++) {
		struct watched *watched = &throttles->watched[i];

		if (!watched->is_open && !watched->is_ended)
			begin(throttles, model, watched, now_ns);
		else if (is_last || watched->is_ended || now_ns >= watched->next_ns)
			look(model, watched, now_ns);
		if (watched->is_ended)
			watched_clear(watched);
		else
			throttles->watched[kept++] = *watched;
	}
	throttles->cnt = kept;
}
