// SPDX-License-Identifier: BSD-2-Clause
/* The report's destination; see output.h. */
#include "trace/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "trace/opts.h"
#include "report/report.h"

/* Opened the wrong way round, so that using a stream that was closed is an error, not a silence. */
int output_fill_standard(void)
{
	for (int fd = 0; fd < 3; fd++) {
		if (fcntl(fd, F_GETFD) >= 0)
			continue;
		/* The lowest free number is this one. A command we launch must find it closed. */
		if (open("/dev/null", (fd ? O_RDONLY : O_WRONLY) | O_CLOEXEC) != fd)
			return -errno;
	}
	return 0;
}

static bool is_dash(const char *path)
{
	return path && !strcmp(path, "-");
}

static bool report_takes_stdout(const struct opts *opts)
{
	return !opts->report_path && !is_dash(opts->capture_path) &&
	       opts->command != COMMAND_RECORD &&
	       (!opts->argv || opts->is_dry_run || !report_is_for_people(opts->format));
}

bool output_takes_stdout(const struct opts *opts)
{
	return is_dash(opts->capture_path) || report_takes_stdout(opts);
}

static int open_file(const char *path, const char *what, const char *option, struct output *out)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);

	out->is_created = fd >= 0;
	if (fd < 0 && errno == EEXIST)
		fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0) {
		int err = -errno;

		log_err(err, "cannot write the %s to %s", what, path);
		log_hint("another %s path, in a directory you may write to", option);
		return err;
	}
	out->file = fdopen(fd, "w");
	if (!out->file)
		return -errno;
	(void)TAKE_FD(fd);
	return 0;
}

/* Under sudo the file should belong to whoever asked for it. Best effort. */
static void hand_over(struct output *out)
{
	const char *uid = getenv("SUDO_UID"), *gid = getenv("SUDO_GID");

	if (!out->is_created || geteuid() || !uid || !gid)
		return;
	if (fchown(fileno(out->file), strtoul(uid, NULL, 10), strtoul(gid, NULL, 10)))
		log_debug("cannot give %s to the invoking user: %s", out->path, strerror(errno));
}

static int open_standard(int fd, const char *name, const char *what, const char *option,
			 struct output *out)
{
	_cleanup_close_ int copy = -1;
	int flags = fcntl(fd, F_GETFL);

	out->path = name;
	if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY) {
		log_err(0, "%s is closed, but the %s would be written to it", name, what);
		log_hint("%s FILE", option);
		return -EBADF;
	}
	copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (copy < 0)
		return -errno;
	out->file = fdopen(copy, "w");
	if (!out->file)
		return -errno;
	(void)TAKE_FD(copy);
	return 0;
}

int output__open_path(const char *path, const char *what, const char *option, struct output *out)
{
	int err;

	*out = (struct output){ .path = path };
	if (is_dash(path)) {
		out->is_stdout = true;
		return open_standard(STDOUT_FILENO, "standard output", what, option, out);
	}
	err = open_file(path, what, option, out);
	if (!err)
		hand_over(out);
	return err;
}

static int open_output(const struct opts *opts, struct output *out)
{
	if (opts->report_path)
		return output__open_path(opts->report_path, "report", "--report", out);
	if (report_takes_stdout(opts))
		return output__open_path("-", "report", "--report", out);
	*out = (struct output){};
	return open_standard(STDERR_FILENO, "standard error", "report", "--report", out);
}

int output__open(const struct opts *opts, struct output *out)
{
	int err = open_output(opts, out);

	if (!err && !strcmp(opts->format, "sqlite") && isatty(fileno(out->file))) {
		log_err(0, "a database cannot be shown on a terminal");
		log_hint("--report FILE.db");
		err = -EINVAL;
	}
	return err;
}

static struct report_opts report_opts_for(const struct output *output, const struct opts *opts)
{
	struct report_opts report = { .top = opts->top, .want_unfolded = opts->want_unfolded,
				      .module = opts->module, .before = opts->before,
				      .defer = opts->defer, .check = opts->check,
				      .bench = opts->bench,
				      .by = opts->by,
				      .use_ascii = !text_locale_is_utf8() };
	const char *term = getenv("TERM"), *no_color = getenv("NO_COLOR");
	int fd = fileno(output->file);
	struct winsize size;

	if (!isatty(fd))
		return report;
	if (!ioctl(fd, TIOCGWINSZ, &size))
		report.width = size.ws_col;
	report.use_color = !opts->want_no_color && !(no_color && *no_color) && term &&
			   strcmp(term, "dumb");
	return report;
}

int output__write(struct output *output, const struct opts *opts, const struct model *model)
{
	struct report_opts report = report_opts_for(output, opts);
	struct stat st;
	int err;

	if (opts->report_path && !fstat(fileno(output->file), &st) && S_ISREG(st.st_mode) &&
	    ftruncate(fileno(output->file), 0))
		return log_err(-errno, "cannot empty %s for the report", output->path);
	errno = 0;
	err = report_write(model, opts->view, opts->format, &report, output->file);
	if (!err && (fflush(output->file) || ferror(output->file)))
		err = errno ? -errno : -EIO;
	if (!err)
		output->is_created = false;
	if (err == -ENODATA) {
		log_err(0, "nothing in this trace was measured --by %s", opts->by);
		return err;
	}
	if (!err || err == -EPIPE || errno == EPIPE)
		return err ? -EPIPE : 0;
	return log_err(err, "cannot write the report to %s", output->path);
}

void output__close(struct output *output)
{
	if (!output->file)
		return;
	fclose(output->file);
	output->file = NULL;
	if (output->is_created && unlink(output->path))
		log_debug("cannot remove %s: %s", output->path, strerror(errno));
}
