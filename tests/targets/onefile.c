/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A program of one file, as PyInstaller and its like make them: libpython stands at its own end.
 * It is unpacked when the program starts, opened and removed ("file"), or never in a directory at
 * all ("memory"), and run as python3 with the arguments behind that word.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Copies what stands behind @off of ourselves. */
static int unpack(long off, int to)
{
	static char buf[1 << 16];
	FILE *self = fopen("/proc/self/exe", "rb");
	size_t sz;

	if (!self || fseek(self, off, SEEK_SET))
		return -1;
	while ((sz = fread(buf, 1, sizeof(buf), self)))
		if (write(to, buf, sz) != (ssize_t)sz)
			return -1;
	fclose(self);
	return 0;
}

int main(int argc, char **argv)
{
	char path[64] = "/tmp/onefile.XXXXXX";
	int (*run)(int, char **);
	int is_file, fd;
	void *lib;

	if (argc < 3)
		return 2;
	is_file = !strcmp(argv[1], "file");
	fd = is_file ? mkstemp(path) : memfd_create("unpacked", 0);
	if (fd < 0 || unpack(strtol(getenv("ONEFILE_AT"), NULL, 10), fd))
		return 1;
	if (!is_file)
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	lib = dlopen(path, RTLD_NOW | RTLD_GLOBAL);
	if (is_file)
		unlink(path);
	if (!lib) {
		fprintf(stderr, "%s\n", dlerror());
		return 1;
	}
	*(void **)&run = dlsym(lib, "Py_BytesMain");
	if (!run)
		return 1;
	argv[1] = argv[0];
	return run(argc - 1, argv + 1);
}
