// SPDX-License-Identifier: BSD-2-Clause
/* Readers of /proc: lines a hostile target can shape, and our own process as the real thing. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "interpreters/process/proc.h"
#include "unit.h"

static int parse(const char *text, struct proc_map *map)
{
	static char line[8192];

	snprintf(line, sizeof(line), "%s", text);
	return proc_parse_map(line, map);
}

static void test_map_lines(void)
{
	struct proc_map map;

	CHECK(!parse("55d0c0000000-55d0c0025000 r-xp 00002000 fe:01 1234567 /usr/bin/python3.11\n", &map));
	CHECK(map.start == 0x55d0c0000000 && map.end == 0x55d0c0025000 && map.off == 0x2000);
	CHECK(map.major == 0xfe && map.minor == 1 && map.ino == 1234567 && map.is_exec);
	CHECK(!map.is_deleted && !strcmp(map.path, "/usr/bin/python3.11"));
	CHECK(!parse("7f0000000000-7f0000001000 rw-p 00000000 00:00 0 \n", &map));
	CHECK(!map.is_exec && !map.ino && !*map.path);
	CHECK(!parse("7f0000000000-7f0000001000 rw-p 00000000 00:00 0", &map) && !*map.path);
	CHECK(!parse("7ffd0000-7ffd1000 r-xp 00000000 00:00 0      [vdso]\n", &map));
	CHECK(!strcmp(map.path, "[vdso]"));
}

static void test_map_names(void)
{
	struct proc_map map;

	CHECK(!parse("1000-2000 r-xp 00000000 08:01 9 /lib/libpython3.12.so.1.0 (deleted)\n", &map));
	CHECK(map.is_deleted && !strcmp(map.path, "/lib/libpython3.12.so.1.0"));
	CHECK(!parse("1000-2000 r-xp 00000000 08:01 9 /a b/c\\012d\n", &map));
	CHECK(!strcmp(map.path, "/a b/c\nd"));
	CHECK(!parse("1000-2000 r-xp 00000000 08:01 9 /trailing\\01\n", &map));
	CHECK(!strcmp(map.path, "/trailing\\01"));
	CHECK(!parse("1000-2000 r-xp 00000000 08:01 9 (deleted)\n", &map) && !map.is_deleted);
}

static void test_bad_map_lines(void)
{
	static const char *const lines[] = {
		"", "\n", "garbage", "1000-2000", "1000-2000 r-xp", "2000-1000 r-xp 0 08:01 9 /x",
		"1000-1000 r-xp 0 08:01 9 /x", "1000-2000 rx 0 08:01 9 /x", "1000-2000 r-xp 0 0801 9 /x",
	};
	struct proc_map map;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		if (parse(lines[i], &map) != -EINVAL)
			FAIL("accepted: %s", lines[i]);
	}
}

static void test_split_args(void)
{
	char **argv;
	size_t argc;

	CHECK(!proc_split_args("python3\0-c\0\0x", 13, &argv, &argc));
	CHECK(argc == 4 && !strcmp(argv[1], "-c") && !*argv[2] && !strcmp(argv[3], "x"));
	CHECK(!argv[4]);
	free(argv);
	CHECK(!proc_split_args("", 0, &argv, &argc) && argc == 0 && !argv[0]);
	free(argv);
	/* A program may overwrite its arguments with one title and no NUL. */
	CHECK(!proc_split_args("nginx: worker", 13, &argv, &argc) && argc == 1);
	free(argv);
}

static void test_cgroup(void)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "0::/system.slice/a.service\n", "/system.slice/a.service" },
		{ "0::/\n", "/" },
		{ "3:cpu,cpuacct:/docker/abc\n1:name=systemd:/\n0::/\n", "/docker/abc" },
		{ "3:memory:/x\n0::/y:z\n", "/y:z" },
		{ "nonsense\n", NULL },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *text = strdup(cases[i].text), *path = NULL;
		int err = proc_parse_cgroup(text, &path);

		if (cases[i].want ? err || strcmp(path, cases[i].want) : err != -ENOENT)
			FAIL("%s -> %s", cases[i].text, path ? path : "nothing");
		free(text);
		free(path);
	}
}

static int find_self(void *ctx, int proc_fd, const struct proc_map *map)
{
	int fd;

	if (!map->is_exec || strcmp(map->path, ctx))
		return 0;
	fd = proc_open_map(proc_fd, map);
	if (fd < 0)
		return fd;
	close(fd);
	return 1;
}

static void test_self(void)
{
	int proc_fd = proc_open(getpid());
	char *exe = NULL, **argv = NULL, comm[16];
	size_t argc = 0;
	pid_t ppid = 0;

	CHECK(proc_fd >= 0);
	CHECK(!proc_link(proc_fd, "exe", &exe));
	CHECK(proc_each_map(proc_fd, find_self, exe) == 1);
	CHECK(!proc_argv(proc_fd, &argv, &argc) && argc == 1);
	CHECK(!proc_parent(proc_fd, &ppid, comm) && ppid == getppid());
	CHECK(!strcmp(comm, "test_proc"));
	CHECK(proc_open(0x7ffffff0) == -ESRCH);
	free(exe);
	free(argv);
	close(proc_fd);
}

int main(void)
{
	RUN(test_map_lines);
	RUN(test_map_names);
	RUN(test_bad_map_lines);
	RUN(test_split_args);
	RUN(test_cgroup);
	RUN(test_self);
	return unit_result();
}
