// SPDX-License-Identifier: BSD-2-Clause
/* What the dynamic linker will store in pointer slots: RELA, PLT and packed RELR relocations. */
#include <stdlib.h>
#include <string.h>
#include "base/cleanup.h"
#include "interpreters/elf/elf_file.h"

#if defined(__aarch64__)
#define R_RELATIVE R_AARCH64_RELATIVE
#define R_ABS64 R_AARCH64_ABS64
#define R_GLOB_DAT R_AARCH64_GLOB_DAT
#define R_JUMP_SLOT R_AARCH64_JUMP_SLOT
#else
#define R_RELATIVE R_X86_64_RELATIVE
#define R_ABS64 R_X86_64_64
#define R_GLOB_DAT R_X86_64_GLOB_DAT
#define R_JUMP_SLOT R_X86_64_JUMP_SLOT
#endif

#define RELOC_COST 320 /* kept, and sorted among a million */

static int add_rela(struct elf *elf, __u64 addr, __u64 sz)
{
	size_t cnt = sz / sizeof(Elf64_Rela);
	const Elf64_Rela *rela;
	struct elf_reloc *relocs;

	if (!addr || !cnt)
		return 0;
	rela = elf__at(elf, addr, cnt * sizeof(*rela));
	if (!rela)
		return 0; /* points nowhere: the loader would fail too */
	if (!elf_budget__spend(elf->budget, cnt * RELOC_COST))
		return -EFBIG;
	relocs = realloc(elf->relocs, (elf->reloc_cnt + cnt) * sizeof(*relocs));
	if (!relocs)
		return -ENOMEM;
	elf->relocs = relocs;
	for (size_t i = 0; i < cnt; i++) {
		struct elf_reloc reloc = {};
		Elf64_Rela raw;
		__u64 sym;

		memcpy(&raw, &rela[i], sizeof(raw)); /* alignment is the file's choice */
		sym = ELF64_R_SYM(raw.r_info);
		reloc.slot = raw.r_offset;
		switch (ELF64_R_TYPE(raw.r_info)) {
		case R_RELATIVE:
			reloc.value = raw.r_addend;
			break;
		case R_ABS64:
		case R_GLOB_DAT:
		case R_JUMP_SLOT:
			if (sym >= elf->dyn_cnt)
				continue;
			reloc.name = elf->dyn_names[sym];
			reloc.value = elf->dyn_values[sym];
			if (reloc.value)
				reloc.value += raw.r_addend;
			break;
		default:
			continue;
		}
		elf->relocs[elf->reloc_cnt++] = reloc;
	}
	return 0;
}

static int cmp_relocs(const void *a, const void *b)
{
	const struct elf_reloc *x = a, *y = b;

	return x->slot < y->slot ? -1 : x->slot > y->slot;
}

int elf_relocs__load(struct elf *elf)
{
	const Elf64_Dyn *dyn = elf__at(elf, elf->dynamic_addr, elf->dynamic_sz);
	__u64 rela = 0, rela_sz = 0, jmprel = 0, jmprel_sz = 0;
	int err;

	if (!elf->dynamic_addr || !dyn)
		return 0;
	for (size_t i = 0; i < elf->dynamic_sz / sizeof(*dyn); i++) {
		Elf64_Dyn raw;

		memcpy(&raw, &dyn[i], sizeof(raw));
		switch (raw.d_tag) {
		case DT_RELA: rela = raw.d_un.d_ptr; break;
		case DT_RELASZ: rela_sz = raw.d_un.d_val; break;
		case DT_JMPREL: jmprel = raw.d_un.d_ptr; break;
		case DT_PLTRELSZ: jmprel_sz = raw.d_un.d_val; break;
		}
	}
	err = add_rela(elf, rela, rela_sz) ?: add_rela(elf, jmprel, jmprel_sz);
	if (!err && elf->reloc_cnt)
		qsort(elf->relocs, elf->reloc_cnt, sizeof(*elf->relocs), cmp_relocs);
	return err;
}

const struct elf_reloc *elf__reloc_at(const struct elf *elf, __u64 slot)
{
	const struct elf_reloc key = { .slot = slot };

	if (!elf->reloc_cnt)
		return NULL;
	return bsearch(&key, elf->relocs, elf->reloc_cnt, sizeof(key), cmp_relocs);
}

__u64 elf__ptr_at(const struct elf *elf, __u64 slot)
{
	const struct elf_reloc *reloc = elf__reloc_at(elf, slot);
	const void *at;
	__u64 value;

	if (reloc)
		return reloc->value;
	/* No relocation: fixed addresses, or RELR, whose addend is what lies in the file. */
	at = elf__at(elf, slot, sizeof(value));
	if (!at)
		return 0;
	memcpy(&value, at, sizeof(value));
	return value;
}

void elf__each_slot(const struct elf *elf, __u64 value, elf_slot_fn fn, void *ctx)
{
	if (!elf_budget__spend(elf->budget, elf->reloc_cnt * sizeof(*elf->relocs)))
		return;
	for (size_t i = 0; i < elf->reloc_cnt; i++) {
		if (elf->relocs[i].value == value && fn(ctx, elf->relocs[i].slot))
			return;
	}
	for (size_t i = 0; i < elf->seg_cnt; i++) {
		const struct elf_seg *seg = &elf->segs[i];

		if (!seg->is_write || !seg->data)
			continue;
		if (!elf_budget__spend(elf->budget, seg->file_sz))
			return;
		for (__u64 off = -seg->addr & 7; off + 8 <= seg->file_sz; off += 8) {
			__u64 word;

			memcpy(&word, seg->data + off, sizeof(word));
			if (word == value && !elf__reloc_at(elf, seg->addr + off) &&
			    fn(ctx, seg->addr + off))
				return;
		}
	}
}
