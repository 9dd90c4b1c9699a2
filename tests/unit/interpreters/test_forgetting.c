// SPDX-License-Identifier: BSD-2-Clause
/* What is remembered of a host while months pass: bounded, and right about what is there now. */
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "interpreters/containers/cgroup.h"
#include "interpreters/containers/container.h"
#include "interpreters/discover/discover.h"
#include "interpreters/discover/known_files.h"
#include "unit.h"

#define MANY 300000u

static size_t heap_mb(void)
{
	struct mallinfo2 heap = mallinfo2();

	return (heap.uordblks + heap.hblkhd) >> 20;
}

/* Files that are no interpreters come and go; interpreters stay known. */
static void test_files(void)
{
	struct known_files *files = NULL;
	struct file_key python = { .dev = 1, .ino = 7 }, other = { .dev = 2 };
	size_t before_mb = heap_mb();

	CHECK(!known_files__new(&files));
	known_files__add(files, &python, DISCOVER_INTERPRETER);
	for (other.ino = 1; other.ino <= MANY; other.ino++)
		known_files__add(files, &other, DISCOVER_NOTHING);
	other.ino--;
	CHECK(known_files__find(files, &python) == DISCOVER_INTERPRETER);
	CHECK(known_files__find(files, &other) == DISCOVER_NOTHING);
	CHECK(heap_mb() - before_mb < 12);
	known_files__free(files);
}

static void count(void *ctx, const char *id, const struct container_names *names)
{
	(void)id, (void)names;
	++*(size_t *)ctx;
}

/* The one that runs on is met again and again. With such ids no files are looked for. */
static void test_containers(void)
{
	struct container stays = { .id = "/stays", .runtime = "lxc" }, other = { .runtime = "lxc" };
	struct containers *containers = NULL;
	struct container_names names;
	size_t cnt = 0;

	CHECK(!containers__new(&containers));
	for (int i = 0; i < 1200; i++) {
		snprintf(other.id, sizeof(other.id), "/job%d", i);
		containers__names(containers, i % 100 ? &other : &stays, &names);
		if (strcmp(names.name ?: "nothing", i % 100 ? other.id : "/stays") != 0)
			FAIL("%s is called %s", other.id, names.name ?: "nothing");
		container_names_clear(&names);
	}
	containers__each(containers, count, &cnt);
	if (cnt < 1000 || cnt > 1024)
		FAIL("%zu containers are known", cnt);
	containers__free(containers);
}

static void test_cgroups(void)
{
	struct cgroups *cgroups = NULL;
	size_t before_mb = heap_mb();
	char path[64];

	if (cgroups__new(NULL, &cgroups))
		return; /* no cgroup file system here */
	for (unsigned int i = 1; i <= MANY; i++) {
		snprintf(path, sizeof(path), "/job.slice/run-%u.scope", i);
		cgroups__note(cgroups, (1ULL << 40) + i, path);
		if (i % 10000 == 0 &&
		    strcmp(cgroups__path(cgroups, (1ULL << 40) + i) ?: "nothing", path) != 0)
			FAIL("%s is not known", path);
	}
	CHECK(heap_mb() - before_mb < 16);
	cgroups__free(cgroups);
}

int main(void)
{
	RUN(test_files);
	RUN(test_containers);
	RUN(test_cgroups);
	return unit_result();
}
