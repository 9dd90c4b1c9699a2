// SPDX-License-Identifier: BSD-2-Clause
/*
 * Does the verifier of this kernel accept our programs? Loads all of them without the rest of the
 * tool, `load multi` or `load perf`, and says how many instructions were looked at: the limit is a
 * million, and what comes near it is refused by the next kernel. Status 0: all loaded.
 */
#include <linux/types.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pyimport_event.h"
#include "pyimport_charge.h"
#include "pyimport_stats.h"
#include "pyimport.skel.h"

#define INSN_MAX 900000
#define LOG_SZ (8 << 20)
#define PROG_MAX 32
#define TAIL_SZ 4000

static int print(enum libbpf_print_level level, const char *format, va_list args)
{
	return level == LIBBPF_DEBUG ? 0 : vfprintf(stderr, format, args);
}

/* One line for an accepted program, the end of the verifier's log for a refused one. */
static int report(const struct bpf_program *prog, const char *log)
{
	/* 7.x has a line of its own for each function before the sum. */
	const char *processed = strstr(log, "\nprocessed ");
	size_t len = strlen(log);
	unsigned long insn_cnt = 0;

	if (bpf_program__fd(prog) < 0) {
		if (len)
			printf("%s refused:\n%s\n", bpf_program__name(prog),
			       log + (len > TAIL_SZ ? len - TAIL_SZ : 0));
		return 0;
	}
	if (processed)
		insn_cnt = strtoul(processed + strlen("\nprocessed "), NULL, 10);
	printf("  %-12s %7lu instructions verified\n", bpf_program__name(prog), insn_cnt);
	return insn_cnt > INSN_MAX;
}

int main(int argc, char **argv)
{
	static char logs[PROG_MAX][LOG_SZ];
	bool is_perf = argc > 1 && !strcmp(argv[1], "perf");
	struct pyimport_bpf *skel;
	struct bpf_program *prog;
	int err, cnt = 0;

	libbpf_set_print(print);
	skel = pyimport_bpf__open();
	if (!skel)
		return 1;
	bpf_object__for_each_program(prog, skel->obj) {
		const char *name = bpf_program__name(prog);

		if (cnt == PROG_MAX) {
			printf("more than %d programs\n", PROG_MAX);
			return 1;
		}
		bpf_program__set_autoload(prog, !strstr(name, is_perf ? "_multi" : "_perf"));
		bpf_program__set_log_level(prog, 4); /* the summary; all on failure */
		bpf_program__set_log_buf(prog, logs[cnt++], LOG_SZ);
	}
	err = pyimport_bpf__load(skel);
	cnt = 0;
	bpf_object__for_each_program(prog, skel->obj)
		if (cnt < PROG_MAX && report(prog, logs[cnt++]))
			err = 1;
	pyimport_bpf__destroy(skel);
	return err != 0;
}
