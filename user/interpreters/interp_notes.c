// SPDX-License-Identifier: BSD-2-Clause
/* What is off about an interpreter, in sentences. */
#include "interpreters/interp_notes.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

#define NOTES_MAX 64

void interp__note(struct interp *interp, const char *fmt, ...)
{
	_cleanup_free_ char *text = NULL;
	char **notes;
	va_list args;
	int n;

	va_start(args, fmt);
	n = vasprintf(&text, fmt, args);
	va_end(args);
	if (n < 0) {
		text = NULL;
		return;
	}
	for (size_t i = 0; i < interp->note_cnt; i++) {
		if (!strcmp(interp->notes[i], text))
			return;
	}
	if (interp->note_cnt >= NOTES_MAX)
		return;
	notes = realloc(interp->notes, (interp->note_cnt + 1) * sizeof(*notes));
	if (!notes)
		return;
	interp->notes = notes;
	notes[interp->note_cnt++] = TAKE_PTR(text);
}
