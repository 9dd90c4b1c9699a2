/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A program that is no Python until it is told to be: says "up", reads a line, then opens the
 * library its first argument names and runs it as python3 with the others.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int (*run)(int, char **);
	void *lib;
	char c;

	(void)!write(1, "up\n", 3);
	while (read(0, &c, 1) == 1 && c != '\n')
		;
	lib = dlopen(argv[1], RTLD_NOW | RTLD_GLOBAL);
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
