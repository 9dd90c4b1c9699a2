/* SPDX-License-Identifier: BSD-2-Clause */
/* Logs of `python -X importtime` as a model. */
#ifndef MODEL_TAPE_IMPORTTIME_MODEL_H
#define MODEL_TAPE_IMPORTTIME_MODEL_H

#include <stdio.h>

struct model;
struct importtime_result;

/*
 * Gives @model what the log in @in tells, with notes on what it cannot tell, and finishes it. Such
 * a model is never complete. Errors as importtime_read; -ENOENT: not one line of an import.
 */
int log_play(FILE *in, struct model *model, struct importtime_result *result);

#endif
