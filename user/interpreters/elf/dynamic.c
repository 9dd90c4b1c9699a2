// SPDX-License-Identifier: BSD-2-Clause
/* DT_NEEDED by libelf, from program headers: section headers may have been stripped. */
#include "interpreters/elf/dynamic.h"

#include <errno.h>
#include <gelf.h>
#include <libelf.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define STRS_MAX_SZ (1u << 20)
#define DYN_MAX_SZ (1u << 20)

static void elf_endp(Elf **elf)
{
	elf_end(*elf);
}

static bool find_segment(Elf *elf, GElf_Word type, GElf_Addr addr, GElf_Phdr *out)
{
	size_t cnt;

	if (elf_getphdrnum(elf, &cnt))
		return false;
	for (size_t i = 0; i < cnt && i < INT16_MAX; i++)
		if (gelf_getphdr(elf, (int)i, out) && out->p_type == type &&
		    (type != PT_LOAD || (addr >= out->p_vaddr &&
					 addr - out->p_vaddr < out->p_filesz)))
			return true;
	return false;
}

static GElf_Xword dyn_value(Elf_Data *data, size_t cnt, GElf_Sxword tag)
{
	GElf_Dyn dyn;

	for (size_t i = 0; i < cnt && gelf_getdyn(data, (int)i, &dyn); i++)
		if (dyn.d_tag == tag)
			return dyn.d_un.d_val;
	return 0;
}

static Elf_Data *strings(Elf *elf, Elf_Data *dynamic, size_t dyn_cnt)
{
	GElf_Xword addr = dyn_value(dynamic, dyn_cnt, DT_STRTAB);
	GElf_Xword sz = dyn_value(dynamic, dyn_cnt, DT_STRSZ);
	GElf_Phdr load;

	if (!addr || !sz || !find_segment(elf, PT_LOAD, addr, &load))
		return NULL;
	if (sz > load.p_filesz - (addr - load.p_vaddr))
		sz = load.p_filesz - (addr - load.p_vaddr);
	if (sz > STRS_MAX_SZ)
		sz = STRS_MAX_SZ;
	return elf_getdata_rawchunk(elf, (int64_t)(load.p_offset + (addr - load.p_vaddr)), sz,
				    ELF_T_BYTE);
}

int dynamic_needed__read(struct dynamic_needed *needed, int fd)
{
	__attribute__((cleanup(elf_endp))) Elf *elf = NULL;
	Elf_Data *dynamic, *strs;
	GElf_Phdr segment;
	GElf_Dyn dyn;
	size_t cnt;

	*needed = (struct dynamic_needed){};
	if (elf_version(EV_CURRENT) == EV_NONE)
		return -ENOTSUP;
	elf = elf_begin(fd, ELF_C_READ, NULL);
	if (!elf || elf_kind(elf) != ELF_K_ELF || !find_segment(elf, PT_DYNAMIC, 0, &segment) ||
	    segment.p_filesz > DYN_MAX_SZ)
		return -ENOEXEC;
	dynamic = elf_getdata_rawchunk(elf, (int64_t)segment.p_offset, segment.p_filesz, ELF_T_DYN);
	cnt = gelf_fsize(elf, ELF_T_DYN, 1, EV_CURRENT);
	if (!dynamic || !cnt)
		return -ENOEXEC;
	cnt = segment.p_filesz / cnt;
	strs = strings(elf, dynamic, cnt);
	if (!strs || !strs->d_buf)
		return -ENOEXEC;
	for (size_t i = 0; i < cnt && gelf_getdyn(dynamic, (int)i, &dyn) &&
			   dyn.d_tag != DT_NULL && needed->cnt < DYNAMIC_NEEDED_MAX; i++) {
		if (dyn.d_tag != DT_NEEDED || dyn.d_un.d_val >= strs->d_size)
			continue;
		needed->names[needed->cnt] = strndup((const char *)strs->d_buf + dyn.d_un.d_val,
						     strs->d_size - dyn.d_un.d_val);
		if (!needed->names[needed->cnt++])
			return -ENOMEM;
	}
	return 0;
}

void dynamic_needed__free(struct dynamic_needed *needed)
{
	for (size_t i = 0; i < needed->cnt; i++)
		free(needed->names[i]);
	needed->cnt = 0;
}
