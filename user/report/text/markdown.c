// SPDX-License-Identifier: BSD-2-Clause
#include "report/text/markdown.h"

#include <string.h>

#include "base/text.h"

void markdown_put_escaped(FILE *out, const char *text)
{
	for (; *text; text++) {
		if (strchr("|<>&`*_[]!#~@\\", *text))
			fprintf(out, "&#%d;", *text);
		else
			fputc(*text, out);
	}
}

void markdown_put(FILE *out, const char *text)
{
	struct text_buf buf = { 0 };

	text_buf__escape(&buf, text, 0);
	markdown_put_escaped(out, text_buf__str(&buf));
	text_buf__free(&buf);
}
