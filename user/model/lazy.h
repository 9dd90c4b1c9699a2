/* SPDX-License-Identifier: BSD-2-Clause */
/* The two places of a lazy import: who had the name first, and who used it. */
#ifndef MODEL_LAZY_H
#define MODEL_LAZY_H

#include "model/model.h"

/* Of a lazy import the place that had the name before the module was used; NULL = it is none. */
static inline const struct site *load_declared_at(const struct load *load)
{
	return load->declared || !load->found ? load->declared : &load->found->importer;
}

/* Where the statement stands that asked for it: a LazyLoader's module runs for somebody else. */
static inline const struct site *load_asked_at(const struct load *load)
{
	return load->found ? &load->found->importer : &load->importer;
}

#endif
