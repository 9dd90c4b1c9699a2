// SPDX-License-Identifier: BSD-2-Clause
/* Launching a held command; see launch.h. */
#include "interpreters/process/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "interpreters/process/invoker.h"
#include "interpreters/process/privilege.h"
#include "interpreters/process/shebang.h"

struct launch {
	pid_t tgid;
	int go_fd;     /* writing one byte lets the child go */
	int failed_fd; /* errno of a failed exec comes back here; closed by one that succeeds */
	bool is_released, has_ended;
	int status;
};

/*
 * A pipe that exec closes, clear of 0, 1 and 2 (which may be closed). Were a standard stream
 * missing, the child must still see it missing, so nothing of ours may sit there.
 */
static int make_pipe(int *read_fd, int *write_fd)
{
	int low[2];

	if (pipe2(low, O_CLOEXEC))
		return -errno;
	*read_fd = fcntl(low[0], F_DUPFD_CLOEXEC, 10);
	*write_fd = fcntl(low[1], F_DUPFD_CLOEXEC, 10);
	close(low[0]);
	close(low[1]);
	return *read_fd < 0 || *write_fd < 0 ? -EMFILE : 0;
}

static ssize_t read_retry(int fd, void *buf, size_t sz)
{
	ssize_t got;

	do {
		got = read(fd, buf, sz);
	} while (got < 0 && errno == EINTR);
	return got;
}

/* execvp with the command's own environment and PATH; text without #! goes to sh, as there. */
static int exec_command(const struct launch_opts *opts)
{
	_cleanup_free_ char *program = NULL;
	int err;

	err = shebang_search(opts->argv[0], invoker_getenv(opts->invoker, "PATH"), &program);
	if (err)
		return err;
	execve(program, opts->argv, opts->invoker->env);
	if (errno == ENOEXEC) {
		environ = opts->invoker->env;
		execvp(program, opts->argv);
	}
	return -errno;
}

static void run_child(const struct launch_opts *opts, int go_fd, int failed_fd)
{
	char go;
	int err;

	/* End of file without the byte: the tracer died. Never run untraced. */
	if (read_retry(go_fd, &go, 1) != 1)
		_exit(125);
	if (opts->is_stdout_ours && dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
		close(STDOUT_FILENO);
	err = invoker_become(opts->invoker) ?: privilege_drop_inherited();
	if (!err)
		err = exec_command(opts);
	if (write(failed_fd, &err, sizeof(err)) < 0)
		_exit(125);
	_exit(launch_exec_status(err));
}

int launch__new(const struct launch_opts *opts, struct launch **out)
{
	_cleanup_close_ int go_read = -1, go_write = -1, failed_read = -1, failed_write = -1;
	_cleanup_free_ struct launch *launch = calloc(1, sizeof(*launch));
	int err;

	if (!launch)
		return -ENOMEM;
	err = make_pipe(&go_read, &go_write);
	if (!err)
		err = make_pipe(&failed_read, &failed_write);
	if (err)
		return err;
	launch->tgid = fork();
	if (launch->tgid < 0)
		return -errno;
	if (!launch->tgid) {
		/* Its own copy of the write end would keep the pipe open after our death. */
		close(go_write);
		close(failed_read);
		run_child(opts, go_read, failed_write);
	}
	launch->go_fd = TAKE_FD(go_write);
	launch->failed_fd = TAKE_FD(failed_read);
	*out = TAKE_PTR(launch);
	return 0;
}

pid_t launch__tgid(const struct launch *launch)
{
	return launch->tgid;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

int launch__release(struct launch *launch)
{
	int err = 0;
	ssize_t got;

	launch->is_released = true;
	/* The child may have been killed while held: EPIPE then, and SIGPIPE is ignored by now. */
	if (write(launch->go_fd, "g", 1) != 1)
		return errno == EPIPE ? -ESRCH : -errno;
	close_fd(&launch->go_fd);
	got = read_retry(launch->failed_fd, &err, sizeof(err));
	close_fd(&launch->failed_fd);
	return got == sizeof(err) ? err : 0;
}

int launch_exec_status(int err)
{
	return err == -ENOENT || err == -ENOTDIR ? 127 : 126;
}

int launch__poll(struct launch *launch, bool want_wait, int *status)
{
	pid_t got;

	while (!launch->has_ended) {
		got = waitpid(launch->tgid, &launch->status, want_wait ? 0 : WNOHANG);
		if (got < 0 && errno == EINTR && !want_wait)
			continue;
		if (got < 0 && errno == EINTR)
			return -EINTR;
		if (!got)
			return 0;
		if (got < 0) /* somebody else collected it: the status is lost, the end is not */
			launch->status = 0;
		launch->has_ended = true;
	}
	*status = launch->status;
	return 1;
}

void launch__signal(const struct launch *launch, int sig)
{
	if (!launch->has_ended)
		kill(launch->tgid, sig);
}

void launch__free(struct launch *launch)
{
	if (!launch)
		return;
	close_fd(&launch->go_fd);
	close_fd(&launch->failed_fd);
	/* Held: the closed pipe ends it, and nobody else would collect it. */
	if (!launch->is_released && !launch->has_ended)
		waitpid(launch->tgid, NULL, 0);
	free(launch);
}
