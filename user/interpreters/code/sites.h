/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Choosing the instructions to probe. Private to user/interpreters: interp.c opens the file, calls
 * sites_find, and gets the list.
 */
#ifndef INTERPRETERS_CODE_SITES_H
#define INTERPRETERS_CODE_SITES_H

#include "interpreters/elf/elf_file.h"
#include "interpreters/code/insn.h"
#include "interpreters/interp.h"

#define SITES_MAX 1024 /* per file; far above any build */

/*
 * Fills interp->sites, interp->layers (those that depend on sites) and notes. What is not there is
 * noted. -ENOMEM, or an errno of opening the disassembler: no part of the sites is to be trusted.
 */
int sites_find(const struct elf *elf, const struct insn_arch *arch, struct interp *interp);

#endif
