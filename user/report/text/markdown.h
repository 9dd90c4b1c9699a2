/* SPDX-License-Identifier: BSD-2-Clause */
/* Text of a target inside a Markdown document: nothing in it is markup, or ends its line. */
#ifndef REPORT_TEXT_MARKDOWN_H
#define REPORT_TEXT_MARKDOWN_H

#include <stdio.h>

/* Escapes @text for running text and for cells of tables. */
void markdown_put(FILE *out, const char *text);

/* The same for @text that text_buf__escape went over, as that of the phrases of wording.h. */
void markdown_put_escaped(FILE *out, const char *text);

#endif
