/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef INTERPRETERS_INTERP_NOTES_H
#define INTERPRETERS_INTERP_NOTES_H

#include "interpreters/interp.h"

/* Adds a sentence to interp->notes; lost when memory is short. */
void interp__note(struct interp *interp, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif
