// SPDX-License-Identifier: BSD-2-Clause
/*
 * The HTML report: one file that works from disk, without network. The page is made of the files
 * in html/ when this is built (scripts/embed.py); what is added here is the JSON of --format json,
 * with every character that means something to HTML or JavaScript as \uXXXX. Such characters only
 * stand inside of JSON's strings, so that the JSON stays the same document.
 */
#include "report/view.h"

#include <errno.h>
#include <string.h>

#include "html_page.h"

/* U+2028 and U+2029 end a line of JavaScript: E2 80 A8, E2 80 A9. */
static const char line_ends[] = "\xe2\x80";

struct escaper {
	FILE *out;
	unsigned char held; /* bytes of line_ends seen and not yet written */
};

static void put_char(struct escaper *escaper, char c)
{
	if (escaper->held == 2 && (c == '\xa8' || c == '\xa9')) {
		escaper->held = 0;
		fprintf(escaper->out, "\\u202%d", c == '\xa8' ? 8 : 9);
		return;
	}
	if (escaper->held < 2 && c == line_ends[escaper->held]) {
		escaper->held++;
		return;
	}
	fwrite(line_ends, 1, escaper->held, escaper->out);
	escaper->held = 0;
	if (c == line_ends[0])
		escaper->held = 1;
	else if (c == '<' || c == '>' || c == '&')
		fprintf(escaper->out, "\\u%04x", (unsigned int)c);
	else
		fputc(c, escaper->out);
}

/* Bytes from @data on that are written as they are. */
static size_t plain_sz(const char *data, size_t sz)
{
	size_t i = 0;

	while (i < sz && data[i] != '<' && data[i] != '>' && data[i] != '&' &&
	       data[i] != line_ends[0])
		i++;
	return i;
}

static ssize_t escape(void *cookie, const char *data, size_t sz)
{
	struct escaper *escaper = cookie;

	for (size_t i = 0; i < sz; i++) {
		size_t plain = escaper->held ? 0 : plain_sz(data + i, sz - i);

		fwrite(data + i, 1, plain, escaper->out);
		i += plain;
		if (i < sz)
			put_char(escaper, data[i]);
	}
	return ferror(escaper->out) ? 0 : (ssize_t)sz;
}

int html_write(const struct view *view)
{
	const cookie_io_functions_t io = {.write = escape};
	struct escaper escaper = {.out = view->out};
	struct view json = *view;
	int err;

	fputs(html_head, view->out);
	json.out = fopencookie(&escaper, "w", io);
	if (!json.out)
		return -ENOMEM;
	err = json_write(&json);
	fclose(json.out); /* errors of the stream below are report_write's */
	fwrite(line_ends, 1, escaper.held, view->out);
	fputs(html_tail, view->out);
	return err;
}
