// SPDX-License-Identifier: BSD-2-Clause
/* A first look at an ELF file that builds no tables; see elf_file.h. */
#include <stdlib.h>
#include <string.h>
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

static __u32 gnu_hash(const char *name)
{
	__u32 hash = 5381;

	for (; *name; name++)
		hash = hash * 33 + (unsigned char)*name;
	return hash;
}

struct hash_head {
	__u32 bucket_cnt, sym_off, word_cnt, shift;
};

/* What a dynamic linker goes by. Of the sections of a hostile file each may be anything. */
struct hash_table {
	const struct elf *elf;
	const Elf64_Shdr *hash, *syms, *strs;
	struct hash_head head;
};

/* A Bloom filter: one word tells that a name is certainly not there. */
static bool may_export(const struct hash_table *table, __u32 hash)
{
	__u64 off = sizeof(table->head) + hash / 64 % table->head.word_cnt * sizeof(__u64), word;

	return elf__pread(table->elf, &word, sizeof(word), table->hash->sh_offset + off) ||
	       (word >> hash % 64 & word >> (hash >> table->head.shift) % 64 & 1);
}

static bool is_function(const struct hash_table *table, __u32 index, const char *name)
{
	char found[NAME_MAX_SZ];
	size_t sz = strlen(name) + 1;
	Elf64_Sym sym;

	return !elf__pread(table->elf, &sym, sizeof(sym),
			   table->syms->sh_offset + index * sizeof(sym)) &&
	       sym.st_shndx != SHN_UNDEF && ELF64_ST_TYPE(sym.st_info) == STT_FUNC &&
	       sz <= sizeof(found) &&
	       !elf__pread(table->elf, found, sz, table->strs->sh_offset + sym.st_name) &&
	       !memcmp(found, name, sz);
}

/* Certainly there: its bucket leads to it. A chain without an end uses the budget up. */
static bool exports(const struct hash_table *table, const char *name, __u32 hash)
{
	__u64 buckets = table->hash->sh_offset + sizeof(table->head) +
			table->head.word_cnt * sizeof(__u64);
	__u32 index, value;

	if (elf__pread(table->elf, &index, sizeof(index),
		       buckets + hash % table->head.bucket_cnt * sizeof(index)))
		return false;
	for (; index >= table->head.sym_off; index++) {
		__u64 off = table->head.bucket_cnt + (index - table->head.sym_off);

		if (elf__pread(table->elf, &value, sizeof(value), buckets + off * sizeof(value)))
			return false;
		if ((value | 1) == (hash | 1) && is_function(table, index, name))
			return true;
		if (value & 1)
			return false;
	}
	return false;
}

/* Layout of .gnu.hash: dl_new_hash and do_lookup_x in glibc's elf/dl-lookup.c. */
static enum elf_glance look_up(const struct elf *elf, const Elf64_Shdr *shdrs,
			       const Elf64_Shdr *sec, const char *const *names)
{
	struct hash_table table = { .elf = elf, .hash = sec };

	if (elf__pread(elf, &table.head, sizeof(table.head), sec->sh_offset) ||
	    !table.head.word_cnt || table.head.shift > 31)
		return ELF_GLANCE_MAYBE;
	if (table.head.bucket_cnt && sec->sh_link < elf->ehdr.e_shnum &&
	    shdrs[sec->sh_link].sh_link < elf->ehdr.e_shnum) {
		table.syms = &shdrs[sec->sh_link];
		table.strs = &shdrs[table.syms->sh_link];
		if (may_export(&table, gnu_hash(names[0])) &&
		    exports(&table, names[0], gnu_hash(names[0])))
			return ELF_GLANCE_FIRST;
	}
	for (; *names; names++)
		if (may_export(&table, gnu_hash(*names)))
			return ELF_GLANCE_MAYBE;
	return ELF_GLANCE_NONE;
}

static enum elf_glance look_into(const struct elf *elf, const Elf64_Shdr *shdrs,
				 const char *const *names)
{
	enum elf_glance seen = ELF_GLANCE_MAYBE;
	__u64 left = NAMES_MAX_SZ;

	/* The linker's own table first: it tells most, and costs least. */
	for (size_t i = 0; i < elf->ehdr.e_shnum; i++) {
		if (shdrs[i].sh_type != SHT_GNU_HASH)
			continue;
		seen = look_up(elf, shdrs, &shdrs[i], names);
		if (seen != ELF_GLANCE_NONE)
			return seen;
	}
	for (size_t i = 0; seen == ELF_GLANCE_NONE && i < elf->ehdr.e_shnum; i++) {
		const Elf64_Shdr *sec = &shdrs[i];

		if (sec->sh_type != SHT_SYMTAB)
			continue;
		if (sec->sh_link >= elf->ehdr.e_shnum || shdrs[sec->sh_link].sh_size > left ||
		    has_name(elf, &shdrs[sec->sh_link], names))
			return ELF_GLANCE_MAYBE;
		left -= shdrs[sec->sh_link].sh_size;
	}
	return seen;
}

enum elf_glance elf_glance(int fd, struct elf_budget *budget, const char *const *names)
{
	_cleanup_(elf__freep) struct elf *elf = NULL;
	_cleanup_free_ Elf64_Shdr *shdrs = NULL;
	enum elf_glance seen;

	if (elf__open_headers(fd, budget, &elf) || !elf->ehdr.e_shnum ||
	    elf->ehdr.e_shnum > SECTIONS_MAX || elf->ehdr.e_shentsize != sizeof(*shdrs))
		return ELF_GLANCE_MAYBE;
	shdrs = calloc(elf->ehdr.e_shnum, sizeof(*shdrs));
	if (!shdrs ||
	    elf__pread(elf, shdrs, elf->ehdr.e_shnum * sizeof(*shdrs), elf->ehdr.e_shoff))
		return ELF_GLANCE_MAYBE;
	seen = look_into(elf, shdrs, names);
	/* What a program does not export it may still contain. */
	return seen == ELF_GLANCE_NONE && elf->has_interp ? ELF_GLANCE_MAYBE : seen;
}
