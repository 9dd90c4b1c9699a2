// SPDX-License-Identifier: BSD-2-Clause
/* What the views of files, libraries and the network share. */
#include "report/view.h"

#include "base/cleanup.h"

char *view_bytes(char buf[TEXT_NUM_SZ], __u64 bytes)
{
	static const char *const units[] = {"kB", "MB", "GB", "TB", "PB", "EB"};
	double value = (double)bytes / 1000;
	size_t unit = 0;

	if (bytes < 1000) {
		snprintf(buf, TEXT_NUM_SZ, "%llu B", bytes);
		return buf;
	}
	while (value >= 999.5 && unit < 5) {
		value /= 1000;
		unit++;
	}
	snprintf(buf, TEXT_NUM_SZ, value < 9.995 ? "%.2f %s" : value < 99.95 ? "%.1f %s" : "%.0f %s",
		 value, units[unit]);
	return buf;
}

int view_each_process(const struct view *view,
		      int (*write)(const struct view *view, const struct process *process))
{
	_cleanup_free_ struct process **processes = NULL;
	size_t cnt;
	int err = walk_processes(view->model, &processes, &cnt);

	for (size_t i = 0; !err && i < cnt && !ferror(view->out); i++)
		if (process_is_shown(processes[i]))
			err = write(view, processes[i]);
	return err ? err : foot_write(view);
}
