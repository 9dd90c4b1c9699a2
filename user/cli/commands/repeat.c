// SPDX-License-Identifier: BSD-2-Clause
/* See repeat.h. A new process each time: a session takes signals and forks, once in its life. */
#include "cli/commands/repeat.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "cli/opts.h"
#include "cli/progress.h"
#include "cli/replay.h"
#include "model/model.h"

#define OWN_ARGS 6

struct run_files {
	char dir[64], capture[80], log[80];
};

static int make_files(struct run_files *files)
{
	const char *base = getenv("TMPDIR");

	if (!base || *base != '/' || strlen(base) > 32)
		base = "/tmp";
	snprintf(files->dir, sizeof(files->dir), "%s/pyimport-bpf.XXXXXX", base);
	if (!mkdtemp(files->dir))
		return log_err(-errno, "cannot make a directory in %s", base);
	snprintf(files->capture, sizeof(files->capture), "%s/run.cap", files->dir);
	snprintf(files->log, sizeof(files->log), "%s/log", files->dir);
	return 0;
}

static void remove_files(const struct run_files *files)
{
	unlink(files->capture);
	unlink(files->log);
	if (rmdir(files->dir))
		log_debug("cannot remove %s: %s", files->dir, strerror(errno));
}

static void show_log(const char *path)
{
	_cleanup_fclose_ FILE *file = fopen(path, "re");
	char buf[4096];
	size_t sz;

	while (file && (sz = fread(buf, 1, sizeof(buf), file)))
		fwrite(buf, 1, sz, stderr);
}

static void exec_tool(const struct run_files *files, char **args)
{
	int out = open("/dev/null", O_WRONLY), log = open(files->log, O_WRONLY | O_CREAT, 0600);

	if (out < 0 || log < 0 || dup2(out, STDOUT_FILENO) < 0 || dup2(log, STDERR_FILENO) < 0)
		_exit(EXIT_OURS);
	execv("/proc/self/exe", args);
	_exit(EXIT_OURS);
}

static char **make_args(const struct run_files *files, char *const *argv)
{
	size_t argc = 0;
	char **args;

	while (argv[argc])
		argc++;
	args = calloc(argc + OWN_ARGS, sizeof(*args));
	if (!args)
		return NULL;
	args[0] = (char *)"pyimport-bpf";
	args[1] = (char *)"record";
	args[2] = (char *)"-o";
	args[3] = (char *)files->capture;
	args[4] = (char *)"--";
	memcpy(args + 5, argv, argc * sizeof(*args));
	return args;
}

/* 0: it ended; its status, or -1 if it has none, is in @exited. */
static int run_tool(const struct run_files *files, char *const *argv, int *exited)
{
	_cleanup_free_ char **args = make_args(files, argv);
	int status = 0;
	pid_t pid;

	if (!args)
		return -ENOMEM;
	pid = fork();
	if (pid < 0)
		return -errno;
	if (!pid)
		exec_tool(files, args);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGINT)
		return -EINTR;
	*exited = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	if (*exited)
		log_debug("the run ended with wait status %#x", (unsigned int)status);
	return 0;
}

static int add_model(struct traced_runs *runs, struct model *model)
{
	if (runs->cnt == runs->cap) {
		size_t cap = runs->cap ? 2 * runs->cap : 8;
		struct model **models = reallocarray(runs->models, cap, sizeof(struct model *));

		if (!models)
			return -ENOMEM;
		runs->models = models;
		runs->cap = cap;
	}
	runs->models[runs->cnt++] = model;
	return 0;
}

int traced_runs__read(struct traced_runs *runs, const struct opts *opts, const char *path)
{
	struct replay replay;
	int err = replay_load(opts, path, &replay);

	if (err)
		return err;
	if (replay.is_partial) {
		log_err(0, "%s is incomplete and cannot be judged", path);
		err = -EINVAL;
	}
	if (!err)
		err = add_model(runs, replay.model);
	if (err)
		model__free(replay.model);
	return err;
}

static int run_once(struct traced_runs *runs, const struct opts *opts, char *const *argv)
{
	struct run_files files;
	int status = -1, err = make_files(&files);

	if (err)
		return err;
	err = run_tool(&files, argv, &status);
	if (!err && access(files.capture, R_OK)) {
		show_log(files.log); /* it says why */
		runs->is_untraced = status == EXIT_UNTRACED;
		err = -ENODATA;
	}
	if (!err)
		err = traced_runs__read(runs, opts, files.capture);
	remove_files(&files);
	return err;
}

int traced_runs__add(struct traced_runs *runs, const struct opts *opts, char *const *argv,
		     size_t cnt)
{
	int err = 0;

	progress_start();
	for (size_t i = 0; !err && i < cnt; i++) {
		progress_say("run %zu of %zu: %s", i + 1, cnt, argv[0]);
		err = run_once(runs, opts, argv);
	}
	progress_stop();
	return err;
}

void traced_runs__clear(struct traced_runs *runs)
{
	for (size_t i = 0; i < runs->cnt; i++)
		model__free(runs->models[i]);
	free(runs->models);
	*runs = (struct traced_runs){};
}
