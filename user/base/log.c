// SPDX-License-Identifier: BSD-2-Clause
/* See log.h. One write per line, so that lines of two threads never mix. */
#include "base/log.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

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

/* What text_buf__escape would escape is overwritten, as a line has its room; all but @keep. */
static void blank(char *text, size_t sz, const char *keep)
{
	for (size_t at = 0; at < sz;) {
		uint32_t c = 0;
		size_t len = text_decode(text + at, sz - at, &c);
		bool is_kept = c && c < 0x80 && strchr(keep, (int)c);

		if (!len || (text_is_harmful(c) && !is_kept))
			memset(text + at, '?', len ? len : 1);
		at += len ? len : 1;
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
	/* Nor may a name make a line of its own, that looks like ours. */
	blank(line, sz - 1, is_one_line ? "\t" : "\t\n");
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
