// SPDX-License-Identifier: BSD-2-Clause
/* Interpreters that lie: an answer of the contract comes back, whatever the bytes. */
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>

#include "fake_python.h"
#include "interpreters/python/identify.h"

static __u64 random_state = 0x9e3779b97f4a7c15ull; /* fixed: a failure can be repeated */

static __u64 next_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

/* A segment of 4 GB of holes must not be copied. */
static void test_huge_file(void)
{
	_cleanup_interp_ struct interp *interp = NULL;
	_cleanup_close_ int fd = -1;
	const __u64 huge = 4ull << 30;
	struct fake_elf fake;
	Elf64_Phdr *phdr;

	make_python(&fake, "_handle_fromlist");
	phdr = (Elf64_Phdr *)(fake.bytes + sizeof(Elf64_Ehdr));
	phdr->p_filesz = phdr->p_memsz = huge;
	fd = fake_elf_fd(fake.bytes, FAKE_SZ);
	if (ftruncate(fd, huge)) {
		printf("skip: no sparse file of 4 GB\n");
		return;
	}
	CHECK(interp__open(fd, "huge", &interp) == -ENOTSUP);
	CHECK(interp && interp->note_cnt && !interp->site_cnt);
}

/* Whatever the bytes, an answer of the contract comes back, and no memory error. */
static void check_any(const void *bytes, size_t sz)
{
	_cleanup_interp_ struct interp *interp = NULL;
	_cleanup_free_ char *library = NULL;
	_cleanup_close_ int fd = fake_elf_fd(bytes, sz);
	int err = interp__open(fd, "fuzz", &interp);

	CHECK(err <= 0);
	CHECK(!interp == (err && err != -ENOTSUP));
	CHECK(interp_probe(fd) <= 1);
	interp_needed_libpython(fd, "/nowhere/x", "/nowhere", &library);
	for (size_t i = 0; interp && i < interp->site_cnt; i++)
		CHECK(interp->sites[i].file_off < sz);
}

static void test_flipped_bits(void)
{
	struct fake_elf fake, copy;

	make_python(&fake, "_handle_fromlist");
	for (size_t bit = 0; bit < FAKE_SHDRS * 8; bit += 3) {
		copy = fake;
		copy.bytes[bit / 8] ^= 1 << bit % 8;
		check_any(copy.bytes, FAKE_SZ);
	}
	for (size_t at = FAKE_SHDRS; at < FAKE_SHDRS + 3 * sizeof(Elf64_Shdr); at++) {
		copy = fake;
		copy.bytes[at] = 0xff;
		check_any(copy.bytes, FAKE_SZ);
	}
	for (int i = 0; i < 3000; i++) {
		copy = fake;
		for (int flips = 1 + next_random() % 16; flips; flips--)
			copy.bytes[next_random() % FAKE_SZ] = next_random();
		memcpy(copy.bytes, fake.bytes, 20); /* keep it an ELF file */
		check_any(copy.bytes, FAKE_SZ);
	}
	for (size_t sz = 0; sz < FAKE_SZ; sz += 7)
		check_any(fake.bytes, sz);
}

/* A real interpreter, or -1. */
static int open_first(void)
{
	glob_t files = {};
	int fd = -1;

	find_files(&files);
	for (size_t i = 0; fd < 0 && i < files.gl_pathc; i++) {
		fd = open(files.gl_pathv[i], O_RDONLY | O_CLOEXEC);
		if (fd >= 0 && interp_probe(fd) != 1) {
			close(fd);
			fd = -1;
		}
	}
	globfree(&files);
	return fd;
}

/* Damage where the reader looks: headers, symbols, relocations, unwind table; and cut short. */
static void test_damaged(void)
{
	_cleanup_close_ int fd = open_first();
	_cleanup_free_ char *bytes = NULL, *copy = NULL;
	struct timespec start, now;
	off_t sz;

	if (fd < 0) {
		printf("skip: no CPython to damage\n");
		return;
	}
	sz = lseek(fd, 0, SEEK_END);
	bytes = malloc(sz);
	copy = malloc(sz);
	if (!bytes || !copy || pread(fd, bytes, sz, 0) != sz) {
		FAIL("cannot read a CPython");
		return;
	}
	clock_gettime(CLOCK_MONOTONIC, &start);
	for (int i = 0; i < 40; i++)
		check_any(bytes, next_random() % sz);
	for (int i = 0; i < 60; i++) {
		memcpy(copy, bytes, sz);
		/* Half the damage goes to the front, where headers and tables lie. */
		for (int flips = 0; flips < 200; flips++)
			copy[16 + next_random() % (i % 2 ? sz - 16 : 200000)] ^=
				1 << next_random() % 8;
		check_any(copy, sz);
	}
	clock_gettime(CLOCK_MONOTONIC, &now);
	CHECK(now.tv_sec - start.tv_sec < 120); /* bounded, not fast: sanitizers run this too */
}

int main(void)
{
#if !defined(__x86_64__)
	printf("skip: the file made here is for x86-64\n");
	return 0;
#endif
	RUN(test_huge_file);
	RUN(test_flipped_bits);
	RUN(test_damaged);
	return unit_result();
}
