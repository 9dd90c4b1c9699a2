/* SPDX-License-Identifier: BSD-2-Clause */
/* What was compiled from source while it was imported. */
#ifndef MODEL_COMPILED_H
#define MODEL_COMPILED_H

#include "model/model.h"

/* Was it compiled from source, and is it not the program itself? */
bool load_is_compiled(const struct load *load);

/* Nothing looked for a .pyc: one would not be used. Only where files were measured. */
bool load_has_no_pyc(const struct load *load);

#endif
