// SPDX-License-Identifier: BSD-2-Clause
/* See progress.h. Looks like: `3 Python processes, 412 modules, now pandas.core.frame`. */
#include "cli/progress.h"

#include <linux/types.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "model/model.h"

#define MIN_GAP_NS 100000000ULL

static bool is_active, is_shown;
static __u64 last_ns;

static void put(const char *text, size_t sz)
{
	if (write(STDERR_FILENO, text, sz) < 0)
		is_active = false;
}

void progress_clear(void)
{
	if (is_shown)
		put("\r\033[K", 4);
	is_shown = false;
}

void progress_start(void)
{
	is_active = isatty(STDERR_FILENO);
	log_set_before(progress_clear);
}

void progress_stop(void)
{
	progress_clear();
	is_active = false;
}

static int columns(void)
{
	struct winsize size;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) || size.ws_col < 20)
		return 80;
	return size.ws_col < 200 ? size.ws_col : 200;
}

/* A module's name comes from the target: what is not plain ASCII is shown as '?'. */
static void make_plain(char *text)
{
	for (; *text; text++) {
		if (*text < 0x20 || *text > 0x7e)
			*text = '?';
	}
}

static void show(char *text)
{
	char line[256];
	int sz;

	make_plain(text);
	sz = snprintf(line, sizeof(line), "\r%.*s\033[K", columns() - 1, text);
	put(line, sz < (int)sizeof(line) ? (size_t)sz : sizeof(line) - 1);
	is_shown = is_active;
}

/* In the background a write could stop us (stty tostop). */
static bool may_show(void)
{
	return is_active && tcgetpgrp(STDERR_FILENO) == getpgrp();
}

void progress_say(const char *fmt, ...)
{
	char text[512];
	va_list args;

	if (!may_show())
		return;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	show(text);
}

void progress_update(const struct model *model)
{
	size_t processes = 0, loads = 0;
	const char *current = NULL;
	char text[512];
	__u64 now_ns;

	if (!is_active)
		return;
	now_ns = clock_ns();
	if (now_ns - last_ns < MIN_GAP_NS || !may_show())
		return;
	last_ns = now_ns;
	model__progress(model, &processes, &loads, &current);
	snprintf(text, sizeof(text), "%zu Python process%s, %zu module%s%s%.300s", processes,
		 processes == 1 ? "" : "es", loads, loads == 1 ? "" : "s",
		 current ? ", now " : "", current ? current : "");
	show(text);
}
