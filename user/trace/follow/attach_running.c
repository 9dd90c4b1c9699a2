// SPDX-License-Identifier: BSD-2-Clause
/* See attach_running.h. */
#include "trace/follow/attach_running.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "trace/follow/apart.h"
#include "trace/follow/pythons.h"
#include "trace/session.h"
#include "model/model.h"
#include "pyimport_event.h"
#include "interpreters/process/inventory.h"
#include "interpreters/process/proc.h"

/* The processes known so far, in the order in which they were found. */
struct family {
	pid_t *tgids;
	size_t cnt, cap;
	int err;
};

static void family_clear(struct family *family)
{
	free(family->tgids);
}

static bool family_has(const struct family *family, pid_t tgid)
{
	for (size_t i = 0; i < family->cnt; i++)
		if (family->tgids[i] == tgid)
			return true;
	return false;
}

static void family_add(struct family *family, pid_t tgid)
{
	size_t cap = family->cap ? 2 * family->cap : 64;
	pid_t *tgids;

	if (family->cnt == family->cap) {
		tgids = reallocarray(family->tgids, cap, sizeof(*tgids));
		if (!tgids) {
			family->err = -ENOMEM;
			return;
		}
		family->tgids = tgids;
		family->cap = cap;
	}
	family->tgids[family->cnt++] = tgid;
}

static int add_child(void *ctx, pid_t tgid)
{
	struct family *family = ctx;
	_cleanup_close_ int proc_fd = proc_open(tgid);
	pid_t ppid;

	if (tgid == getpid()) /* started by what it traces: it would wait for its own end */
		return 0;
	if (proc_fd >= 0 && !proc_parent(proc_fd, &ppid, NULL) && family_has(family, ppid) &&
	    !family_has(family, tgid))
		family_add(family, tgid);
	return family->err;
}

/* New children of a followed process are followed: looking until none is new is enough. */
int late_each_child(const pid_t *roots, size_t root_cnt, late_fn fn, void *ctx)
{
	_cleanup_(family_clear) struct family family = {};
	size_t done = root_cnt, before;
	int err = 0;

	for (size_t i = 0; i < root_cnt; i++)
		family_add(&family, roots[i]);
	do {
		before = family.cnt;
		err = family.err ? family.err : proc_each(add_child, &family);
		for (; !err && done < family.cnt; done++)
			err = fn(ctx, family.tgids[done]);
	} while (!err && family.cnt != before);
	return err;
}

static void take_record(void *ctx, const void *record, size_t size)
{
	struct session *session = ctx;

	if (model__apply(session->model, record, size))
		log_debug("out of memory for a record");
}

static const struct interp *find_interp(void *ctx, int fd)
{
	struct session *session = ctx;

	return pythons__find(session->pythons, fd, NULL);
}

void late_take(struct session *session, pid_t tgid, __u32 serial)
{
	const struct inventory_opts opts = {
		.tgid = tgid, .serial = serial, .now_ns = clock_ns(),
		.on_record = take_record, .find_interp = find_interp, .ctx = session,
	};
	int err = apart_read(session->pythons, &opts, &session->given_up_cnt);

	if (err == -ETIMEDOUT)
		log_warn("process %d: what it has loaded cannot be read: a file in its memory does not answer",
			 tgid);
	else if (err)
		log_debug("process %d: what it has loaded cannot be read: %s", tgid, strerror(-err));
	log_debug("process %d: inventory in %.1f ms", tgid,
		  (double)(clock_ns() - opts.now_ns) / 1e6);
}

/* Processes that showed themselves. The ring is read every few ms: more than that is not usual. */
struct late {
	struct {
		pid_t tgid;
		__u32 serial;
	} noted[256];
	size_t cnt;
};

void late_note(struct session *session, const struct pyi_hdr *hdr)
{
	struct late *late = session->late;

	if (hdr->kind != PYI_EV_PYTHON ||
	    !model__wants_inventory(session->model, hdr->proc))
		return;
	if (!late)
		late = session->late = calloc(1, sizeof(*late));
	if (!late || late->cnt == sizeof(late->noted) / sizeof(late->noted[0]))
		return;
	late->noted[late->cnt].tgid = hdr->tgid;
	late->noted[late->cnt++].serial = hdr->proc;
}

void late_read(struct session *session)
{
	struct late *late = session->late;

	for (size_t i = 0; late && i < late->cnt; i++)
		if (model__wants_inventory(session->model, late->noted[i].serial))
			late_take(session, late->noted[i].tgid, late->noted[i].serial);
	if (late)
		late->cnt = 0;
}
