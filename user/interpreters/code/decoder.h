/* SPDX-License-Identifier: BSD-2-Clause */
/* What the decoders of all architectures have of capstone. Private to user/interpreters/code. */
#ifndef INTERPRETERS_CODE_DECODER_H
#define INTERPRETERS_CODE_DECODER_H

#include <capstone/capstone.h>

#include "interpreters/code/insn.h"

struct decoder {
	csh handle;
	cs_insn *insn; /* decoded last */
};

/* With details of each instruction. -ENOTSUP: this capstone was built without @arch. */
int decoder_open(cs_arch arch, cs_mode mode, void **out);
void decoder_close(void *decoder);
void decoder_text(const struct decoder *dec, struct insn *out);

#endif
