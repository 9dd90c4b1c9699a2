/* SPDX-License-Identifier: BSD-2-Clause */
/* What happened inside a span: marks, and the Python stack that it began on. */
#ifndef MODEL_STREAM_MARKS_H
#define MODEL_STREAM_MARKS_H

#include "model/state.h"

int span_mark(struct model *model, const struct pyi_mark *rec);
int span_frames(struct model *model, const struct pyi_frames *rec);

#endif
