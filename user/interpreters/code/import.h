/* SPDX-License-Identifier: BSD-2-Clause */
/* The import function and its calls into importlib. */
#ifndef INTERPRETERS_CODE_IMPORT_H
#define INTERPRETERS_CODE_IMPORT_H

#include "interpreters/code/code.h"

int import_find_sites(struct finder *finder);

#endif
