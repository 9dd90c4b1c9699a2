/* SPDX-License-Identifier: BSD-2-Clause */
/* From a command to the program the kernel will run for it: PATH search and `#!` lines. */
#ifndef INTERPRETERS_PROCESS_SHEBANG_H
#define INTERPRETERS_PROCESS_SHEBANG_H

#include <stddef.h>

#define SHEBANG_MAX 5 /* scripts that name scripts: as many as Linux follows */

/*
 * Finds @name as execvp does: as it is when it has a slash, else along @path (a PATH value; NULL
 * = the system's default). malloc'd. -ENOENT; -EACCES when one was found that is not executable.
 */
int shebang_search(const char *name, const char *path, char **out);

/*
 * Parses the first line of a script: the program to run next, malloc'd. For `/usr/bin/env NAME`
 * that is NAME, to be searched in PATH, whatever options and assignments stand before it.
 * -ENOENT when @head is no script; -EINVAL when its line names nothing.
 */
int shebang_parse(const char *head, size_t sz, char **program);

/*
 * The program that really runs when @name is started: a malloc'd path of a file that is not a
 * script. -ELOOP after SHEBANG_MAX scripts; else as shebang_search.
 */
int shebang_resolve(const char *name, const char *path, char **out);

#endif
