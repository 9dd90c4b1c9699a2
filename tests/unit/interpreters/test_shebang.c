// SPDX-License-Identifier: BSD-2-Clause
/* Script lines and PATH search, checked against what the kernel, env and execvp do. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "interpreters/process/shebang.h"
#include "unit.h"

static void test_lines(void)
{
	static const struct {
		const char *head, *want; /* NULL: -EINVAL; "": not a script */
	} cases[] = {
		{ "#!/usr/bin/python3\nimport x\n", "/usr/bin/python3" },
		{ "#! /bin/sh -e\n", "/bin/sh" },
		{ "#!\t /bin/sh", "/bin/sh" },
		{ "#!/usr/bin/env python3\n", "python3" },
		{ "#!/usr/bin/env -S python3 -I -u\n", "python3" },
		{ "#!/usr/bin/env -Spython3 -I\n", "python3" },
		{ "#!/usr/bin/env --split-string=python3 -I\n", "python3" },
		{ "#!/usr/bin/env -S A=b -u X -i python3.12\n", "python3.12" },
		{ "#!env python3\n", "python3" },
		{ "#!/opt/my env/python\n", "/opt/my" },
		{ "#!/bin/environment x\n", "/bin/environment" },
		{ "#!\n/bin/sh", NULL }, { "#!   \n", NULL }, { "#!/usr/bin/env\n", NULL },
		{ "#!/usr/bin/env -i A=b\n", NULL }, { "#!", NULL },
		{ "", "" }, { "#", "" }, { "\177ELF", "" }, { "print()", "" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *program = NULL;
		int err = shebang_parse(cases[i].head, strlen(cases[i].head), &program);
		int want = !cases[i].want ? -EINVAL : !*cases[i].want ? -ENOENT : 0;

		if (err != want || (!err && strcmp(program, cases[i].want)))
			FAIL("%s -> %d %s", cases[i].head, err, program ? program : "");
		free(program);
	}
}

static char dir[] = "/tmp/test_shebang.XXXXXX";

static void write_file(const char *name, mode_t mode, const char *fmt, ...)
{
	char path[256];
	va_list args;
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = fopen(path, "w");
	va_start(args, fmt);
	vfprintf(file, fmt, args);
	va_end(args);
	fclose(file);
	chmod(path, mode);
}

static int resolve_to(const char *name, const char *want)
{
	char path[256], full[256], *program = NULL;
	int err, is_same;

	snprintf(path, sizeof(path), "/nonexistent:%s", dir);
	snprintf(full, sizeof(full), "%s/%s", dir, want ? want : "");
	err = shebang_resolve(name, path, &program);
	is_same = !err && want && !strcmp(program, full);
	free(program);
	return err ? err : !is_same;
}

static void test_files(void)
{
	write_file("elf", 0755, "\177ELF rest");
	write_file("script", 0755, "#!%s/elf -x\n", dir);
	write_file("by_env", 0755, "#!/usr/bin/env script\n");
	write_file("loop", 0755, "#!/usr/bin/env loop\n");
	write_file("plain", 0644, "\177ELF");
	write_file("lost", 0755, "#!/nonexistent/python\n");
	CHECK(!resolve_to("elf", "elf"));
	CHECK(!resolve_to("script", "elf"));
	CHECK(!resolve_to("by_env", "elf"));
	CHECK(resolve_to("loop", NULL) == -ELOOP);
	CHECK(resolve_to("plain", NULL) == -EACCES);
	CHECK(resolve_to("lost", NULL) == -ENOENT);
	CHECK(resolve_to("missing", NULL) == -ENOENT);
	CHECK(resolve_to("", NULL) == -ENOENT);
	CHECK(resolve_to("/tmp", NULL) == -EACCES);
}

static void test_relative_path_entries(void)
{
	char *program = NULL;

	write_file("elf", 0755, "\177ELF rest");
	CHECK(!chdir(dir));
	CHECK(!shebang_search("elf", "/nonexistent:", &program) && !strcmp(program, "./elf"));
	free(program);
	CHECK(!shebang_search("./elf", "", &program) && !strcmp(program, "./elf"));
	free(program);
	CHECK(!shebang_search("sh", NULL, &program) && strstr(program, "/sh"));
	free(program);
}

static void clean_up(void)
{
	static const char *const names[] = { "elf", "script", "by_env", "loop", "plain", "lost" };

	CHECK(!chdir(dir));
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unlink(names[i]);
	CHECK(!chdir("/") && !rmdir(dir));
}

int main(void)
{
	if (!mkdtemp(dir))
		return 1;
	RUN(test_lines);
	RUN(test_files);
	RUN(test_relative_path_entries);
	clean_up();
	return unit_result();
}
