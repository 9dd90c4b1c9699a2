/* SPDX-License-Identifier: BSD-2-Clause */
/* A CPython made here, whose every answer is known, and the real ones of this machine. */
#ifndef FAKE_PYTHON_H
#define FAKE_PYTHON_H

#include <glob.h>

#include "base/cleanup.h"
#include "fake_elf.h"
#include "interpreters/interp.h"
#include "unit.h"

static inline void free_interp(struct interp **interp)
{
	interp__free(*interp);
}
#define _cleanup_interp_ _cleanup_(free_interp)

#define IMPORT_OFF FAKE_CODE
#define EVAL_OFF (FAKE_CODE + 0x100)
#define CALLER_OFF (FAKE_CODE + 0x140)
#define METHOD_OFF (FAKE_CODE + 0x180)
#define FAKE_NAME (FAKE_DATA + 96) /* a str of 3.11: characters at 48 */
#define EXEC_OFF (FAKE_CODE + 0x1c0)

static inline void put_code(struct fake_elf *fake, unsigned int off, const void *code, size_t sz)
{
	memcpy(fake->bytes + off, code, sz);
}

/* At off, five bytes: call (e8) or jump (e9) to another offset. */
static inline void put_branch(struct fake_elf *fake, unsigned int off, unsigned char op,
			      unsigned int to)
{
	__s32 rel = (__s32)to - (__s32)(off + 5);

	fake->bytes[off] = op;
	memcpy(fake->bytes + off + 1, &rel, sizeof(rel));
}

static inline void make_python(struct fake_elf *fake, const char *second_method)
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

static inline int open_bytes(const void *bytes, size_t sz, struct interp **out)
{
	_cleanup_close_ int fd = fake_elf_fd(bytes, sz);

	return interp__open(fd, "fake", out);
}

static const char *const patterns[] = {
	"/usr/bin/python3.*", "/usr/local/bin/python3.*", "/usr/local/lib/libpython3.*.so.*",
	"/usr/lib/*/libpython3.*.so.*", "/var/tmp/pyimport-roots/*/usr/bin/python3.*",
	"/opt/*/lib/libpython3.*.so.*", "~/.pyenv/versions/*/lib/libpython3.*.so.*",
};

static inline void find_files(glob_t *files)
{
	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++)
		glob(patterns[i], GLOB_TILDE | (i ? GLOB_APPEND : 0), NULL, files);
}

#endif /* FAKE_PYTHON_H */
