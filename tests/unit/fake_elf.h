/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A minimal ELF file in memory, for tests of its readers: one segment, a few symbols, code given
 * as bytes. Small enough that every bit of it can be flipped.
 */
#ifndef FAKE_ELF_H
#define FAKE_ELF_H

#include <elf.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define FAKE_BASE 0x400000ull
#define FAKE_CODE 0x200 /* offsets in the file; addresses are FAKE_BASE + offset */
#define FAKE_DATA 0x600
#define FAKE_SYMS 0x800
#define FAKE_STRS 0xa00
#define FAKE_SHDRS 0xe00
#define FAKE_SZ 0x1000

struct fake_elf {
	unsigned char bytes[FAKE_SZ];
	size_t sym_cnt, str_sz;
};

static void fake_elf_init(struct fake_elf *fake, bool has_interp)
{
	Elf64_Ehdr ehdr = {
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
			     EV_CURRENT },
		.e_type = ET_EXEC, .e_machine = EM_X86_64, .e_version = EV_CURRENT,
		.e_phoff = sizeof(ehdr), .e_shoff = FAKE_SHDRS, .e_ehsize = sizeof(ehdr),
		.e_phentsize = sizeof(Elf64_Phdr), .e_phnum = has_interp ? 2 : 1,
		.e_shentsize = sizeof(Elf64_Shdr), .e_shnum = 3,
	};
	Elf64_Phdr phdrs[2] = {
		{ .p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_vaddr = FAKE_BASE,
		  .p_filesz = FAKE_SZ, .p_memsz = FAKE_SZ },
		{ .p_type = PT_INTERP, .p_vaddr = FAKE_BASE },
	};

	memset(fake, 0, sizeof(*fake));
	memset(fake->bytes + FAKE_CODE, 0x90, FAKE_DATA - FAKE_CODE);
	memcpy(fake->bytes, &ehdr, sizeof(ehdr));
	memcpy(fake->bytes + sizeof(ehdr), phdrs, ehdr.e_phnum * sizeof(phdrs[0]));
	fake->sym_cnt = 1;
	fake->str_sz = 1;
}

static void fake_elf_sym(struct fake_elf *fake, const char *name, unsigned int off,
			 unsigned int sz, int type)
{
	Elf64_Sym sym = {
		.st_name = fake->str_sz, .st_info = ELF64_ST_INFO(STB_GLOBAL, type), .st_shndx = 1,
		.st_value = FAKE_BASE + off, .st_size = sz,
	};

	memcpy(fake->bytes + FAKE_SYMS + fake->sym_cnt++ * sizeof(sym), &sym, sizeof(sym));
	memcpy(fake->bytes + FAKE_STRS + fake->str_sz, name, strlen(name) + 1);
	fake->str_sz += strlen(name) + 1;
}

/* Section headers; after the last symbol. */
static void fake_elf_finish(struct fake_elf *fake)
{
	Elf64_Shdr shdrs[3] = {
		{ .sh_type = SHT_NULL },
		{ .sh_type = SHT_DYNSYM, .sh_offset = FAKE_SYMS, .sh_link = 2,
		  .sh_size = fake->sym_cnt * sizeof(Elf64_Sym), .sh_entsize = sizeof(Elf64_Sym) },
		{ .sh_type = SHT_STRTAB, .sh_offset = FAKE_STRS, .sh_size = fake->str_sz },
	};

	memcpy(fake->bytes + FAKE_SHDRS, shdrs, sizeof(shdrs));
}

/* A descriptor on the bytes; the caller closes it. */
static int fake_elf_fd(const void *bytes, size_t sz)
{
	int fd = memfd_create("fake", MFD_CLOEXEC);

	if (fd >= 0 && pwrite(fd, bytes, sz, 0) != (ssize_t)sz) {
		close(fd);
		return -1;
	}
	return fd;
}

#endif
