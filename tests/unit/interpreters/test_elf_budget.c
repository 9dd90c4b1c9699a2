// SPDX-License-Identifier: BSD-2-Clause
/*
 * Files that are dear to read: what they may take is counted in bytes, and the kernel's own count
 * of what this process reads says whether that is kept.
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "fake_elf.h"
#include "interpreters/interp.h"
#include "interpreters/python/identify.h"
#include "unit.h"

#define LARGE (64u << 20)

static void free_interp(struct interp **interp)
{
	interp__free(*interp);
}

/* Bytes that this process has read, by the kernel. */
static __u64 read_bytes(void)
{
	FILE *io = fopen("/proc/self/io", "re");
	unsigned long long bytes = 0;

	CHECK(io && fscanf(io, "rchar: %llu", &bytes) == 1);
	if (io)
		fclose(io);
	return bytes;
}

/* A library without .gnu.hash whose symbol table is a hole. */
static int large_symbols(size_t sz)
{
	struct fake_elf fake;
	Elf64_Shdr *shdrs;
	int fd;

	fake_elf_init(&fake, false);
	fake_elf_finish(&fake);
	shdrs = (Elf64_Shdr *)(fake.bytes + FAKE_SHDRS);
	shdrs[1].sh_offset = FAKE_SZ;
	shdrs[1].sh_size = sz;
	fd = fake_elf_fd(fake.bytes, FAKE_SZ);
	CHECK(!ftruncate(fd, FAKE_SZ + sz));
	return fd;
}

static void test_large_symbols(void)
{
	_cleanup_close_ int fd = large_symbols(LARGE), small = large_symbols(LARGE / 64);
	__u64 before = read_bytes(), glanced, probed;

	CHECK(interp_glance(fd) == -EFBIG);
	glanced = read_bytes() - before;
	CHECK(interp_probe(fd) == -EFBIG);
	probed = read_bytes() - before - glanced;
	printf("bytes read at a glance %llu, by a look %llu, of %u\n", glanced, probed, LARGE);
	CHECK(glanced < 5 << 20);
	CHECK(probed < 257 << 20);
	CHECK(interp_glance(small) == -EFBIG); /* 43,690 symbols to sort are not a glance */
	CHECK(interp_probe(small) == 0);
}

/* Names that lead to each other without an end. */
static void test_endless_chain(void)
{
	const struct {
		__u32 buckets, sym_off, words, shift;
		__u64 bloom;
		__u32 bucket, chain;
	} table = { 1, 1, 1, 5, ~0ull, 1, 0 };
	_cleanup_close_ int fd = -1;
	struct fake_elf fake;
	Elf64_Shdr *shdrs;
	__u64 before;

	fake_elf_init(&fake, false);
	fake_elf_finish(&fake);
	shdrs = (Elf64_Shdr *)(fake.bytes + FAKE_SHDRS);
	shdrs[0] = (Elf64_Shdr){ .sh_type = SHT_GNU_HASH, .sh_offset = FAKE_SZ, .sh_link = 1,
				 .sh_size = LARGE };
	fd = fake_elf_fd(fake.bytes, FAKE_SZ);
	CHECK(!ftruncate(fd, LARGE) &&
	      pwrite(fd, &table, sizeof(table), FAKE_SZ) == (ssize_t)sizeof(table));
	before = read_bytes();
	CHECK(interp_glance(fd) == -EFBIG);
	CHECK(read_bytes() - before < 5 << 20);
}

/* It exports the function, and everything else that is looked for stands in it many times. */
static void test_many_strings(void)
{
	static const char want[] = "create_dynamic";
	_cleanup_(free_interp) struct interp *interp = NULL;
	_cleanup_close_ int fd = -1;
	const __u64 sz = 250ull << 20;
	struct fake_elf fake;
	Elf64_Phdr *phdr;

	fake_elf_init(&fake, false);
	fake_elf_sym(&fake, "PyImport_ImportModuleLevelObject", FAKE_DATA - 16, 16, STT_FUNC);
	fake_elf_finish(&fake);
	for (size_t at = FAKE_CODE; at + sizeof(want) < FAKE_DATA - 16; at += sizeof(want))
		memcpy(fake.bytes + at, want, sizeof(want));
	phdr = (Elf64_Phdr *)(fake.bytes + sizeof(Elf64_Ehdr));
	phdr->p_flags |= PF_W;
	phdr->p_filesz = phdr->p_memsz = sz;
	fd = fake_elf_fd(fake.bytes, FAKE_SZ);
	CHECK(!ftruncate(fd, sz));
	CHECK(interp_probe(fd) == 1);
	CHECK(interp__open(fd, "strings", &interp) == -ENOTSUP);
	CHECK(interp && interp->note_cnt &&
	      strstr(interp->notes[interp->note_cnt - 1], "not examined"));
}

/* Real ones are known at a glance, and take a fraction of what they may. */
static void test_real(void)
{
	static const char *const patterns[] = {
		"/usr/bin/python3.[0-9]*", "~/.pyenv/versions/*/lib/libpython3.*.so.1.0",
		"/var/tmp/pyimport-roots/*/usr/bin/python3.[0-9]*",
	};
	glob_t files = {};
	size_t cnt = 0;

	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++)
		glob(patterns[i], GLOB_NOSORT | GLOB_TILDE | (i ? GLOB_APPEND : 0), NULL, &files);
	for (size_t i = 0; i < files.gl_pathc; i++) {
		_cleanup_close_ int fd = open(files.gl_pathv[i], O_RDONLY | O_CLOEXEC);
		_cleanup_(free_interp) struct interp *interp = NULL;
		struct elf_budget budget;

		if (fd < 0 || interp_probe(fd) != 1)
			continue;
		CHECK(interp_glance(fd) == 1);
		interp_budget(&budget, LIMIT_OPEN);
		CHECK(!interp__open_within(fd, files.gl_pathv[i], &budget, &interp));
		printf("%s: %llu MB of 1024\n", files.gl_pathv[i],
		       ((1ull << 30) - budget.bytes_left) >> 20);
		CHECK(budget.bytes_left > 3ull << 28);
		cnt++;
	}
	if (!cnt)
		printf("skip: no interpreter\n");
	globfree(&files);
}

int main(void)
{
#if !defined(__x86_64__)
	printf("skip: the file made here is for x86-64\n");
	return 0;
#endif
	RUN(test_large_symbols);
	RUN(test_endless_chain);
	RUN(test_many_strings);
	RUN(test_real);
	return unit_result();
}
