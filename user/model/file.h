/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files as the report sees them: what each import did with each path, and what the directories
 * it searched cost. Part of model.h, which includes it. Sums per import are in its charge.
 */
#ifndef MODEL_FILE_H
#define MODEL_FILE_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include "pyimport_file.h"

struct load;

enum file_what {
	FILE_PATH = 0,   /* has a path, or one that could not be read */
	FILE_META,       /* the file system's own blocks */
	FILE_REST,       /* paths beyond what is told apart, together */
};

/* What one import (or what ran outside of imports) did with one path. */
struct file {
	const char *path;  /* relative: the directory is not known. NULL = unknown */
	enum file_what what;
	struct load *load; /* NULL: outside imports */
	struct pyi_file_value io;
	bool is_searched;  /* looked at while the import was searching for its module */
};

/* A directory that imports searched: an entry of sys.path, or a package's own. */
struct search_dir {
	const char *path;
	bool is_package;       /* searched for submodules only */
	__u64 searches, found; /* imports that looked there; that were loaded from there */
	__u64 listed;          /* times its names were read */
	__u64 ns;              /* inside calls on it, and on what was not there */
	__u64 first_ns;
};

enum cache_state { CACHE_UNKNOWN = 0, CACHE_WARM, CACHE_MIXED, CACHE_COLD };

/* All of one process. */
struct process_files {
	struct file **files; /* by path, then by load */
	size_t cnt;
	struct search_dir **dirs; /* in the order in which they were first searched */
	size_t dir_cnt;
	enum cache_state cache;
};

#endif
