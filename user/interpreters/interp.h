/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One interpreter file: what it is, where to probe it, how its objects are laid out.
 * Made from the ELF file alone; no process is needed. The door of user/interpreters for user/probe.
 */
#ifndef INTERPRETERS_INTERP_H
#define INTERPRETERS_INTERP_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include "base/layers.h"
#include "pyimport_layout.h"

/* A probed instruction, with what --dry-run tells of it. */
struct interp_site {
	struct pyi_site site;  /* as BPF gets it; `layout` is filled by user/probe */
	__u64 file_off;        /* offset in the file: what the kernel wants */
	bool is_emulated;      /* the kernel emulates the instruction; else it is single-stepped */
	char insn[64];         /* disassembled */
	char where[64];        /* function it stands in, or "" when stripped */
	const char *reason;    /* static text: why this instruction */
};

struct interp {
	char *path;            /* as opened, for humans */
	char version[32];      /* "3.11.2", "3.14.10t"; "" = unknown */
	char implementation[16]; /* "cpython", "pypy" */
	bool is_free_threaded, is_debug, is_shared;
	__u32 layers;          /* enum interp_layer */
	struct pyi_layout layout;
	struct interp_site *sites;
	size_t site_cnt;
	char **notes;          /* plain sentences: what is off and why */
	size_t note_cnt;
};

/*
 * Reads the ELF file behind @fd (not consumed; @path is for messages only) and finds everything.
 * 0: *out is an interpreter to free with interp__free. -ENOENT: valid ELF without CPython in it.
 * -ENOEXEC: not an ELF file of this machine, truncated or hostile. -ENOTSUP: an interpreter that
 * cannot be probed; *out is set all the same, with notes that say why (PyPy, hidden symbols).
 * Other negative errnos: could not read. Never trusts the file: every offset is checked.
 */
int interp__open(int fd, const char *path, struct interp **out);
void interp__free(struct interp *interp);

/* Stands for one of which nothing is known, as reading it failed with @err. -ENOMEM. */
int interp__unreadable(const char *path, int err, struct interp **out);
/* Notes that probing it failed with @err. */
void interp__note_unprobed(struct interp *interp, int err);

/*
 * Quick look: does the file export or contain CPython's import function? 1, 0 or -errno. -EFBIG: it
 * takes more to find out than a file may take.
 */
int interp_probe(int fd);

/* The same for who must be quick: -EFBIG unless it is found out in some milliseconds. */
int interp_glance(int fd);

/*
 * DT_NEEDED libpython (or libpypy) of an executable: resolves it as ld.so would, below @root ("" or
 * "/proc/PID/root"). 0 and a malloc'd path below @root in *out; -ENOENT none needed or none found.
 * LD_LIBRARY_PATH is taken from our own environment, and only for root "".
 */
int interp_needed_libpython(int fd, const char *exe_path, const char *root, char **out);

/* What --dry-run prints: one line per site (file, offset, instruction, reason), then the notes. */
void interp__print(const struct interp *interp, FILE *out);

#endif
