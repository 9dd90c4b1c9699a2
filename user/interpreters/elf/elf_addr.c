// SPDX-License-Identifier: BSD-2-Clause
/* Looking things up in an opened ELF file: bytes, strings and symbols by address or by name. */
#include <string.h>
#include "base/cleanup.h"
#include "interpreters/elf/elf_file.h"

const struct elf_seg *elf__seg_at(const struct elf *elf, __u64 addr)
{
	for (size_t i = 0; i < elf->seg_cnt; i++) {
		const struct elf_seg *seg = &elf->segs[i];

		if (addr >= seg->addr && addr - seg->addr < seg->mem_sz)
			return seg;
	}
	return NULL;
}

const void *elf__at(const struct elf *elf, __u64 addr, __u64 sz)
{
	const struct elf_seg *seg = elf__seg_at(elf, addr);

	if (!seg || !seg->data || addr - seg->addr > seg->file_sz ||
	    sz > seg->file_sz - (addr - seg->addr))
		return NULL;
	return seg->data + (addr - seg->addr);
}

bool elf__is_exec(const struct elf *elf, __u64 addr)
{
	const struct elf_seg *seg = elf__seg_at(elf, addr);

	return seg && seg->is_exec && addr - seg->addr < seg->file_sz;
}

int elf__addr_to_off(const struct elf *elf, __u64 addr, __u64 *off)
{
	const struct elf_seg *seg = elf__seg_at(elf, addr);

	if (!seg || addr - seg->addr >= seg->file_sz)
		return -ENOENT;
	*off = seg->off + (addr - seg->addr);
	return 0;
}

const char *elf__str_at(const struct elf *elf, __u64 addr, size_t max)
{
	const struct elf_seg *seg = elf__seg_at(elf, addr);
	__u64 left;
	const char *str;

	if (!seg || !seg->data || addr - seg->addr >= seg->file_sz)
		return NULL;
	left = seg->file_sz - (addr - seg->addr);
	str = (const char *)seg->data + (addr - seg->addr);
	return memchr(str, '\0', left < max ? left : max) ? str : NULL;
}

const struct elf_sym *elf__sym(const struct elf *elf, const char *name)
{
	const struct elf_sym *found = NULL;

	for (size_t i = 0; i < elf->sym_cnt; i++) {
		const struct elf_sym *sym = &elf->syms[i];

		if (strcmp(sym->name, name))
			continue;
		if (sym->is_export)
			return sym;
		if (!found)
			found = sym;
	}
	return found;
}

const struct elf_sym *elf__sym_at(const struct elf *elf, __u64 addr)
{
	size_t lo = 0, hi = elf->sym_cnt;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (elf->syms[mid].addr <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	/* Aliases and labels share or follow an address: look a little further back. */
	for (size_t i = lo, tries = 0; i-- > 0 && tries < 16; tries++) {
		const struct elf_sym *sym = &elf->syms[i];

		if (sym->is_func && addr - sym->addr < (sym->sz ? sym->sz : 1)) {
			while (i > 0 && elf->syms[i - 1].addr == sym->addr &&
			       elf->syms[i - 1].is_func && elf->syms[i - 1].is_export)
				sym = &elf->syms[--i];
			return sym;
		}
	}
	return NULL;
}
