// SPDX-License-Identifier: BSD-2-Clause
/*
 * attach_empty OBJECT FILE OFFSET…: puts the empty program of empty.bpf.c on these file offsets,
 * says so, and stays until its input ends.
 */
#include <bpf/libbpf.h>
#include <stdio.h>
#include <stdlib.h>

#define OFFSETS_MAX 32

int main(int argc, char **argv)
{
	unsigned long offsets[OFFSETS_MAX];
	LIBBPF_OPTS(bpf_uprobe_multi_opts, opts, .offsets = offsets);
	struct bpf_object *object;
	struct bpf_program *program;
	const char *how = "uprobe_multi";

	if (argc < 4 || argc - 3 > OFFSETS_MAX) {
		fprintf(stderr, "usage: attach_empty OBJECT FILE OFFSET...\n");
		return 2;
	}
	for (int i = 3; i < argc; i++)
		offsets[opts.cnt++] = strtoul(argv[i], NULL, 0);
	object = bpf_object__open(argv[1]);
	if (!object || bpf_object__load(object)) {
		fprintf(stderr, "attach_empty: cannot load %s\n", argv[1]);
		return 1;
	}
	program = bpf_object__find_program_by_name(object, "empty");
	if (!bpf_program__attach_uprobe_multi(program, -1, argv[2], NULL, &opts)) {
		how = "perf events";
		program = bpf_object__find_program_by_name(object, "empty_perf");
		for (size_t i = 0; i < opts.cnt; i++) {
			if (!bpf_program__attach_uprobe(program, false, -1, argv[2], offsets[i]))
				return 1;
		}
	}
	printf("attached by %s\n", how);
	fflush(stdout);
	getchar();
	return 0;
}
