// SPDX-License-Identifier: BSD-2-Clause
#include "report/text/markdown.h"

#include <string.h>

#include "base/text.h"

void markdown_put(FILE *out, const char *text)
{
	struct text_buf buf = { 0 };

	text_buf__escape(&buf, text, 0);
	for (const char *at = text_buf__str(&buf); *at; at++) {
		if (strchr("|<>&`*_[]!#~@\\", *at))
			fprintf(out, "&#%d;", *at);
		else
			fputc(*at, out);
	}
	text_buf__free(&buf);
}
