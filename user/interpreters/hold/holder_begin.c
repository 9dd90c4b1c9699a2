// SPDX-License-Identifier: BSD-2-Clause
/* How the process that holds comes to be one: nobody in its way, and it in nobody's. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "interpreters/hold/hold.h"
#include "interpreters/hold/holder_state.h"
#include "interpreters/process/keep_fds.h"
#include "interpreters/process/privilege.h"

/* Nothing of the tracer but what we need: its BPF links must die with it, not with us. */
static void close_others(const struct holder *holder)
{
	size_t cnt = holder->mapped ? mapped__fd_cnt(holder->mapped) : 0;
	int fds[HOLDER_FDS_MAX + 3 + HOLD_WANTS_FDS], at = 0;

	for (size_t i = 0; i < cnt && i < HOLDER_FDS_MAX; i++)
		fds[at++] = mapped__fds(holder->mapped)[i];
	fds[at++] = holder->tracer.sock;
	fds[at++] = holder->scout.sock;
	if (holder->opts->fan_fd >= 0)
		fds[at++] = holder->opts->fan_fd;
	for (size_t i = 0; holder->opts->ops->wants && i < HOLD_WANTS_FDS; i++)
		fds[at++] = holder->opts->ops->wants_fds[i];
	keep_fds(fds, at);
}

/* One descriptor for those of all processors. */
static void start_mapped(struct holder *holder)
{
	struct mapped *mapped = holder->mapped;
	struct epoll_event event = { .events = EPOLLIN };

	holder->caught.can_stop = holder->opts->can_stop;
	if (!mapped)
		return;
	holder->map_fd = epoll_create1(EPOLL_CLOEXEC);
	for (size_t i = 0; i < mapped__fd_cnt(mapped); i++) {
		if (epoll_ctl(holder->map_fd, EPOLL_CTL_ADD, mapped__fds(mapped)[i], &event))
			atomic_store(&holder->counts->lost_cnt, 1);
	}
	if (mapped__start(mapped)) {
		atomic_store(&holder->counts->lost_cnt, 1);
		holder->mapped = NULL;
	}
	holder->caught.mapped = holder->mapped;
	holder->readers.is_noticed = holder->mapped && holder->opts->can_stop;
}

/*
 * Who freezes the tracer's cgroup, or leaves it without processor or memory, must not make the
 * execs of the host wait: the root of a hierarchy has no such limits. 0 stands for the writer.
 */
static void leave_cgroups(void)
{
	static const char *const hierarchies[] = { "", "unified/", "freezer/", "cpu/", "memory/",
						   "cpu,cpuacct/", "cpuset/" };
	char path[64];

	for (size_t i = 0; i < sizeof(hierarchies) / sizeof(hierarchies[0]); i++) {
		int fd;

		snprintf(path, sizeof(path), "/sys/fs/cgroup/%scgroup.procs", hierarchies[i]);
		fd = open(path, O_WRONLY | O_CLOEXEC);
		if (fd < 0)
			continue;
		/* If that fails, it is where the tracer is, and as easily frozen. */
		while (write(fd, "0", 1) < 0 && errno == EINTR)
			;
		close(fd);
	}
}

void holder_begin(struct holder *holder)
{
	const struct holder_request hello = { .ask = HOLDER_HELLO };
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL); /* SIGKILL still ends us, and that releases all */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, "pyimport-hold");
	if (getppid() != holder->opts->tracer)
		_exit(0);
	leave_cgroups();
	/* Programs of the whole host wait for us, and all we do is pass messages. */
	if (sched_setscheduler(0, SCHED_RR, &(struct sched_param){ .sched_priority = 1 }))
		setpriority(PRIO_PROCESS, 0, -20);
	/* Out of the terminal's reach: Ctrl-Z stops the tracer, not the one who answers. */
	setsid();
	close_others(holder);
	start_mapped(holder);
	privilege_keep_holding(); /* if that fails, it holds all the same */
	if (holder->opts->fan_fd >= 0 && readers__start(&holder->readers))
		_exit(0);
	/* From now on nothing is missed. */
	if (send(holder->tracer.sock, &hello, sizeof(hello), MSG_NOSIGNAL) != sizeof(hello))
		_exit(0);
}
