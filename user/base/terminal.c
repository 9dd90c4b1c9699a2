// SPDX-License-Identifier: BSD-2-Clause
/* See terminal.h. */
#include "base/terminal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define COLUMNS_MAX 10000

int terminal_columns(int fd)
{
	const char *text = getenv("COLUMNS");
	long columns = text ? strtol(text, NULL, 10) : 0;
	struct winsize size;

	if (columns > 0 && columns <= COLUMNS_MAX)
		return (int)columns;
	return isatty(fd) && !ioctl(fd, TIOCGWINSZ, &size) ? size.ws_col : 0;
}

bool terminal_has_color(int fd)
{
	const char *term = getenv("TERM"), *no_color = getenv("NO_COLOR");

	return isatty(fd) && !(no_color && *no_color) && term && strcmp(term, "dumb") != 0;
}

/* What such terminals set. */
static const struct {
	const char *name, *value; /* NULL: any */
	long least;
} marks[] = {
	{ "VTE_VERSION", NULL, 5000 },         { "KONSOLE_VERSION", NULL, 201200 },
	{ "WT_SESSION", NULL, 0 },             { "KITTY_WINDOW_ID", NULL, 0 },
	{ "WEZTERM_PANE", NULL, 0 },           { "GHOSTTY_RESOURCES_DIR", NULL, 0 },
	{ "TERM_PROGRAM", "iTerm.app", 0 },    { "TERM_PROGRAM", "vscode", 0 },
	{ "TERM_PROGRAM", "WezTerm", 0 },      { "TERM_PROGRAM", "ghostty", 0 },
	{ "TERM", "xterm-kitty", 0 },          { "TERM", "foot", 0 },
	{ "TERM", "alacritty", 0 },            { "TERM", "xterm-ghostty", 0 },
};

bool terminal_has_links(int fd, const char *(*get)(void *ctx, const char *name), void *ctx)
{
	const char *forced = get(ctx, "FORCE_HYPERLINK"), *term = get(ctx, "TERM");

	if (forced && *forced)
		return strcmp(forced, "0") != 0;
	if (!terminal_has_color(fd) || (term && !strncmp(term, "screen", 6)))
		return false;
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		const char *value = get(ctx, marks[i].name);

		if (value && *value && (!marks[i].value || !strcmp(value, marks[i].value)) &&
		    (!marks[i].least || strtol(value, NULL, 10) >= marks[i].least))
			return true;
	}
	return false;
}
