/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bounded reading of one ELF file: segments, symbols, relocations, unwind ranges. Everything is
 * copied into our memory by pread: a file that shrinks or changes under us gives an error or
 * nonsense, never a SIGBUS. Private to user/interpreters.
 */
#ifndef INTERPRETERS_ELF_ELF_FILE_H
#define INTERPRETERS_ELF_ELF_FILE_H

#include <elf.h>
#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include "interpreters/elf/elf_budget.h"

/* Limits: far above any interpreter, low enough that a hostile file costs a second at most. */
#define ELF_MAX_PHDRS 256
#define ELF_MAX_SHDRS 65535
#define ELF_MAX_IMAGE_SZ (256ull << 20) /* bytes of all loaded segments */
#define ELF_MAX_SYMS_SZ (64ull << 20)   /* one symbol or string table */

struct elf_seg {
	__u64 addr, off, file_sz, mem_sz;
	bool is_exec, is_write;
	unsigned char *data; /* file_sz bytes, after elf__load */
};

struct elf_sym {
	const char *name; /* NUL-terminated within the table; owned by the elf */
	__u64 addr, sz;
	bool is_func, is_export; /* export: in the dynamic symbol table */
};

/* A relocated 8-byte slot: what the dynamic linker stores there. */
struct elf_reloc {
	__u64 slot;
	__u64 value;      /* address within the file, 0 when the symbol is elsewhere */
	const char *name; /* symbol the slot is bound to, or NULL */
};

struct elf_range {
	__u64 start, end;
};

struct elf {
	int fd;                    /* borrowed, as is the budget */
	struct elf_budget *budget; /* when it is spent, nothing is read any more */
	__u64 file_sz;
	Elf64_Ehdr ehdr;
	struct elf_seg *segs;
	size_t seg_cnt;
	struct elf_sym *syms; /* defined ones, by address; exports before others at one address */
	size_t sym_cnt;
	char *strtabs[2];     /* backing store of names: dynamic, static */
	char **dyn_names;     /* name by dynamic symbol index, for relocations; NULL = none */
	__u64 *dyn_values;
	size_t dyn_cnt;
	struct elf_reloc *relocs; /* by slot */
	size_t reloc_cnt;
	char *soname;         /* DT_SONAME or NULL; points into strtabs */
	bool has_interp;      /* PT_INTERP: a program */
	__u64 eh_hdr_addr, eh_hdr_sz;
	__u64 dynamic_addr, dynamic_sz;
};

/*
 * Header, program headers and symbols. -ENOEXEC: not a 64-bit little-endian ELF of this machine,
 * or broken. -EFBIG: @budget is spent. The descriptor stays the caller's; it and the budget must
 * outlive the elf.
 */
int elf__open(int fd, struct elf_budget *budget, struct elf **out);

/* Header and program headers alone. */
int elf__open_headers(int fd, struct elf_budget *budget, struct elf **out);

enum elf_glance {
	ELF_GLANCE_NONE, /* a library that certainly has none of the names */
	ELF_GLANCE_FIRST, /* it exports the first of them */
	ELF_GLANCE_MAYBE, /* as may be: it must be opened */
};

/* Which of the symbols @names (NULL-terminated) does it define? In a tenth of the time. */
enum elf_glance elf_glance(int fd, struct elf_budget *budget, const char *const *names);
/*
 * Reads the segments and relocations as well. -EFBIG: larger than we are willing to copy, or the
 * budget is spent.
 */
int elf__load(struct elf *elf);
void elf__free(struct elf *elf); /* NULL-safe */
void elf__freep(struct elf **elf);

/* Whole range or nothing. -ENOEXEC when out of the file, -EFBIG when the budget is spent. */
int elf__pread(const struct elf *elf, void *buf, size_t sz, __u64 off);

const struct elf_seg *elf__seg_at(const struct elf *elf, __u64 addr);
/* sz bytes of loaded file contents at an address, or NULL. */
const void *elf__at(const struct elf *elf, __u64 addr, __u64 sz);
bool elf__is_exec(const struct elf *elf, __u64 addr);
/* File offset of an address backed by file contents; 0 and *off, or -ENOENT. */
int elf__addr_to_off(const struct elf *elf, __u64 addr, __u64 *off);
/* The NUL-terminated string at an address if it is shorter than max, else NULL. */
const char *elf__str_at(const struct elf *elf, __u64 addr, size_t max);

/* Defined symbol by name: exported first, then any. NULL = none. */
const struct elf_sym *elf__sym(const struct elf *elf, const char *name);
/* Name of the symbol that contains addr, or NULL. */
const struct elf_sym *elf__sym_at(const struct elf *elf, __u64 addr);

/* The pointer a slot holds at run time; 0 = unknown. */
__u64 elf__ptr_at(const struct elf *elf, __u64 slot);
const struct elf_reloc *elf__reloc_at(const struct elf *elf, __u64 slot);
/*
 * Slots that hold the address: calls back for each until it returns true. Looks at relocations
 * and, for files that need none or pack them (RELR), at every aligned word of writable segments.
 */
typedef bool (*elf_slot_fn)(void *ctx, __u64 slot);
void elf__each_slot(const struct elf *elf, __u64 value, elf_slot_fn fn, void *ctx);

/* Range of the unwind entry (FDE) that contains addr, else of the symbol. -ENOENT = neither. */
int elf__func_range(const struct elf *elf, __u64 addr, struct elf_range *out);

/* Its budget pays for searching this many bytes of it; false: it is spent. */
static inline bool elf__may_search(const struct elf *elf, __u64 bytes)
{
	return elf_budget__spend(elf->budget, bytes);
}

/* Loads the relocations; called by elf__load. */
int elf_relocs__load(struct elf *elf);

#endif
