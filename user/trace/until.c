// SPDX-License-Identifier: BSD-2-Clause
/*
 * See until.h. One process that is ready is enough unless it is a worker: then its brothers must
 * be ready, too, or have stopped importing (a helper process never gets ready), and their parent
 * must have had the time to start the next one. Where containers or cgroups are traced, that holds
 * for each of them.
 */
#include "trace/until.h"

#include <errno.h>
#include <stdlib.h>

#include "pyimport_event.h"
#include "pyimport_phase.h"

/* HASH_NONFATAL_OOM: as in the model. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#define SETTLE_NS 300000000ULL /* gunicorn rests for up to 100 ms between two workers */
#define ENDED_NS 3000000000ULL /* a service without processes for so long does not start again */
#define QUIET_NS 1000000000ULL /* a brother that has imported nothing for so long is none */

struct runner { /* a process, by its pid */
	__u32 tgid, parent;
	__u32 import_cnt;     /* imports that have begun and not ended */
	__u64 active_ns;      /* last record of it */
	unsigned int service;
	bool is_ready, is_python;
	bool has_exec;        /* it began while we looked on */
	UT_hash_handle hh;
};

struct service { /* a container or cgroup */
	__u32 runner_cnt;
	unsigned int around;  /* the named one it is in, or itself */
	__u64 left_ns;        /* when its last process ended; 0 = one runs, or none ever did */
	bool is_awaited;      /* it was named, or a Python began in it */
	bool is_ready;
};

struct until {
	struct service services[SERVICES_MAX];
	bool want_ready;
	__u64 idle_ns;
	struct runner *runners;
	__u64 active_ns;      /* last sign of importing; 0 = none so far */
	__u64 changed_ns;     /* last fork or readiness */
	__u32 import_cnt;     /* of all */
	bool has_ready;
};

int until__new(bool want_ready, __u64 idle_ns, __u64 start_ns, unsigned int service_cnt,
	       struct until **out)
{
	struct until *until = calloc(1, sizeof(*until));

	if (!until)
		return -ENOMEM;
	until->want_ready = want_ready;
	until->idle_ns = idle_ns;
	until->active_ns = start_ns;
	for (unsigned int i = 0; i < service_cnt && i < SERVICES_MAX; i++)
		until->services[i].is_awaited = true;
	*out = until;
	return 0;
}

static struct service *service_of(struct until *until, const struct runner *runner)
{
	return runner->service == SERVICE_NONE ? NULL : &until->services[runner->service];
}

static void leave(struct service *service, __u64 now_ns)
{
	if (!--service->runner_cnt)
		service->left_ns = now_ns;
}

static void enter(struct service *service)
{
	service->runner_cnt++;
	service->left_ns = 0;
}

static void set_service(struct until *until, struct runner *runner, unsigned int number,
			__u64 now_ns)
{
	struct service *service = service_of(until, runner);

	if (runner->service == number)
		return;
	if (service) {
		leave(service, now_ns);
		leave(&until->services[service->around], now_ns);
	}
	runner->service = number;
	service = service_of(until, runner);
	if (service) {
		enter(service);
		enter(&until->services[service->around]);
	}
}

static void forget(struct until *until, struct runner *runner)
{
	until->import_cnt -= runner->import_cnt;
	HASH_DEL(until->runners, runner);
	free(runner);
}

void until__free(struct until *until)
{
	struct runner *runner, *next;

	if (!until)
		return;
	HASH_ITER(hh, until->runners, runner, next)
		forget(until, runner);
	free(until);
}

static struct runner *find(struct until *until, __u32 tgid)
{
	struct runner *runner;

	HASH_FIND(hh, until->runners, &tgid, sizeof(tgid), runner);
	return runner;
}

static struct runner *get(struct until *until, __u32 tgid)
{
	struct runner *runner = find(until, tgid);

	if (runner)
		return runner;
	runner = calloc(1, sizeof(*runner));
	if (!runner)
		return NULL;
	runner->tgid = tgid;
	runner->service = SERVICE_NONE;
	HASH_ADD(hh, until->runners, tgid, sizeof(runner->tgid), runner);
	return runner;
}

static void set_import_cnt(struct until *until, struct runner *runner, __u32 cnt)
{
	until->import_cnt += cnt - runner->import_cnt;
	runner->import_cnt = cnt;
}

/* The body of `__main__` is no import: it lasts as long as the service does. */
static bool is_search(__u8 span)
{
	return span == PYI_SPAN_FIND || span == PYI_SPAN_SEARCH;
}

static void note_fork(struct until *until, const struct pyi_fork *fork)
{
	struct runner *parent = find(until, fork->hdr.tgid);
	struct runner *child = get(until, fork->child_tgid);

	if (!child)
		return;
	/* A pid that comes again is another process. */
	set_import_cnt(until, child, 0);
	child->parent = fork->hdr.tgid;
	set_service(until, child, parent ? parent->service : SERVICE_NONE, fork->hdr.ts_ns);
	child->is_ready = false;
	child->is_python = parent && parent->is_python;
	child->active_ns = until->changed_ns = fork->hdr.ts_ns;
}

static void note_runner(struct until *until, struct runner *runner, const struct pyi_hdr *hdr,
			const void *record)
{
	struct service *service = service_of(until, runner);

	switch (hdr->kind) {
	case PYI_EV_EXEC:
		set_import_cnt(until, runner, 0);
		runner->parent = ((const struct pyi_exec *)record)->ppid;
		runner->is_ready = runner->is_python = false;
		runner->has_exec = true;
		break;
	case PYI_EV_PYTHON:
		runner->is_python = true;
		if (service && runner->has_exec)
			service->is_awaited = true;
		break;
	case PYI_EV_BEGIN:
		if (is_search(((const struct pyi_begin *)record)->span))
			set_import_cnt(until, runner, runner->import_cnt + 1);
		break;
	case PYI_EV_END:
		if (is_search(((const struct pyi_end *)record)->span) && runner->import_cnt)
			set_import_cnt(until, runner, runner->import_cnt - 1);
		break;
	case PYI_EV_PHASE:
		if (((const struct pyi_phase *)record)->phase == PYI_PHASE_READY) {
			runner->is_ready = until->has_ready = true;
			if (service) {
				service->is_ready = true;
				until->services[service->around].is_ready = true;
			}
			until->changed_ns = hdr->ts_ns;
		}
		break;
	}
}

static bool is_activity(__u16 kind)
{
	return kind == PYI_EV_EXEC || kind == PYI_EV_FORK || kind == PYI_EV_PYTHON ||
	       kind == PYI_EV_BEGIN || kind == PYI_EV_END || kind == PYI_EV_PHASE ||
	       kind == PYI_EV_EXIT;
}

void until__note(struct until *until, const struct pyi_hdr *hdr)
{
	struct runner *runner;

	if (!is_activity(hdr->kind))
		return;
	if (hdr->kind == PYI_EV_EXIT) {
		runner = find(until, hdr->tgid);
		if (runner) {
			set_service(until, runner, SERVICE_NONE, hdr->ts_ns);
			forget(until, runner);
		}
		return;
	}
	if (hdr->kind == PYI_EV_FORK) {
		note_fork(until, (const void *)hdr);
		return;
	}
	runner = get(until, hdr->tgid);
	if (!runner)
		return;
	note_runner(until, runner, hdr, hdr);
	runner->active_ns = hdr->ts_ns;
	if (hdr->kind != PYI_EV_EXEC && hdr->kind != PYI_EV_PHASE && hdr->ts_ns > until->active_ns)
		until->active_ns = hdr->ts_ns;
}

void until__note_service(struct until *until, const struct pyi_hdr *hdr, unsigned int service,
			 unsigned int around)
{
	struct runner *runner = service >= SERVICES_MAX ? NULL : get(until, hdr->tgid);

	if (!runner)
		return;
	until->services[service].around = around < SERVICES_MAX ? around : service;
	set_service(until, runner, service, hdr->ts_ns);
}

/* Is it still on its way to what its brother already is? */
static bool is_awaited(struct until *until, const struct runner *runner, __u64 now_ns)
{
	const struct runner *other;

	if (runner->is_ready || !runner->is_python || !runner->parent ||
	    (!runner->import_cnt && now_ns > runner->active_ns + QUIET_NS))
		return false;
	for (other = until->runners; other; other = other->hh.next)
		if (other->is_ready && other->parent == runner->parent)
			return true;
	return false;
}

static bool are_all_ready(struct until *until, __u64 now_ns)
{
	bool has_worker = false;

	for (size_t i = 0; i < SERVICES_MAX; i++) {
		const struct service *service = &until->services[i];
		bool has_ended = service->left_ns && now_ns >= service->left_ns + ENDED_NS;

		if (service->is_awaited && !service->is_ready && !has_ended)
			return false;
	}
	for (struct runner *runner = until->runners; runner; runner = runner->hh.next) {
		const struct runner *parent = find(until, runner->parent);

		if (is_awaited(until, runner, now_ns))
			return false;
		has_worker |= runner->is_ready && parent && parent->is_python;
	}
	return !has_worker || now_ns >= until->changed_ns + SETTLE_NS;
}

bool until__is_over(struct until *until, __u64 now_ns, const char **why)
{
	if (until->want_ready && until->has_ready && are_all_ready(until, now_ns)) {
		*why = "ready for connections";
		return true;
	}
	if (until->idle_ns && until->active_ns && !until->import_cnt &&
	    now_ns >= until->active_ns + until->idle_ns) {
		*why = "no more imports";
		return true;
	}
	return false;
}
