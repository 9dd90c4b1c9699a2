// SPDX-License-Identifier: BSD-2-Clause
/*
 * Finding the probe sites of an interpreter: on a file made here, whose every answer is known, and
 * on every CPython of the machine.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "fake_python.h"
#include "interpreters/elf/elf_file.h"
#include "interpreters/interp.h"
#include "interpreters/python/identify.h"
#include "interpreters/python/layout.h"

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

int main(void)
{
#if !defined(__x86_64__)
	printf("skip: the file made here is for x86-64\n");
	return 0;
#endif
	RUN(test_made_file);
	RUN(test_second_find);
	RUN(test_refusals);
	RUN(test_layout_table);
	RUN(test_glance);
	RUN(test_installed);
	return unit_result();
}
