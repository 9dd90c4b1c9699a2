/* SPDX-License-Identifier: BSD-2-Clause */
/* Words for the model's enums, the same in text and JSON. */
#ifndef REPORT_ENUM_WORDS_H
#define REPORT_ENUM_WORDS_H

#include "model/model.h"

const char *word_result(enum load_result result);
const char *word_kind(enum load_kind kind);
const char *word_via(enum load_via via); /* NULL = unknown */
const char *word_cache(enum cache_state cache); /* NULL = unknown */
const char *word_lib_via(enum lib_via via);
const char *word_family(unsigned int family); /* of a socket; NULL = unknown */
const char *word_net_kind(enum pyi_net_kind kind);
const char *word_layer(unsigned int index); /* name of bit @index, NULL behind the last */

#endif
