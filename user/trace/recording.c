// SPDX-License-Identifier: BSD-2-Clause
/* See recording.h. */
#include "trace/recording.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "trace/opts.h"
#include "model/model.h"
#include "model/tape/tape.h"

#define FLUSH_NS 1000000000ULL /* what a crash of ours costs at most */
#define RETRY_NS 10000000000ULL /* until another file is tried again */

int recording__open(struct recording *recording, const struct opts *opts)
{
	int err;

	recording->is_as_measured = opts->is_as_measured;
	recording->rotate_bytes = opts->rotate_bytes;
	recording->rotate_ns = opts->rotate_ns;
	if (!opts->capture_path)
		return 0;
	if (opts->rotate_bytes || opts->rotate_ns)
		return rotation__open(&recording->rotation, opts->capture_path, opts->keep_cnt) ?:
		       rotation__next(&recording->rotation, &recording->output);
	err = output__open_path(opts->capture_path, "capture", "-o", true, &recording->output);
	if (!err && isatty(fileno(recording->output.file))) {
		log_err(0, "a capture cannot be shown on a terminal");
		log_hint("-o FILE, or a pipe behind -o -");
		return -EINVAL;
	}
	return err;
}

/* Where there is room for more than memory holds: /tmp may be memory. */
static int open_unnamed(void)
{
	const char *dir = getenv("TMPDIR");
	int fd = dir && *dir ? open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600) : -1;

	return fd >= 0 ? fd : open("/var/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
}

bool recording__spill(struct recording *recording)
{
	struct output *output = &recording->output;
	_cleanup_close_ int fd = -1;
	struct stat st;

	if (output->file)
		return (fcntl(fileno(output->file), F_GETFL) & O_ACCMODE) == O_RDWR &&
		       !fstat(fileno(output->file), &st) && S_ISREG(st.st_mode);
	fd = open_unnamed();
	output->file = fd >= 0 ? fdopen(fd, "w") : NULL;
	if (!output->file) {
		log_debug("what has ended stays in memory: %s", strerror(errno));
		return false;
	}
	(void)TAKE_FD(fd);
	output->path = "a temporary file";
	return true;
}

int recording__replay(struct recording *recording, struct model **model)
{
	_cleanup_close_ int fd = fcntl(fileno(recording->output.file), F_DUPFD_CLOEXEC, 3);
	_cleanup_fclose_ FILE *in = fd >= 0 ? fdopen(fd, "r") : NULL;
	struct tape_result result;
	int err = in ? model__new(model) : -errno;

	if (in)
		(void)TAKE_FD(fd);
	if (!err && recording->is_as_measured)
		model__set_as_measured(*model);
	if (!err) {
		rewind(in);
		err = tape_play_ours(in, *model, &result);
	}
	return err ? log_err(err, "cannot put the report together") : 0;
}

static void fail(struct recording *recording, int err)
{
	recording->err = err;
	if (err == -EPIPE)
		log_err(0, "the reader of the capture has gone away");
	else
		log_err(err, "cannot write the capture to %s; it contains what was recorded before that",
			recording->output.path);
}

int recording__start(struct recording *recording, struct model *model)
{
	FILE *out = recording->output.file;
	int err;

	if (!out)
		return 0;
	err = output__place(&recording->output) ?: tape__new(out, model, &recording->tape);
	if (!err && rotation__is_on(&recording->rotation)) {
		err = tape__carry(recording->tape);
		rotation__trim(&recording->rotation, &recording->output);
	}
	if (err)
		fail(recording, err);
	return err;
}

bool recording__is_due(struct recording *recording, __u64 now_ns)
{
	if (!recording->tape || recording->err || !rotation__is_on(&recording->rotation))
		return false;
	if (!recording->begun_ns)
		recording->begun_ns = now_ns;
	if (now_ns < recording->retry_ns)
		return false;
	if (recording->rotate_bytes && tape__bytes(recording->tape) >= recording->rotate_bytes)
		return true;
	return recording->rotate_ns && now_ns - recording->begun_ns >= recording->rotate_ns;
}

int recording__rotate(struct recording *recording, __u64 now_ns)
{
	struct output old = recording->output;
	int err = rotation__next(&recording->rotation, &recording->output);

	if (err) { /* it goes on in the file it has */
		recording->retry_ns = now_ns + RETRY_NS;
		return err;
	}
	err = tape__next_file(recording->tape, recording->output.file, now_ns);
	if (!err)
		err = output__keep(&old);
	output__close(&old);
	if (err)
		fail(recording, err);
	recording->begun_ns = recording->flushed_ns = now_ns;
	return err;
}

void recording__placed(struct recording *recording)
{
	int err = tape__flush(recording->tape) ?: output__keep(&recording->output);

	if (err)
		fail(recording, err);
	rotation__trim(&recording->rotation, &recording->output);
}

void recording__tick(struct recording *recording, __u64 now_ns)
{
	int err;

	if (!recording->tape || recording->err || now_ns - recording->flushed_ns < FLUSH_NS)
		return;
	recording->flushed_ns = now_ns;
	err = tape__flush(recording->tape) ?: output__keep(&recording->output);
	if (err)
		fail(recording, err);
}

static void tell(const struct recording *recording)
{
	char records[TEXT_NUM_SZ], bytes[TEXT_NUM_SZ];

	char files[TEXT_NUM_SZ];

	text_count(records, tape__record_cnt(recording->tape));
	text_count(bytes, tape__bytes_all(recording->tape));
	if (recording->rotation.cnt > 1)
		log_line("pyimport-bpf: %s records, %s bytes to %s files, the last is %s", records,
			 bytes, text_count(files, recording->rotation.cnt), recording->output.path);
	else
		log_line("pyimport-bpf: %s records, %s bytes to %s", records, bytes,
			 recording->output.path);
}

int recording__finish(struct recording *recording, __u64 end_ns, bool is_told)
{
	int err;

	if (!recording->tape || recording->err)
		return recording->err;
	err = tape__end(recording->tape, end_ns) ?: output__keep(&recording->output);
	if (err) {
		fail(recording, err);
		return err;
	}
	if (tape__refused(recording->tape))
		log_warn("%llu records or facts were too large for the capture",
			 tape__refused(recording->tape));
	if (is_told)
		tell(recording);
	return 0;
}

void recording__close(struct recording *recording)
{
	/* After a failure of ours on the way: what came in is kept. */
	if (recording->tape && !recording->err &&
	    (tape__flush(recording->tape) || output__keep(&recording->output)))
		log_debug("the last records did not reach the capture");
	tape__free(recording->tape);
	recording->tape = NULL;
	output__close(&recording->output);
	rotation__close(&recording->rotation);
}
