/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the tool says of itself, always on stderr; stdout belongs to the report. Text from targets
 * may stand in a message: control characters are replaced before anything is written.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdarg.h>

enum log_level {
	LOG_ERROR = 0,
	LOG_WARN = 1,
	LOG_HINT = 2,  /* what to try; belongs to the message before it */
	LOG_INFO = 3,  /* -v */
	LOG_DEBUG = 4, /* -vv */
	LOG_TRACE = 5, /* -vvv: libbpf's own words too */
};

/* @verbosity counts the -v: 0 shows errors, warnings and hints, -3 nothing. Call early. */
void log_set_verbosity(int verbosity);
int log_is_on(enum log_level level);

/* Called before each line, e.g. to clear a progress line. NULL = none. */
void log_set_before(void (*before)(void));

/* Logs and returns @err (a negative errno, its text appended; 0 = none): `return log_err(…)`. */
int log_err(int err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_hint(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* For the print hook of a library: lines end in one newline or none. */
void log_vprint(enum log_level level, const char *fmt, va_list args)
	__attribute__((format(printf, 2, 0)));

/* A line as it is, without prefix, at any verbosity: `pyimport-bpf: tracing`. */
void log_line(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
