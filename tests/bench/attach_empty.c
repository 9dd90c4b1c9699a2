// SPDX-License-Identifier: BSD-2-Clause
/*
 * attach_empty OBJECT FILE OFFSET…: puts the empty program of empty.bpf.c on these file offsets,
 * says so, and stays until its input ends. attach_empty OBJECT syscalls: the same for the begin
 * and the end of every system call.
 */
#include <bpf/libbpf.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OFFSETS_MAX 32

static int attach_syscalls(struct bpf_object *object)
{
	static const char *const names[] = { "empty_enter", "empty_exit" };

	for (int i = 0; i < 2; i++)
		if (!bpf_program__attach(bpf_object__find_program_by_name(object, names[i])))
			return 1;
	return 0;
}

static int attach_offsets(struct bpf_object *object, const char *file,
			  const struct bpf_uprobe_multi_opts *opts, const char **how)
{
	struct bpf_program *program = bpf_object__find_program_by_name(object, "empty");

	*how = "uprobe_multi";
	if (bpf_program__attach_uprobe_multi(program, -1, file, NULL, opts))
		return 0;
	*how = "perf events";
	program = bpf_object__find_program_by_name(object, "empty_perf");
	for (size_t i = 0; i < opts->cnt; i++) {
		if (!bpf_program__attach_uprobe(program, false, -1, file, opts->offsets[i]))
			return 1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	unsigned long offsets[OFFSETS_MAX];
	LIBBPF_OPTS(bpf_uprobe_multi_opts, opts, .offsets = offsets);
	struct bpf_object *object;
	const char *how = "raw tracepoints";
	bool is_syscalls = argc == 3 && !strcmp(argv[2], "syscalls");

	if (!is_syscalls && (argc < 4 || argc - 3 > OFFSETS_MAX)) {
		fprintf(stderr, "usage: attach_empty OBJECT FILE OFFSET... | OBJECT syscalls\n");
		return 2;
	}
	for (int i = 3; i < argc; i++)
		offsets[opts.cnt++] = strtoul(argv[i], NULL, 0);
	object = bpf_object__open(argv[1]);
	if (object && is_syscalls) {
		bpf_program__set_autoload(bpf_object__find_program_by_name(object, "empty_enter"), true);
		bpf_program__set_autoload(bpf_object__find_program_by_name(object, "empty_exit"), true);
	}
	if (!object || bpf_object__load(object)) {
		fprintf(stderr, "attach_empty: cannot load %s\n", argv[1]);
		return 1;
	}
	if (is_syscalls ? attach_syscalls(object) : attach_offsets(object, argv[2], &opts, &how))
		return 1;
	printf("attached by %s\n", how);
	fflush(stdout);
	getchar();
	return 0;
}
