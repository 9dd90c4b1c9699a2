// SPDX-License-Identifier: BSD-2-Clause
/* What the decoders of all architectures have of capstone. */
#include "interpreters/code/decoder.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

int decoder_open(cs_arch arch, cs_mode mode, void **out)
{
	struct decoder *dec = calloc(1, sizeof(*dec));

	if (!dec)
		return -ENOMEM;
	if (cs_open(arch, mode, &dec->handle) != CS_ERR_OK) {
		free(dec);
		return -ENOTSUP;
	}
	cs_option(dec->handle, CS_OPT_DETAIL, CS_OPT_ON);
	if (arch == CS_ARCH_X86)
		cs_option(dec->handle, CS_OPT_SYNTAX, CS_OPT_SYNTAX_ATT);
	dec->insn = cs_malloc(dec->handle);
	if (!dec->insn) {
		cs_close(&dec->handle);
		free(dec);
		return -ENOMEM;
	}
	*out = dec;
	return 0;
}

void decoder_close(void *decoder)
{
	struct decoder *dec = decoder;

	if (!dec)
		return;
	cs_free(dec->insn, 1);
	cs_close(&dec->handle);
	free(dec);
}

void decoder_text(const struct decoder *dec, struct insn *out)
{
	snprintf(out->text, sizeof(out->text), "%.16s%s%.44s", dec->insn->mnemonic,
		 dec->insn->op_str[0] ? " " : "", dec->insn->op_str);
}
