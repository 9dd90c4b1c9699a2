// SPDX-License-Identifier: BSD-2-Clause
/* See log.h. One write per line, so that lines of two threads never mix. */
#include "base/log.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int verbosity_now;
static void (*before_line)(void);

static const char *const prefixes[] = {
	[LOG_ERROR] = "pyimport-bpf: error: ",
	[LOG_WARN] = "pyimport-bpf: warning: ",
	[LOG_HINT] = "  try: ",
	[LOG_INFO] = "pyimport-bpf: ",
	[LOG_DEBUG] = "pyimport-bpf: debug: ",
	[LOG_TRACE] = "pyimport-bpf: trace: ",
};

void log_set_verbosity(int verbosity)
{
	verbosity_now = verbosity;
}

int log_is_on(enum log_level level)
{
	return (int)level <= (int)LOG_HINT + verbosity_now;
}

void log_set_before(void (*before)(void))
{
	before_line = before;
}

/*
 * Escape sequences in a hostile name must not reach the terminal; C1 controls are C2 80…9F. Nor may
 * a name make a line of its own, that looks like ours.
 */
static void sanitize(char *text, size_t sz, bool is_one_line)
{
	unsigned char *c = (unsigned char *)text;

	for (size_t i = 0; i < sz; i++) {
		if ((c[i] < 0x20 && c[i] != '\n' && c[i] != '\t') || c[i] == 0x7f ||
		    (is_one_line && c[i] == '\n' && i + 1 < sz))
			c[i] = '?';
		else if (c[i] == 0xc2 && i + 1 < sz && c[i + 1] >= 0x80 && c[i + 1] < 0xa0)
			c[i] = c[i + 1] = '?';
	}
}

static size_t clamp_len(int printed, size_t room)
{
	if (printed < 0)
		return 0;
	return (size_t)printed < room ? (size_t)printed : room - 1;
}

/* As much of @text as there is room for; not terminated. Returns the new size. */
static size_t add_text(char *line, size_t sz, size_t room, const char *text)
{
	size_t text_sz = strnlen(text, room - sz);

	memcpy(line + sz, text, text_sz);
	return sz + text_sz;
}

/* Nothing can be done about a stderr that does not take the text. */
static void write_line(char *line, size_t sz, bool is_one_line)
{
	if (!sz || line[sz - 1] != '\n')
		line[sz++] = '\n';
	sanitize(line, sz, is_one_line);
	if (before_line)
		before_line();
	if (write(STDERR_FILENO, line, sz) < 0)
		return;
}

static void print_line(const char *prefix, int err, const char *fmt, va_list args)
{
	char line[2048];
	const size_t room = sizeof(line) - 1; /* for the newline */
	size_t sz = add_text(line, 0, room, prefix);

	sz += clamp_len(vsnprintf(line + sz, room - sz, fmt, args), room - sz);
	if (err) {
		sz = add_text(line, sz, room, ": ");
		sz = add_text(line, sz, room, strerror(-err));
	}
	write_line(line, sz, prefix != prefixes[LOG_TRACE]); /* the verifier says much at once */
}

void log_vprint(enum log_level level, const char *fmt, va_list args)
{
	if (log_is_on(level))
		print_line(prefixes[level], 0, fmt, args);
}

int log_err(int err, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	if (log_is_on(LOG_ERROR))
		print_line(prefixes[LOG_ERROR], err, fmt, args);
	va_end(args);
	return err;
}

#define LOG_FUNCTION(name, level) \
	void name(const char *fmt, ...) \
	{ \
		va_list args; \
\
		va_start(args, fmt); \
		log_vprint(level, fmt, args); \
		va_end(args); \
	}

LOG_FUNCTION(log_warn, LOG_WARN)
LOG_FUNCTION(log_hint, LOG_HINT)
LOG_FUNCTION(log_info, LOG_INFO)
LOG_FUNCTION(log_debug, LOG_DEBUG)

void log_line(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	print_line("", 0, fmt, args);
	va_end(args);
}
