// SPDX-License-Identifier: BSD-2-Clause
/*
 * Function ranges from the unwind table, which stripped files have too. Reads the binary search
 * table of .eh_frame_hdr in the one encoding all linkers write; anything else falls back to the
 * symbol table.
 */
#include <string.h>
#include "base/cleanup.h"
#include "interpreters/elf/elf_file.h"

#define DW_EH_PE_udata4_pcrel_hdr 0x1b /* eh_frame_ptr: sdata4, pc-relative */
#define DW_EH_PE_udata4_abs 0x03       /* fde_count */
#define DW_EH_PE_sdata4_datarel 0x3b   /* table: sdata4, relative to the header */

struct fde_table {
	const unsigned char *rows; /* pairs of __s32: start, fde */
	__u32 cnt;
	__u64 base;
};

static __s32 get_s32(const unsigned char *at)
{
	__s32 value;

	memcpy(&value, at, sizeof(value));
	return value;
}

static int open_table(const struct elf *elf, struct fde_table *table)
{
	const unsigned char *hdr = elf__at(elf, elf->eh_hdr_addr, 12);

	if (!elf->eh_hdr_addr || !hdr || hdr[0] != 1 || hdr[1] != DW_EH_PE_udata4_pcrel_hdr ||
	    hdr[2] != DW_EH_PE_udata4_abs || hdr[3] != DW_EH_PE_sdata4_datarel)
		return -ENOENT;
	table->base = elf->eh_hdr_addr;
	table->cnt = (__u32)get_s32(hdr + 8);
	table->rows = elf__at(elf, elf->eh_hdr_addr + 12, (__u64)table->cnt * 8);
	return table->rows && table->cnt ? 0 : -ENOENT;
}

/* Pointer encoding of the FDE's CIE, or -1. Only augmentations made of z, R, P, L, S are known. */
static int cie_encoding(const struct elf *elf, __u64 cie)
{
	const unsigned char *at = elf__at(elf, cie, 32);
	size_t pos = 9;
	const char *aug;

	if (!at || at[8] > 4)
		return -1;
	aug = (const char *)at + pos;
	pos += strnlen(aug, 8) + 1;
	if (aug[0] != 'z')
		return -1;
	/* code alignment, data alignment, return register: LEBs; then the augmentation's size */
	for (int leb = 0; leb < 4; leb++) {
		while (pos < 32 && at[pos] & 0x80)
			pos++;
		pos++;
	}
	for (const char *c = aug + 1; *c; c++) {
		if (pos >= 32)
			return -1;
		if (*c == 'R')
			return at[pos];
		if (*c == 'L')
			pos++;
		else if (*c == 'P')
			pos += 1 + ((at[pos] & 7) == 0 || (at[pos] & 7) == 4 ? 8 : 4);
		else if (*c != 'S')
			return -1;
	}
	return -1;
}

static int fde_range(const struct elf *elf, __u64 fde, struct elf_range *out)
{
	const unsigned char *at = elf__at(elf, fde, 16);
	__u64 start;

	if (!at || !get_s32(at) || get_s32(at) == -1 || !get_s32(at + 4))
		return -ENOENT;
	if (cie_encoding(elf, fde + 4 - (__u32)get_s32(at + 4)) != DW_EH_PE_udata4_pcrel_hdr)
		return -ENOENT;
	start = fde + 8 + (__s64)get_s32(at + 8);
	out->start = start;
	out->end = start + (__u32)get_s32(at + 12);
	return 0;
}

static int range_by_fde(const struct elf *elf, __u64 addr, struct elf_range *out)
{
	struct fde_table table;
	__u32 lo = 0, hi;

	if (open_table(elf, &table))
		return -ENOENT;
	for (hi = table.cnt; lo < hi;) {
		__u32 mid = lo + (hi - lo) / 2;

		if (table.base + (__s64)get_s32(table.rows + mid * 8ull) <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (!lo || fde_range(elf, table.base + (__s64)get_s32(table.rows + (lo - 1) * 8ull + 4),
			     out))
		return -ENOENT;
	return addr >= out->start && addr < out->end ? 0 : -ENOENT;
}

int elf__func_range(const struct elf *elf, __u64 addr, struct elf_range *out)
{
	const struct elf_sym *sym;

	if (!range_by_fde(elf, addr, out) && elf__is_exec(elf, addr))
		return 0;
	sym = elf__sym_at(elf, addr);
	if (!sym || !sym->sz || !elf__is_exec(elf, addr))
		return -ENOENT;
	*out = (struct elf_range){ sym->addr, sym->addr + sym->sz };
	return 0;
}
