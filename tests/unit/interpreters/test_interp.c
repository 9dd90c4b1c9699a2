// SPDX-License-Identifier: BSD-2-Clause
/*
 * Finding the probe sites of an interpreter: on a file made here, whose every answer is known, on
 * every CPython of the machine, and on files that lie.
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdlib.h>
#include <time.h>

#include "base/cleanup.h"
#include "fake_elf.h"
#include "interpreters/elf/elf_file.h"
#include "interpreters/interp.h"
#include "interpreters/python/identify.h"
#include "interpreters/python/layout.h"
#include "unit.h"

static __u64 random_state = 0x9e3779b97f4a7c15ull; /* fixed: a failure can be repeated */

static __u64 next_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

static void free_interp(struct interp **interp)
{
	interp__free(*interp);
}
#define _cleanup_interp_ _cleanup_(free_interp)

static const struct interp_site *site_at(const struct interp *interp, __u64 addr)
{
	for (size_t i = 0; i < interp->site_cnt; i++) {
		if (interp->sites[i].site.addr == addr)
			return &interp->sites[i];
	}
	return NULL;
}

static size_t count_begins(const struct interp *interp, int kind, bool emulated_only)
{
	size_t cnt = 0;

	for (size_t i = 0; i < interp->site_cnt; i++)
		cnt += interp->sites[i].site.begin == kind &&
			(!emulated_only || interp->sites[i].is_emulated);
	return cnt;
}

static size_t count_ends(const struct interp *interp, int kind, bool emulated_only)
{
	size_t cnt = 0;

	for (size_t i = 0; i < interp->site_cnt; i++)
		cnt += interp->sites[i].site.end == kind &&
			(!emulated_only || interp->sites[i].is_emulated);
	return cnt;
}

#define IMPORT_OFF FAKE_CODE
#define EVAL_OFF (FAKE_CODE + 0x100)
#define CALLER_OFF (FAKE_CODE + 0x140)
#define METHOD_OFF (FAKE_CODE + 0x180)
#define FAKE_NAME (FAKE_DATA + 96) /* a str of 3.11: characters at 48 */
#define EXEC_OFF (FAKE_CODE + 0x1c0)

static void put_code(struct fake_elf *fake, unsigned int off, const void *code, size_t sz)
{
	memcpy(fake->bytes + off, code, sz);
}

/* At off, five bytes: call (e8) or jump (e9) to another offset. */
static void put_branch(struct fake_elf *fake, unsigned int off, unsigned char op, unsigned int to)
{
	__s32 rel = (__s32)to - (__s32)(off + 5);

	fake->bytes[off] = op;
	memcpy(fake->bytes + off + 1, &rel, sizeof(rel));
}

static void make_python(struct fake_elf *fake, const char *second_method)
{
	/*
	 * endbr64; sub $8,%rsp; push %rbx; call; mov %rax,%r15; xor %eax,%eax; add $8,%rsp;
	 * test; jne
	 */
	static const unsigned char import[] = {
		0xf3, 0x0f, 0x1e, 0xfa, 0x48, 0x83, 0xec, 0x08, 0x53,
		0xe8, 0, 0, 0, 0, 0x49, 0x89, 0xc7, 0x31, 0xc0, 0x48, 0x83, 0xc4, 0x08,
		0x4d, 0x85, 0xff, 0x75, 0x02, 0x5b, 0xc3,
		/* where the branch goes: mov $name,%esi; call; nop; ret */
		0xbe, 0, 0, 0, 0, 0xe8, 0, 0, 0, 0, 0x90, 0xc3,
	};
	/* call PyEval_EvalCode; nothing but a return behind it */
	static const unsigned char caller[] = { 0xe8, 0, 0, 0, 0, 0xc3 };
	static const __u64 version = 0x030b02f0;
	static const __u32 name = FAKE_BASE + FAKE_NAME;

	fake_elf_init(fake, false);
	put_code(fake, IMPORT_OFF, import, sizeof(import));
	put_branch(fake, IMPORT_OFF + 9, 0xe8, METHOD_OFF);
	put_code(fake, IMPORT_OFF + 31, &name, sizeof(name));
	put_branch(fake, IMPORT_OFF + 35, 0xe8, METHOD_OFF);
	put_code(fake, FAKE_NAME + 48, second_method, strlen(second_method) + 1);
	put_code(fake, CALLER_OFF, caller, sizeof(caller));
	put_branch(fake, CALLER_OFF, 0xe8, EVAL_OFF);
	fake->bytes[EVAL_OFF] = 0x53;
	fake->bytes[METHOD_OFF] = 0xc3;
	put_code(fake, EXEC_OFF, "\x53\x5b\xc3", 3); /* push; pop; ret */
	put_branch(fake, EXEC_OFF + 0x10, 0xe9, EXEC_OFF);
	put_code(fake, FAKE_DATA, &version, sizeof(version));
	fake_elf_sym(fake, "PyImport_ImportModuleLevelObject", IMPORT_OFF, sizeof(import), STT_FUNC);
	fake_elf_sym(fake, "PyObject_CallMethodObjArgs", METHOD_OFF, 1, STT_FUNC);
	fake_elf_sym(fake, "PyEval_EvalCode", EVAL_OFF, 16, STT_FUNC);
	fake_elf_sym(fake, "caller", CALLER_OFF, sizeof(caller), STT_FUNC);
	fake_elf_sym(fake, "PyModule_ExecDef", EXEC_OFF, 3, STT_FUNC);
	fake_elf_sym(fake, "tail_caller", EXEC_OFF + 0x10, 5, STT_FUNC);
	fake_elf_sym(fake, "Py_Version", FAKE_DATA, 8, STT_OBJECT);
	fake_elf_sym(fake, "PyUnicode_Type", FAKE_DATA + 64, 8, STT_OBJECT);
	fake_elf_finish(fake);
}

static int open_bytes(const void *bytes, size_t sz, struct interp **out)
{
	_cleanup_close_ int fd = fake_elf_fd(bytes, sz);

	return interp__open(fd, "fake", out);
}

static void test_made_file(void)
{
	_cleanup_interp_ struct interp *interp = NULL;
	const struct interp_site *site;
	struct fake_elf fake;

	make_python(&fake, "_handle_fromlist");
	CHECK(!open_bytes(fake.bytes, sizeof(fake.bytes), &interp));
	if (!interp)
		return;
	CHECK(!strcmp(interp->version, "3.11.2") && interp->layout.version == 0x030b);
	CHECK(interp->layout.unicode_type_addr == FAKE_BASE + FAKE_DATA + 64);
	CHECK(count_begins(interp, PYI_SITE_IMPORT, true) == 1);
	site = site_at(interp, FAKE_BASE + IMPORT_OFF + 8);
	CHECK(site && site->site.begin == PYI_SITE_IMPORT && site->file_off == IMPORT_OFF + 8);
	site = site_at(interp, FAKE_BASE + IMPORT_OFF + 9);
	CHECK(site && site->site.begin == PYI_SITE_FIND && site->is_emulated);
	/* The result has moved to r15 and the stack by 8 when the first branch comes. */
	site = site_at(interp, FAKE_BASE + IMPORT_OFF + 26);
	CHECK(site && site->site.end == PYI_SITE_FIND && site->is_emulated);
	CHECK(site && site->site.result_reg == PYI_REG_R15 && site->site.sp_delta == 8);
	site = site_at(interp, FAKE_BASE + CALLER_OFF);
	CHECK(site && site->site.begin == PYI_SITE_BODY);
	site = site_at(interp, FAKE_BASE + CALLER_OFF + 5);
	CHECK(site && site->site.end == PYI_SITE_BODY && !site->is_emulated);
	CHECK(site && site->site.result_reg == PYI_REG_AX && !site->site.sp_delta);
	/* The second call is made for from-imports: no load, no probe. */
	CHECK(!site_at(interp, FAKE_BASE + IMPORT_OFF + 35));
	/* Reached by a jump: measured inside, by entry and return. */
	site = site_at(interp, FAKE_BASE + EXEC_OFF);
	CHECK(site && site->site.begin == PYI_SITE_EXECDEF);
	site = site_at(interp, FAKE_BASE + EXEC_OFF + 2);
	CHECK(site && site->site.end == PYI_SITE_EXECDEF && site->site.result_is_int);
	CHECK(count_ends(interp, PYI_SITE_EXECDEF, false) == 1);
}

static void test_second_find(void)
{
	static const char *const names[] = { "_find_and_load", "_new_in_some_version" };

	for (size_t i = 0; i < 2; i++) {
		_cleanup_interp_ struct interp *interp = NULL;
		struct fake_elf fake;

		make_python(&fake, names[i]);
		CHECK(!open_bytes(fake.bytes, sizeof(fake.bytes), &interp));
		CHECK(interp && count_begins(interp, PYI_SITE_FIND, true) == 2);
	}
}

static void test_refusals(void)
{
	static const char strings[] = "_frozen_importlib_external\0PYTHONDONTWRITEBYTECODE";
	struct interp *interp = NULL;
	struct fake_elf fake;
	int fd;

	fake_elf_init(&fake, true);
	fake_elf_sym(&fake, "main", FAKE_CODE, 1, STT_FUNC);
	fake_elf_finish(&fake);
	CHECK(open_bytes(fake.bytes, FAKE_SZ, &interp) == -ENOENT && !interp);
	put_code(&fake, FAKE_DATA, strings, sizeof(strings));
	CHECK(open_bytes(fake.bytes, FAKE_SZ, &interp) == -ENOTSUP && interp && interp->note_cnt);
	interp__free(interp);
	interp = NULL;

	fake_elf_init(&fake, false);
	fake_elf_sym(&fake, "pypy_main_startup", FAKE_CODE, 1, STT_FUNC);
	fake_elf_finish(&fake);
	CHECK(open_bytes(fake.bytes, FAKE_SZ, &interp) == -ENOTSUP && interp &&
	      !strcmp(interp->implementation, "pypy"));
	interp__free(interp);
	interp = NULL;

	fake.bytes[18] = EM_S390 & 0xff;
	CHECK(open_bytes(fake.bytes, FAKE_SZ, &interp) == -ENOEXEC && !interp);
	CHECK(open_bytes("#!/bin/sh\n", 10, &interp) == -ENOEXEC && !interp);
	CHECK(open_bytes("", 0, &interp) == -ENOEXEC && !interp);
	fd = open("/", O_RDONLY | O_CLOEXEC);
	CHECK(interp__open(fd, "/", &interp) == -ENOEXEC && !interp);
	CHECK(interp_probe(fd) == 0);
	close(fd);
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

struct cell {
	__u32 version;
	bool is_free_threaded;
	__s32 ob_type, ascii, tuple_items, dict_keys, code_filename, code_code, thread_id;
	__s32 frame_lasti;
};

/* Numbers read from debug information, written down apart from the table. */
static void test_layout_table(void)
{
	static const struct cell cells[] = {
		{ 0x0308, false, 8, 48, 24, 32, 104, -1, 176, 104 },
		{ 0x030a, false, 8, 48, 24, 32, 104, -1, 176, 96 },
		{ 0x030b, false, 8, 48, 24, 32, 112, 184, 152, 56 },
		{ 0x030c, false, 8, 40, 24, 32, 112, 192, 136, 56 },
		{ 0x030d, false, 8, 40, 24, 32, 112, 200, 152, 56 },
		{ 0x030d, true, 24, 56, 40, 48, 128, 216, 152, 56 },
		{ 0x030e, false, 8, 40, 32, 32, 112, 208, 152, 56 },
		{ 0x030e, true, 24, 56, 48, 48, 128, 232, 152, 56 },
		{ 0x030f, true, 24, 56, 48, 48, 128, 232, 176, 56 },
	};
	struct pyi_layout layout;

	for (size_t i = 0; i < sizeof(cells) / sizeof(cells[0]); i++) {
		const struct cell *cell = &cells[i];

		if (!layout_from_table(cell->version, cell->is_free_threaded, &layout) ||
		    layout.ob_type != cell->ob_type || layout.str_ascii_data != cell->ascii ||
		    layout.tuple_items != cell->tuple_items ||
		    layout.dict_keys != cell->dict_keys ||
		    layout.code_filename != cell->code_filename ||
		    layout.code_code != cell->code_code || layout.thread_id != cell->thread_id ||
		    layout.frame_lasti != cell->frame_lasti)
			FAIL("row %x %d", cell->version, cell->is_free_threaded);
	}
	CHECK(layout_from_table(0x030e, true, &layout) && layout.str_kind_shift == 8 &&
	      layout.code_tlbc == 224 && layout.frame_owner == 78 && layout.code_mask == ~7ull);
	CHECK(layout_from_table(0x030d, true, &layout) && layout.str_kind_shift == 2 &&
	      layout.code_tlbc == -1 && layout.code_mask == ~0ull);
	CHECK(!layout_from_table(0x030c, true, &layout));
	CHECK(!layout_from_table(0x0310, false, &layout));
}

static void check_pairs(const struct interp *interp, int kind, const char *name)
{
	size_t begins = count_begins(interp, kind, false), ends = count_ends(interp, kind, false);

	if (!begins || !ends)
		FAIL("%s %s: %zu begins, %zu ends of %s", interp->path, interp->version, begins, ends,
		     name);
}

static void check_interpreter(const struct interp *interp)
{
	static const int once[] = {
		PYI_SITE_IMPORT, PYI_SITE_BUILTIN,
		PYI_SITE_COMPILE, PYI_SITE_FINALIZE, PYI_SITE_DYNAMIC,
	};
	unsigned int minor = interp->layout.version & 0xff;

	CHECK(interp->layout.version >> 8 == 3 && !strncmp(interp->version, "3.", 2));
	for (size_t i = 0; i < sizeof(once) / sizeof(once[0]); i++) {
		if (count_begins(interp, once[i], false) != 1)
			FAIL("%s: %zu begins of kind %d", interp->path,
			     count_begins(interp, once[i], false), once[i]);
	}
	CHECK(count_begins(interp, PYI_SITE_IMPORT, true) == 1);
	CHECK(count_begins(interp, PYI_SITE_FIND, true) >= 1);
	CHECK(count_ends(interp, PYI_SITE_FIND, true) ==
	      count_begins(interp, PYI_SITE_FIND, false));
	check_pairs(interp, PYI_SITE_BODY, "body");
	check_pairs(interp, PYI_SITE_EXECDEF, "execdef");
	check_pairs(interp, PYI_SITE_DLOPEN, "dlopen");
	check_pairs(interp, PYI_SITE_DYNAMIC, "dynamic");
	CHECK(count_begins(interp, PYI_SITE_RUN_MAIN, false) == (minor >= 8));
	CHECK(count_begins(interp, PYI_SITE_LAZY, false) == (minor >= 15));
	for (size_t i = 0; i < interp->site_cnt; i++) {
		const struct interp_site *site = &interp->sites[i];

		CHECK(site->insn[0] && site->reason && site->file_off);
		if (site->site.end && site->site.result_reg == PYI_REG_NONE)
			FAIL("%s: no result at %llx", interp->path, site->site.addr);
	}
	CHECK(interp->layout.unicode_type_addr && interp->layout.code_type_addr);
}

/* The table and what the file says of itself must agree: one of them is wrong else. */
static void check_layout(const struct interp *interp)
{
	struct pyi_layout layout;

	if (interp->is_debug || !layout_from_table(interp->layout.version, interp->is_free_threaded,
						   &layout))
		return;
	layout.runtime_addr = interp->layout.runtime_addr;
	layout.unicode_type_addr = interp->layout.unicode_type_addr;
	layout.dict_type_addr = interp->layout.dict_type_addr;
	layout.code_type_addr = interp->layout.code_type_addr;
	layout.code_read_sz = interp->layout.code_read_sz; /* follows from the others */
	if (memcmp(&layout, &interp->layout, sizeof(layout)))
		FAIL("%s %s: table and _Py_DebugOffsets differ", interp->path, interp->version);
}

static const char *const patterns[] = {
	"/usr/bin/python3.*", "/usr/local/bin/python3.*", "/usr/local/lib/libpython3.*.so.*",
	"/usr/lib/*/libpython3.*.so.*", "/var/tmp/pyimport-roots/*/usr/bin/python3.*",
	"/opt/*/lib/libpython3.*.so.*", "~/.pyenv/versions/*/lib/libpython3.*.so.*",
};

static void find_files(glob_t *files)
{
	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++)
		glob(patterns[i], GLOB_TILDE | (i ? GLOB_APPEND : 0), NULL, files);
}

/* The first look rules out most libraries, and never one that has the symbol. */
static void test_glance(void)
{
	static const char *const names[] = { "PyImport_ImportModuleLevelObject", NULL };
	size_t with_cnt = 0, ruled_out_cnt = 0;
	glob_t files = {};

	glob("/usr/lib/*/lib[cmps]*.so.[0-9]*", GLOB_NOSORT, NULL, &files);
	for (size_t i = 0; i < files.gl_pathc; i++) {
		_cleanup_close_ int fd = open(files.gl_pathv[i], O_RDONLY | O_CLOEXEC);
		_cleanup_(elf__freep) struct elf *elf = NULL;
		const struct elf_sym *sym;
		struct elf_budget budget;
		enum elf_glance seen;

		interp_budget(&budget, LIMIT_PROBE);
		if (fd < 0 || elf__open(fd, &budget, &elf))
			continue;
		sym = elf__sym(elf, names[0]);
		seen = elf_glance(fd, &budget, names);
		CHECK(seen != ELF_GLANCE_NONE || !sym);
		CHECK(seen != ELF_GLANCE_FIRST || (sym && sym->is_export));
		CHECK(seen == ELF_GLANCE_FIRST || !sym || !sym->is_export);
		with_cnt += sym != NULL;
		ruled_out_cnt += seen == ELF_GLANCE_NONE;
	}
	CHECK(ruled_out_cnt > 0);
	if (!with_cnt)
		printf("skip: no libpython to look into\n");
	globfree(&files);
}

static void test_installed(void)
{
	size_t cnt = 0;
	glob_t files = {};

	find_files(&files);
	for (size_t i = 0; i < files.gl_pathc; i++) {
		_cleanup_close_ int fd = open(files.gl_pathv[i], O_RDONLY | O_CLOEXEC);
		_cleanup_interp_ struct interp *interp = NULL;

		if (fd < 0 || interp_probe(fd) != 1)
			continue;
		CHECK(!interp__open(fd, files.gl_pathv[i], &interp));
		if (!interp)
			continue;
		check_interpreter(interp);
		check_layout(interp);
		cnt++;
	}
	globfree(&files);
	if (!cnt)
		printf("skip: no CPython on this machine\n");
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
	RUN(test_made_file);
	RUN(test_second_find);
	RUN(test_refusals);
	RUN(test_huge_file);
	RUN(test_flipped_bits);
	RUN(test_layout_table);
	RUN(test_glance);
	RUN(test_installed);
	RUN(test_damaged);
	return unit_result();
}
