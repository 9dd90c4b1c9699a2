// SPDX-License-Identifier: BSD-2-Clause
/*
 * Opening an ELF file: headers, segments, symbol tables. Every count and offset of the file is
 * checked before use. Relocations are in elf_reloc.c, unwind ranges in elf_fde.c.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "base/cleanup.h"
#include "interpreters/elf/elf_file.h"

#if defined(__x86_64__)
#define HOST_MACHINE EM_X86_64
#elif defined(__aarch64__)
#define HOST_MACHINE EM_AARCH64
#else
#define HOST_MACHINE EM_NONE
#endif

#define CHUNK_SZ (1u << 20) /* at once, so that the time it takes is seen */
#define CALL_COST 512       /* a system call, in bytes */
#define SYM_COST 640        /* a symbol: kept, and sorted among a million */

int elf__pread(const struct elf *elf, void *buf, size_t sz, __u64 off)
{
	size_t done = 0;

	if (off > elf->file_sz || sz > elf->file_sz - off)
		return -ENOEXEC;
	if (!elf_budget__spend(elf->budget, CALL_COST))
		return -EFBIG;
	while (done < sz) {
		size_t want = sz - done < CHUNK_SZ ? sz - done : CHUNK_SZ;
		ssize_t n;

		if (!elf_budget__spend(elf->budget, want))
			return -EFBIG;
		n = pread(elf->fd, (char *)buf + done, want, off + done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0) /* shrank while we read */
			return -ENOEXEC;
		done += n;
	}
	return 0;
}

/* A malloc'd copy of a range of the file with a NUL behind it. */
static int read_alloc(const struct elf *elf, __u64 off, __u64 sz, void *out)
{
	_cleanup_free_ char *buf = NULL;
	int err;

	if (off > elf->file_sz || sz > elf->file_sz - off)
		return -ENOEXEC;
	if (sz > elf->budget->bytes_left) {
		elf_budget__spend(elf->budget, sz);
		return -EFBIG;
	}
	buf = malloc(sz + 1);
	if (!buf)
		return -ENOMEM;
	err = elf__pread(elf, buf, sz, off);
	if (err)
		return err;
	buf[sz] = '\0';
	*(char **)out = TAKE_PTR(buf);
	return 0;
}

static int check_header(const Elf64_Ehdr *ehdr)
{
	if (memcmp(ehdr->e_ident, ELFMAG, SELFMAG) || ehdr->e_ident[EI_CLASS] != ELFCLASS64 ||
	    ehdr->e_ident[EI_DATA] != ELFDATA2LSB)
		return -ENOEXEC;
	if (ehdr->e_machine != HOST_MACHINE)
		return -ENOEXEC;
	if (ehdr->e_type != ET_EXEC && ehdr->e_type != ET_DYN)
		return -ENOEXEC;
	if (!ehdr->e_phnum || ehdr->e_phnum > ELF_MAX_PHDRS ||
	    ehdr->e_phentsize != sizeof(Elf64_Phdr))
		return -ENOEXEC;
	return 0;
}

static int add_seg(struct elf *elf, const Elf64_Phdr *phdr)
{
	__u64 end;

	if (__builtin_add_overflow(phdr->p_vaddr, phdr->p_memsz, &end) ||
	    phdr->p_filesz > phdr->p_memsz || phdr->p_offset > elf->file_sz ||
	    phdr->p_filesz > elf->file_sz - phdr->p_offset)
		return -ENOEXEC;
	elf->segs[elf->seg_cnt++] = (struct elf_seg){
		.addr = phdr->p_vaddr,
		.off = phdr->p_offset,
		.file_sz = phdr->p_filesz,
		.mem_sz = phdr->p_memsz,
		.is_exec = phdr->p_flags & PF_X,
		.is_write = phdr->p_flags & PF_W,
	};
	return 0;
}

static int read_phdrs(struct elf *elf)
{
	_cleanup_free_ Elf64_Phdr *phdrs = NULL;
	int err = read_alloc(elf, elf->ehdr.e_phoff, elf->ehdr.e_phnum * sizeof(*phdrs), &phdrs);

	if (err)
		return err;
	elf->segs = calloc(elf->ehdr.e_phnum, sizeof(*elf->segs));
	if (!elf->segs)
		return -ENOMEM;
	for (size_t i = 0; i < elf->ehdr.e_phnum; i++) {
		const Elf64_Phdr *phdr = &phdrs[i];

		switch (phdr->p_type) {
		case PT_LOAD:
			err = add_seg(elf, phdr);
			if (err)
				return err;
			break;
		case PT_INTERP:
			elf->has_interp = true;
			break;
		case PT_DYNAMIC:
			elf->dynamic_addr = phdr->p_vaddr;
			elf->dynamic_sz = phdr->p_filesz;
			break;
		case PT_GNU_EH_FRAME:
			elf->eh_hdr_addr = phdr->p_vaddr;
			elf->eh_hdr_sz = phdr->p_filesz;
			break;
		}
	}
	return elf->seg_cnt ? 0 : -ENOEXEC;
}

/* A string of a table that read_alloc terminated. */
static char *table_str(char *table, __u64 table_sz, __u64 off)
{
	return table && off < table_sz ? table + off : NULL;
}

static void add_sym(struct elf *elf, const Elf64_Sym *raw, char *name, bool is_export)
{
	unsigned int type = ELF64_ST_TYPE(raw->st_info);

	if (!name || !*name || raw->st_shndx == SHN_UNDEF || raw->st_shndx == SHN_ABS)
		return;
	if (type != STT_FUNC && type != STT_OBJECT && type != STT_NOTYPE && type != STT_GNU_IFUNC)
		return;
	elf->syms[elf->sym_cnt++] = (struct elf_sym){
		.name = name,
		.addr = raw->st_value,
		.sz = raw->st_size,
		.is_func = type == STT_FUNC || type == STT_GNU_IFUNC,
		.is_export = is_export,
	};
}

/* One symbol table given by file ranges. `which` 0 = dynamic, 1 = static. */
static int add_symtab(struct elf *elf, int which, __u64 off, __u64 sz, __u64 str_off, __u64 str_sz)
{
	_cleanup_free_ Elf64_Sym *raw = NULL;
	size_t cnt = sz / sizeof(*raw);
	struct elf_sym *syms;
	int err;

	if (elf->strtabs[which] || sz > ELF_MAX_SYMS_SZ || str_sz > ELF_MAX_SYMS_SZ)
		return 0; /* a second or an absurd table adds nothing */
	if (!elf_budget__spend(elf->budget, cnt * SYM_COST))
		return -EFBIG;
	err = read_alloc(elf, off, cnt * sizeof(*raw), &raw) ?:
		read_alloc(elf, str_off, str_sz, &elf->strtabs[which]);
	if (err)
		return err;
	syms = realloc(elf->syms, (elf->sym_cnt + cnt + 1) * sizeof(*syms));
	if (!syms)
		return -ENOMEM;
	elf->syms = syms;
	if (which == 0) {
		elf->dyn_names = calloc(cnt + 1, sizeof(*elf->dyn_names));
		elf->dyn_values = calloc(cnt + 1, sizeof(*elf->dyn_values));
		if (!elf->dyn_names || !elf->dyn_values)
			return -ENOMEM;
		elf->dyn_cnt = cnt;
	}
	for (size_t i = 0; i < cnt; i++) {
		char *name = table_str(elf->strtabs[which], str_sz, raw[i].st_name);

		if (which == 0) {
			elf->dyn_names[i] = name;
			elf->dyn_values[i] = raw[i].st_shndx == SHN_UNDEF ? 0 : raw[i].st_value;
		}
		add_sym(elf, &raw[i], name, which == 0);
	}
	return 0;
}

static int read_sections(struct elf *elf)
{
	_cleanup_free_ Elf64_Shdr *shdrs = NULL;
	const Elf64_Ehdr *ehdr = &elf->ehdr;
	int err;

	if (!ehdr->e_shoff || !ehdr->e_shnum || ehdr->e_shentsize != sizeof(*shdrs))
		return 0;
	err = read_alloc(elf, ehdr->e_shoff, (__u64)ehdr->e_shnum * sizeof(*shdrs), &shdrs);
	if (err)
		return err;
	for (size_t i = 0; i < ehdr->e_shnum; i++) {
		const Elf64_Shdr *sec = &shdrs[i], *str;

		if (sec->sh_type != SHT_DYNSYM && sec->sh_type != SHT_SYMTAB)
			continue;
		if (sec->sh_link >= ehdr->e_shnum)
			return -ENOEXEC;
		str = &shdrs[sec->sh_link];
		err = add_symtab(elf, sec->sh_type == SHT_SYMTAB, sec->sh_offset, sec->sh_size,
				 str->sh_offset, str->sh_size);
		if (err)
			return err;
	}
	return 0;
}

/* Files without section headers: the dynamic segment. Linkers put DT_STRTAB behind DT_SYMTAB. */
static int read_dynamic_syms(struct elf *elf)
{
	_cleanup_free_ Elf64_Dyn *dyn = NULL;
	__u64 off, symtab = 0, strtab = 0, str_sz = 0, soname = 0;
	int err;

	if (!elf->dynamic_addr || elf->dynamic_sz > (1 << 20) ||
	    elf__addr_to_off(elf, elf->dynamic_addr, &off))
		return 0;
	err = read_alloc(elf, off, elf->dynamic_sz, &dyn);
	if (err)
		return err;
	for (size_t i = 0; i < elf->dynamic_sz / sizeof(*dyn) && dyn[i].d_tag != DT_NULL; i++) {
		switch (dyn[i].d_tag) {
		case DT_SYMTAB: symtab = dyn[i].d_un.d_ptr; break;
		case DT_STRTAB: strtab = dyn[i].d_un.d_ptr; break;
		case DT_STRSZ: str_sz = dyn[i].d_un.d_val; break;
		case DT_SONAME: soname = dyn[i].d_un.d_val; break;
		}
	}
	if (!elf->strtabs[0] && symtab && strtab > symtab) {
		__u64 sym_off, str_off;

		if (elf__addr_to_off(elf, symtab, &sym_off) ||
		    elf__addr_to_off(elf, strtab, &str_off))
			return 0;
		err = add_symtab(elf, 0, sym_off, strtab - symtab, str_off, str_sz);
		if (err)
			return err;
	}
	if (soname)
		elf->soname = table_str(elf->strtabs[0], str_sz, soname);
	return 0;
}

static int cmp_syms(const void *a, const void *b)
{
	const struct elf_sym *x = a, *y = b;

	if (x->addr != y->addr)
		return x->addr < y->addr ? -1 : 1;
	return (int)y->is_export - (int)x->is_export;
}

int elf__open_headers(int fd, struct elf_budget *budget, struct elf **out)
{
	_cleanup_(elf__freep) struct elf *elf = calloc(1, sizeof(*elf));
	struct stat st;
	int err;

	if (!elf)
		return -ENOMEM;
	if (fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -ENOEXEC;
	elf->fd = fd;
	elf->budget = budget;
	elf->file_sz = st.st_size;
	err = elf__pread(elf, &elf->ehdr, sizeof(elf->ehdr), 0) ?: check_header(&elf->ehdr) ?:
		read_phdrs(elf);
	if (!err)
		*out = TAKE_PTR(elf);
	return err;
}

int elf__open(int fd, struct elf_budget *budget, struct elf **out)
{
	_cleanup_(elf__freep) struct elf *elf = NULL;
	int err = elf__open_headers(fd, budget, &elf);

	if (err)
		return err;
	/* Section headers are for tools, the loader ignores them: a broken table is no table. */
	err = read_sections(elf);
	if (err == -ENOMEM || err == -EIO || err == -EFBIG)
		return err;
	err = read_dynamic_syms(elf);
	if (err)
		return err;
	if (elf->sym_cnt)
		qsort(elf->syms, elf->sym_cnt, sizeof(*elf->syms), cmp_syms);
	*out = TAKE_PTR(elf);
	return 0;
}

int elf__load(struct elf *elf)
{
	__u64 total = 0;

	for (size_t i = 0; i < elf->seg_cnt; i++) {
		total += elf->segs[i].file_sz;
		if (total > ELF_MAX_IMAGE_SZ)
			return -EFBIG;
	}
	for (size_t i = 0; i < elf->seg_cnt; i++) {
		struct elf_seg *seg = &elf->segs[i];
		int err = read_alloc(elf, seg->off, seg->file_sz, &seg->data);

		if (err)
			return err;
	}
	return elf_relocs__load(elf);
}

void elf__free(struct elf *elf)
{
	if (!elf)
		return;
	for (size_t i = 0; i < elf->seg_cnt; i++)
		free(elf->segs[i].data);
	free(elf->segs);
	free(elf->syms);
	free(elf->strtabs[0]);
	free(elf->strtabs[1]);
	free(elf->dyn_names);
	free(elf->dyn_values);
	free(elf->relocs);
	free(elf);
}

void elf__freep(struct elf **elf)
{
	elf__free(*elf);
}
