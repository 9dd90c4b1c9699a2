// SPDX-License-Identifier: BSD-2-Clause
/*
 * See facts.h. The stream lags behind by some milliseconds, in which a wrapper may have exec'ed
 * twice: what /proc says belongs to a record only if the process is still that image afterwards.
 * A command line is read only where the record has not all of it: that waits for the process's
 * memory map, half a second when 64 interpreters start at once, and meanwhile the ring overflows.
 */
#include "trace/facts/facts.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "model/model.h"
#include "probe/probes.h"
#include "pyimport_event.h"
#include "interpreters/process/proc.h"
#include "trace/facts/recent_images.h"

#define NOTED_MAX 4096 /* waiting to be read; more than that in 20 ms are left without facts */

/* A process image seen in the stream whose facts are still to be read. */
struct noted {
	__u32 serial;
	pid_t tgid;
	bool has_argv;      /* its exec record has all of the command line */
};

/* What was read of a process, owned. */
struct read_info {
	__u32 serial;
	char *exe, *cwd;
	char **argv;
	size_t argc;
};

struct facts {
	struct noted *noted;
	size_t noted_cnt, noted_cap;
	struct read_info *followed;
	size_t followed_cnt;
	pid_t *living;      /* followed processes and their children, as far as seen */
	size_t living_cnt, living_cap;
	struct recent known; /* those with an exec record or facts */
	pid_t launched;     /* its first exec is still to come */
	__u32 launched_serial;
};

int facts__new(struct facts **out)
{
	*out = calloc(1, sizeof(**out));
	return *out ? 0 : -ENOMEM;
}

static void clear_info(struct read_info *info)
{
	free(info->exe);
	free(info->cwd);
	free(info->argv);
	*info = (struct read_info){};
}

void facts__free(struct facts *facts)
{
	if (!facts)
		return;
	for (size_t i = 0; i < facts->followed_cnt; i++)
		clear_info(&facts->followed[i]);
	free(facts->followed);
	free(facts->noted);
	free(facts->living);
	free(facts);
}

/* Makes room for one more; the array stays as it is when there is no memory. */
static bool grow(void *array, size_t cnt, size_t *cap, size_t item_sz)
{
	size_t more = *cap ? *cap * 2 : 16;
	void *items;

	if (cnt < *cap)
		return true;
	memcpy(&items, array, sizeof(items)); /* @array is the address of some type of pointer */
	items = reallocarray(items, more, item_sz);
	if (!items)
		return false;
	memcpy(array, &items, sizeof(items));
	*cap = more;
	return true;
}

static void add_living(struct facts *facts, pid_t tgid)
{
	if (grow(&facts->living, facts->living_cnt, &facts->living_cap, sizeof(pid_t)))
		facts->living[facts->living_cnt++] = tgid;
}

static bool remove_living(struct facts *facts, pid_t tgid)
{
	for (size_t i = 0; i < facts->living_cnt; i++) {
		if (facts->living[i] == tgid) {
			facts->living[i] = facts->living[--facts->living_cnt];
			return true;
		}
	}
	return false;
}

static bool is_living(const struct facts *facts, pid_t tgid)
{
	for (size_t i = 0; i < facts->living_cnt; i++) {
		if (facts->living[i] == tgid)
			return true;
	}
	return false;
}

/* Records may be lost, an exit's too: ask the kernel as well. */
bool facts__has_living(struct facts *facts)
{
	for (size_t i = 0; i < facts->living_cnt;) {
		if (kill(facts->living[i], 0) && errno == ESRCH)
			facts->living[i] = facts->living[--facts->living_cnt];
		else
			i++;
	}
	return facts->living_cnt > 0;
}

static void note(struct facts *facts, const struct pyi_hdr *hdr, bool has_argv)
{
	struct noted *noted;

	if (recent_has(&facts->known, hdr->proc))
		return;
	recent_add(&facts->known, hdr->proc);
	if (facts->noted_cnt == NOTED_MAX ||
	    !grow(&facts->noted, facts->noted_cnt, &facts->noted_cap, sizeof(*noted)))
		return;
	if ((pid_t)hdr->tgid == facts->launched) {
		facts->launched = 0;
		facts->launched_serial = hdr->proc;
	}
	noted = &facts->noted[facts->noted_cnt++];
	noted->serial = hdr->proc;
	noted->tgid = hdr->tgid;
	noted->has_argv = has_argv;
}

static void note_fork(struct facts *facts, const struct pyi_fork *fork)
{
	/* A child of a fork starts as its parent: the model inherits what is known of it. */
	if (recent_has(&facts->known, fork->hdr.proc))
		recent_add(&facts->known, fork->child_proc);
	if (is_living(facts, fork->hdr.tgid))
		add_living(facts, fork->child_tgid);
}

void facts__note(struct facts *facts, const struct pyi_hdr *hdr)
{
	if (hdr->kind == PYI_EV_EXEC) {
		const struct pyi_exec *exec = (const void *)hdr;

		note(facts, hdr, exec->args_sz && exec->args_sz < PYI_ARGS_SZ);
	} else if (hdr->kind == PYI_EV_FORK) {
		note_fork(facts, (const void *)hdr);
	} else if (hdr->kind == PYI_EV_PYTHON) {
		note(facts, hdr, false);
	} else if (hdr->kind == PYI_EV_EXIT) {
		remove_living(facts, hdr->tgid);
	}
}

static int read_info(pid_t tgid, bool want_argv, struct read_info *info)
{
	_cleanup_close_ int fd = proc_open(tgid);

	if (fd < 0)
		return fd;
	/* Each may fail by itself (a kernel thread, another user's process): NULL then. */
	if (want_argv)
		proc_argv(fd, &info->argv, &info->argc);
	proc_link(fd, "exe", &info->exe);
	proc_link(fd, "cwd", &info->cwd);
	return info->argv || !want_argv ? 0 : -ESRCH;
}

static void tell(struct model *model, const struct read_info *info)
{
	struct process_info told = { .exe = info->exe, .cwd = info->cwd,
				     .argv = (const char *const *)info->argv,
				     .argc = info->argc };

	if (model__set_process_info(model, info->serial, &told))
		log_debug("facts of process image %u: out of memory", info->serial);
}

static void tell_launched(struct model *model, __u32 serial)
{
	struct read_info info = { .serial = serial, .cwd = get_current_dir_name() };

	tell(model, &info);
	clear_info(&info);
}

static bool has_newer(const struct facts *facts, size_t index)
{
	for (size_t i = index + 1; i < facts->noted_cnt; i++) {
		if (facts->noted[i].tgid == facts->noted[index].tgid)
			return true;
	}
	return false;
}

void facts__read(struct facts *facts, const struct probes *probes, struct model *model)
{
	for (size_t i = 0; i < facts->noted_cnt; i++) {
		const struct noted *noted = &facts->noted[i];
		struct read_info info = { .serial = noted->serial };

		if (!has_newer(facts, i) && !read_info(noted->tgid, !noted->has_argv, &info) &&
		    probes__serial(probes, noted->tgid) == noted->serial)
			tell(model, &info);
		else if (info.serial == facts->launched_serial)
			tell_launched(model, info.serial);
		clear_info(&info);
	}
	facts->noted_cnt = 0;
}

void facts__launched(struct facts *facts, pid_t tgid)
{
	facts->launched = tgid;
}

int facts__follow(struct facts *facts, pid_t tgid, __u32 serial)
{
	struct read_info info = { .serial = serial };
	struct read_info *grown;
	int err;

	grown = reallocarray(facts->followed, facts->followed_cnt + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	facts->followed = grown;
	err = read_info(tgid, true, &info);
	if (err) {
		clear_info(&info);
		return err;
	}
	grown[facts->followed_cnt++] = info;
	recent_add(&facts->known, serial);
	add_living(facts, tgid);
	return 0;
}

void facts__finish(struct facts *facts, struct model *model)
{
	for (size_t i = 0; i < facts->followed_cnt; i++)
		tell(model, &facts->followed[i]);
}
