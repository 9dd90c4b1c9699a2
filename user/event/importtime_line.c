// SPDX-License-Identifier: BSD-2-Clause
/* "import time: %9ld | %10ld | %*s%s", and what CPython 3.14 writes for cached imports. */
#include "event/importtime_line.h"

#include <ctype.h>
#include <string.h>

#define MARK "import time:"
#define US_MAX 10000000000000LL /* 115 days */

static const char *skip_blanks(const char *text)
{
	while (*text == ' ')
		text++;
	return text;
}

static const char *take_bar(const char *text)
{
	text = skip_blanks(text);
	return *text == '|' ? text + 1 : NULL;
}

/* NULL: no number, or none that a clock gave. */
static const char *take_number(const char *text, long long *out)
{
	bool is_negative;
	long long value = 0;

	text = skip_blanks(text);
	is_negative = *text == '-';
	text += is_negative;
	if (!isdigit((unsigned char)*text))
		return NULL;
	for (; isdigit((unsigned char)*text); text++) {
		value = value * 10 + (*text - '0');
		if (value > US_MAX)
			return NULL;
	}
	*out = is_negative ? -value : value;
	return text;
}

static const char *take_word(const char *text, const char *word)
{
	text = skip_blanks(text);
	return strncmp(text, word, strlen(word)) ? NULL : text + strlen(word);
}

static bool take_columns(const char **text, struct importtime_line *line)
{
	const char *at = take_number(*text, &line->self_us);

	at = at ? take_bar(at) : NULL;
	at = at ? take_number(at, &line->wall_us) : NULL;
	*text = at ? take_bar(at) : NULL;
	return *text && line->wall_us >= 0;
}

static bool take_cached(const char **text)
{
	const char *at = take_word(*text, "cached");

	at = at ? take_bar(at) : NULL;
	at = at ? take_word(at, "cached") : NULL;
	*text = at ? take_bar(at) : NULL;
	return *text;
}

static bool parse_import(const char *text, struct importtime_line *line)
{
	const char *times = text, *cached = text, *end;

	*line = (struct importtime_line){};
	if (take_columns(&times, line)) {
		end = times;
	} else if (take_cached(&cached)) {
		line->is_cached = true;
		end = cached;
	} else {
		return false;
	}
	line->name = skip_blanks(end);
	/* One blank, then two per level. */
	line->level = line->is_cached || line->name == end ? 0 : (line->name - end - 1) / 2;
	return *line->name;
}

enum importtime_kind importtime_parse(const char *text, struct importtime_line *line)
{
	const char *at;

	for (at = strstr(text, MARK); at; at = strstr(at + 1, MARK)) {
		const char *rest = skip_blanks(at + strlen(MARK));

		if (!strncmp(rest, "self [us]", 9))
			return LINE_HEADER;
		if (parse_import(rest, line))
			return LINE_IMPORT;
	}
	return LINE_OTHER;
}
