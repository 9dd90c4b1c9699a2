// SPDX-License-Identifier: BSD-2-Clause
/* The report's destination; see output.h. */
#include "trace/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/terminal.h"
#include "base/text.h"
#include "interpreters/process/invoker.h"
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

/* One rule for all: the report has the standard output unless it has a file. */
static bool report_takes_stdout(const struct opts *opts)
{
	return !opts->report_path && !is_dash(opts->capture_path) &&
	       opts->command != COMMAND_RECORD;
}

bool output_takes_stdout(const struct opts *opts)
{
	return is_dash(opts->capture_path) || report_takes_stdout(opts);
}

static int open_file(const char *path, const char *what, const char *option, bool is_early,
		     struct output *out)
{
	int err = output_file__open(path, is_early, &out->to);

	if (err) {
		if (err == -ELOOP)
			log_err(0, "cannot write the %s to %s: others may write to its directory, and it is a link or another user's",
				what, path);
		else
			log_err(err, "cannot write the %s to %s", what, path);
		log_hint("another %s path, in a directory you may write to", option);
		return err;
	}
	out->file = out->to.file;
	return 0;
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

int output__open_path(const char *path, const char *what, const char *option, bool is_early,
		      struct output *out)
{
	*out = (struct output){ .path = path };
	if (is_dash(path)) {
		out->is_stdout = true;
		return open_standard(STDOUT_FILENO, "standard output", what, option, out);
	}
	return open_file(path, what, option, is_early, out);
}

static int open_output(const struct opts *opts, struct output *out)
{
	if (opts->report_path)
		return output__open_path(opts->report_path, "report", "--report", false, out);
	if (report_takes_stdout(opts))
		return output__open_path("-", "report", "--report", false, out);
	*out = (struct output){};
	return open_standard(STDERR_FILENO, "standard error", "report", "--report", out);
}

const char *output_file_for(const char *format)
{
	return !strcmp(format, "sqlite") ? "--report FILE.db" :
	       !strcmp(format, "html") ? "--report FILE.html, and open it in a browser" : NULL;
}

int output__open(const struct opts *opts, struct output *out)
{
	int err = open_output(opts, out);

	if (!err && output_file_for(opts->format) && isatty(fileno(out->file))) {
		log_err(0, "--format %s is not for a terminal", opts->format);
		log_hint("%s", output_file_for(opts->format));
		err = -EINVAL;
	}
	return err;
}

static const char *get_variable(void *ctx, const char *name)
{
	return invoker_getenv(ctx, name);
}

/* sudo leaves little of the environment that the user's terminal has set. */
static bool has_links(int fd)
{
	struct invoker invoker = {};
	bool is_found = !invoker_find(&invoker);
	bool has = is_found && terminal_has_links(fd, get_variable, &invoker);

	invoker_clear(&invoker);
	return has;
}

static struct report_opts report_opts_for(const struct output *output, const struct opts *opts)
{
	struct report_opts report = { .top = opts->top, .want_unfolded = opts->want_unfolded,
				      .module = opts->module, .defer = opts->defer,
				      .min_share = opts->min_share,
				      .by = opts->by,
				      .use_ascii = !text_locale_is_utf8() };
	int fd = fileno(output->file);

	report.width = opts->width ? opts->width : terminal_columns(fd);
	report.use_color = !opts->want_no_color && terminal_has_color(fd);
	report.use_links = !opts->want_no_color && (isatty(fd) || getenv("FORCE_HYPERLINK")) &&
			   has_links(fd);
	return report;
}

int output__write(struct output *output, const struct opts *opts,
		  const struct report_input *input)
{
	struct report_opts report = report_opts_for(output, opts);
	bool is_empty;
	int err;

	errno = 0;
	err = report_write(input, opts->view, opts->format, &report, output->file);
	is_empty = err == -ESRCH; /* `why`: an answer, and a status */
	err = is_empty ? 0 : err;
	if (!err && (fflush(output->file) || ferror(output->file)))
		err = errno ? -errno : -EIO;
	if (!err)
		err = output__keep(output);
	if (err == -ENODATA) {
		log_err(0, "nothing in this trace was measured --by %s", opts->by);
		return err;
	}
	if (!err || err == -EPIPE || errno == EPIPE)
		return err ? -EPIPE : is_empty ? -ESRCH : 0;
	return log_err(err, "cannot write the report to %s", output->path);
}

int output__place(struct output *output)
{
	return output->to.file ? output_file__place(&output->to) : 0;
}

int output__keep(struct output *output)
{
	return output->to.file ? output_file__keep(&output->to) : 0;
}

void output__close(struct output *output)
{
	if (!output->file)
		return;
	if (output->to.file)
		output_file__close(&output->to);
	else
		fclose(output->file);
	output->file = NULL;
}
