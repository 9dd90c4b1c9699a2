// SPDX-License-Identifier: BSD-2-Clause
/* See replay.h. */
#include "cli/replay.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "cli/opts.h"
#include "event/importtime.h"
#include "model/tape/importtime_model.h"
#include "model/model.h"
#include "model/tape/tape.h"

/* A file made to unpack to more than the machine has: we run out of memory, not the machine. */
static void limit_memory(void)
{
	unsigned long long pages = sysconf(_SC_PHYS_PAGES), page_sz = sysconf(_SC_PAGESIZE);
	struct rlimit limit;

#ifdef __SANITIZE_ADDRESS__ /* its shadow memory alone is more */
	return;
#endif
	if (getrlimit(RLIMIT_DATA, &limit) || limit.rlim_cur < pages * page_sz / 4 * 3)
		return;
	limit.rlim_cur = pages * page_sz / 4 * 3;
	if (setrlimit(RLIMIT_DATA, &limit))
		log_debug("memory is not limited: %s", strerror(errno));
}

static int open_input(const char *path, FILE **in)
{
	_cleanup_close_ int fd = strcmp(path, "-") ? open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY) :
						     fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);

	if (fd < 0)
		return -errno;
	*in = fdopen(fd, "r");
	if (!*in)
		return -errno;
	(void)TAKE_FD(fd);
	return 0;
}

static int explain(int err, const char *path)
{
	switch (err) {
	case -EINVAL:
		log_err(0, "%s is no capture of pyimport-bpf", path);
		log_hint("pyimport-bpf record -o FILE makes one; report --from importtime reads a log of -X importtime");
		return err;
	case -EPROTONOSUPPORT:
		return log_err(0, "%s was written by a newer pyimport-bpf: this one is too old to read it",
			       path), err;
	case -ENOMEM:
		return log_err(0, "%s needs more memory than there is", path), err;
	}
	return log_err(err, "cannot read %s", path);
}

static void warn_partial(const char *path, const struct tape_result *result)
{
	char records[TEXT_NUM_SZ], bytes[TEXT_NUM_SZ];

	text_count(records, result->record_cnt);
	text_count(bytes, result->bytes);
	if (result->is_damaged)
		log_err(0, "%s is damaged near byte %s: only the %s records before are used", path,
			bytes, records);
	else
		log_err(0, "%s ends before its trace did: only its %s records are used", path,
			records);
}

static int play_capture(FILE *in, struct replay *replay, const char *name)
{
	struct tape_result result;
	int err = tape_play(in, replay->model, &result);

	if (err)
		return explain(err, name);
	replay->is_partial = result.is_cut;
	if (replay->is_partial)
		warn_partial(name, &result);
	return 0;
}

static int play_log(FILE *in, struct replay *replay, const char *name)
{
	struct importtime_result result;
	int err = log_play(in, replay->model, &result);

	if (err == -ENOENT) {
		log_err(0, "%s has no line of -X importtime", name);
		log_hint("python3 -X importtime app.py 2> FILE makes such a log");
		return err;
	}
	return err ? explain(err, name) : 0;
}

int replay_load(const struct opts *opts, const char *path, struct replay *replay)
{
	const char *name = strcmp(path, "-") ? path : "standard input";
	_cleanup_fclose_ FILE *in = NULL;
	int err;

	*replay = (struct replay){};
	limit_memory();
	err = open_input(path, &in);
	if (err)
		return log_err(err, "cannot open %s", name);
	err = model__new(&replay->model);
	if (!err && opts->is_as_measured)
		model__set_as_measured(replay->model);
	if (!err)
		err = opts->is_importtime ? play_log(in, replay, name) :
					    play_capture(in, replay, name);
	if (err) {
		model__free(replay->model);
		replay->model = NULL;
	}
	return err;
}
