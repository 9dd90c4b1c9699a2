// SPDX-License-Identifier: BSD-2-Clause
void look(void)
{
	fd = target_open(root, path);
	mem = openat(proc_fd, "mem", O_RDONLY);
	file = fopen("/proc/self/mountinfo", "re");
}
