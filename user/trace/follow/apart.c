// SPDX-License-Identifier: BSD-2-Clause
/* See apart.h. */
#include "trace/follow/apart.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "interpreters/process/keep_fds.h"
#include "interpreters/process/proc.h"
#include "interpreters/process/sys_modules.h"
#include "pyimport_event.h"
#include "trace/follow/pythons.h"

#define LOOK_MS 50
#define ASLEEP_MAX 10           /* looks at which it waits: it reads memory, and has no cause to */
#define WHOLE_NS 10000000000ULL /* a large one takes a tenth of a second */
#define GIVEN_UP_MAX 8          /* each costs half a second in which no records are read */
#define BUF_SZ 65536

/* In the child. */
struct writer {
	const struct inventory_opts *opts;
	int fd;
};

static void write_record(void *ctx, const void *record, size_t size)
{
	const struct writer *writer = ctx;

	for (size_t at = 0; at < size;) {
		ssize_t sz = write(writer->fd, (const char *)record + at, size - at);

		if (sz <= 0)
			_exit(EPIPE);
		at += (size_t)sz;
	}
}

static const struct interp *find_interp(void *ctx, int fd)
{
	const struct writer *writer = ctx;

	return writer->opts->find_interp(writer->opts->ctx, fd);
}

/* Probes, holds and pipes of ours must not live on in one that cannot be killed. */
static _Noreturn void read_all(const struct inventory_opts *opts, int fd)
{
	struct writer writer = { opts, fd };
	struct inventory_opts ours = *opts;
	int kept[] = { fd };
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	keep_fds(kept, 1);
	ours.on_record = write_record;
	ours.find_interp = find_interp;
	ours.ctx = &writer;
	_exit(-inventory_read(&ours) & 0xff);
}

/* In the parent. */
struct reader {
	const struct inventory_opts *opts;
	pid_t child;
	int fd;
	bool has_modules;
	size_t sz;
	char buf[BUF_SZ];
};

static bool is_asleep(pid_t child)
{
	_cleanup_close_ int proc_fd = proc_open(child);
	_cleanup_free_ char *text = NULL;
	const char *state;
	size_t sz;

	if (proc_fd < 0 || proc_read(proc_fd, "stat", 4096, &text, &sz))
		return false;
	state = strrchr(text, ')');
	return state && (state[2] == 'D' || state[2] == 'S');
}

static void pass_on(struct reader *reader)
{
	const struct pyi_inventory *rec;
	size_t at = 0;

	while (reader->sz - at >= sizeof(rec->hdr)) {
		rec = (const struct pyi_inventory *)(reader->buf + at);
		if (rec->hdr.size < sizeof(*rec) || rec->hdr.size > reader->sz - at)
			break;
		reader->has_modules |= rec->what == PYI_INVENTORY_MODULE;
		reader->opts->on_record(reader->opts->ctx, rec, rec->hdr.size);
		at += rec->hdr.size;
	}
	memmove(reader->buf, reader->buf + at, reader->sz - at);
	reader->sz -= at;
}

/* 0 when all has come. */
static int take(struct reader *reader)
{
	__u64 begin_ns = clock_ns();
	int asleep_cnt = 0;
	ssize_t sz = 1;

	while (sz) {
		struct pollfd fd = { .fd = reader->fd, .events = POLLIN };
		int ready = poll(&fd, 1, LOOK_MS);

		if (ready < 0 && errno != EINTR)
			return -errno;
		if (ready <= 0) {
			asleep_cnt = is_asleep(reader->child) ? asleep_cnt + 1 : 0;
			if (asleep_cnt >= ASLEEP_MAX || clock_ns() - begin_ns > WHOLE_NS)
				return -ETIMEDOUT;
			continue;
		}
		asleep_cnt = 0;
		sz = read(reader->fd, reader->buf + reader->sz, BUF_SZ - reader->sz);
		if (sz < 0)
			return -errno;
		reader->sz += (size_t)sz;
		pass_on(reader);
	}
	return 0;
}

static void give_up(struct reader *reader)
{
	struct inventory_item part = { .what = PYI_INVENTORY_MODULES, .flags = PYI_F_TRUNC };

	kill(reader->child, SIGKILL); /* it ends when its file system answers, or is gone */
	waitpid(reader->child, NULL, WNOHANG);
	if (reader->has_modules)
		inventory_send(reader->opts, &part);
}

int apart_read(struct pythons *pythons, const struct inventory_opts *opts,
	       unsigned int *given_up_cnt)
{
	_cleanup_free_ struct reader *reader = calloc(1, sizeof(*reader));
	_cleanup_close_ int in = -1, out = -1;
	int fds[2], status = 0, err;

	if (!reader)
		return -ENOMEM;
	if (*given_up_cnt >= GIVEN_UP_MAX)
		return -EBUSY;
	if (pipe2(fds, O_CLOEXEC))
		return -errno;
	in = fds[0];
	out = fds[1];
	*reader = (struct reader){ .opts = opts, .fd = in, .child = pythons__fork(pythons) };
	if (!reader->child)
		read_all(opts, out);
	if (reader->child < 0)
		return -errno;
	close(TAKE_FD(out));
	err = take(reader);
	if (err) {
		++*given_up_cnt;
		give_up(reader);
		return err;
	}
	close(TAKE_FD(in)); /* whatever it still has to say, it must not wait for us */
	while (waitpid(reader->child, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -EIO;
}
