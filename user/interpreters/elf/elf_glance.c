// SPDX-License-Identifier: BSD-2-Clause
/* A first look at an ELF file that builds no tables; see elf_file.h. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "base/cleanup.h"
#include "interpreters/elf/elf_file.h"

#define CHUNK_SZ (256u << 10)
#define NAME_MAX_SZ 64
#define SECTIONS_MAX 1024
#define NAMES_MAX_SZ (64ull << 20) /* of all tables; with more, nothing is ruled out */

/* Is one of the names in a string table? A name that spans two chunks is in their overlap. */
static bool has_name(const struct elf *elf, const Elf64_Shdr *str, const char *const *names)
{
	_cleanup_free_ char *buf = malloc(CHUNK_SZ);

	for (__u64 pos = 0; pos < str->sh_size;) {
		size_t sz = str->sh_size - pos < CHUNK_SZ ? str->sh_size - pos : CHUNK_SZ;

		if (!buf || elf__pread(elf, buf, sz, str->sh_offset + pos))
			return true; /* nothing is ruled out */
		for (const char *const *name = names; *name; name++) {
			if (memmem(buf, sz, *name, strlen(*name) + 1))
				return true;
		}
		if (sz < CHUNK_SZ)
			return false;
		pos += sz - NAME_MAX_SZ;
	}
	return false;
}

static bool is_program(const struct elf *elf)
{
	Elf64_Phdr phdr;

	for (size_t i = 0; i < elf->ehdr.e_phnum && i < ELF_MAX_PHDRS; i++) {
		if (elf__pread(elf, &phdr, sizeof(phdr), elf->ehdr.e_phoff + i * sizeof(phdr)) ||
		    phdr.p_type == PT_INTERP)
			return true;
	}
	return false;
}

static __u32 gnu_hash(const char *name)
{
	__u32 hash = 5381;

	for (; *name; name++)
		hash = hash * 33 + (unsigned char)*name;
	return hash;
}

/*
 * Of what the dynamic symbols are a Bloom filter tells: one word for each name. Layout of
 * .gnu.hash: dl_new_hash and do_lookup_x in glibc's elf/dl-lookup.c.
 */
static bool may_export(const struct elf *elf, const Elf64_Shdr *sec, const char *const *names)
{
	struct { __u32 bucket_cnt, sym_off, word_cnt, shift; } head;

	if (elf__pread(elf, &head, sizeof(head), sec->sh_offset) || !head.word_cnt ||
	    head.shift > 31)
		return true;
	for (; *names; names++) {
		__u32 hash = gnu_hash(*names);
		__u64 off = sizeof(head) + hash / 64 % head.word_cnt * sizeof(__u64), word;

		if (elf__pread(elf, &word, sizeof(word), sec->sh_offset + off) ||
		    (word >> hash % 64 & word >> (hash >> head.shift) % 64 & 1))
			return true;
	}
	return false;
}

static bool may_have(const struct elf *elf, const Elf64_Shdr *shdrs, const char *const *names)
{
	__u64 left = NAMES_MAX_SZ;
	bool is_ruled_out = false;

	for (size_t i = 0; i < elf->ehdr.e_shnum; i++) {
		const Elf64_Shdr *sec = &shdrs[i];

		if (sec->sh_type == SHT_GNU_HASH) {
			if (may_export(elf, sec, names))
				return true;
			is_ruled_out = true;
		} else if (sec->sh_type == SHT_SYMTAB) {
			if (sec->sh_link >= elf->ehdr.e_shnum ||
			    shdrs[sec->sh_link].sh_size > left ||
			    has_name(elf, &shdrs[sec->sh_link], names))
				return true;
			left -= shdrs[sec->sh_link].sh_size;
		}
	}
	return !is_ruled_out;
}

bool elf_glance(int fd, const char *const *names)
{
	_cleanup_free_ Elf64_Shdr *shdrs = NULL;
	struct elf elf = { .fd = fd };
	const Elf64_Ehdr *ehdr = &elf.ehdr;
	struct stat st;

	if (fstat(fd, &st))
		return true;
	elf.file_sz = st.st_size;
	if (elf__pread(&elf, &elf.ehdr, sizeof(elf.ehdr), 0) || is_program(&elf) ||
	    !ehdr->e_shnum || ehdr->e_shnum > SECTIONS_MAX ||
	    ehdr->e_shentsize != sizeof(*shdrs))
		return true;
	shdrs = calloc(ehdr->e_shnum, sizeof(*shdrs));
	if (!shdrs || elf__pread(&elf, shdrs, ehdr->e_shnum * sizeof(*shdrs), ehdr->e_shoff))
		return true;
	return may_have(&elf, shdrs, names);
}
