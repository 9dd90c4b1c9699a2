// SPDX-License-Identifier: BSD-2-Clause
/* See cost.h. */
#include "agent/cost.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/cleanup.h"

#define STAT_SZ 4096
#define CHILDREN_SZ 4096

static int read_file(const char *path, char *text, size_t sz)
{
	_cleanup_fclose_ FILE *in = fopen(path, "re");
	size_t got;

	if (!in)
		return -1;
	got = fread(text, 1, sz - 1, in);
	text[got] = '\0';
	return 0;
}

/* Fields 14, 15 and 24 of /proc/PID/stat: ticks in user and system, pages. Behind the name. */
static void add_process(const char *pid, __u64 *cpu_ns, __u64 *resident_bytes)
{
	char path[64], text[STAT_SZ], *at;
	unsigned long long user = 0, system = 0, pages = 0;
	long hz = sysconf(_SC_CLK_TCK), page_sz = sysconf(_SC_PAGESIZE);

	snprintf(path, sizeof(path), "/proc/%s/stat", pid);
	if (read_file(path, text, sizeof(text)))
		return;
	at = strrchr(text, ')');
	if (!at || hz <= 0 ||
	    sscanf(at + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu "
			   "%*d %*d %*d %*d %*d %*d %*u %*u %llu", &user, &system, &pages) != 3)
		return;
	*cpu_ns += (user + system) * (1000000000ULL / (unsigned long)hz);
	*resident_bytes += pages * (unsigned long)page_sz;
}

void cost_read(struct agent_state *state)
{
	char path[64], children[CHILDREN_SZ], *save = NULL;
	struct mallinfo2 heap = mallinfo2();
	pid_t pid = getpid();

	state->cpu_ns = state->resident_bytes = 0;
	state->holder_cpu_ns = state->holder_resident_bytes = 0;
	state->heap_bytes = heap.uordblks + heap.hblkhd;
	add_process("self", &state->cpu_ns, &state->resident_bytes);
	snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)pid);
	if (read_file(path, children, sizeof(children)))
		return;
	for (char *at = strtok_r(children, " ", &save); at; at = strtok_r(NULL, " ", &save))
		add_process(at, &state->holder_cpu_ns, &state->holder_resident_bytes);
}
