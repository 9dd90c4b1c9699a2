// SPDX-License-Identifier: BSD-2-Clause
/*
 * The list of interpreter states hangs on _PyRuntime and is empty until Py_Initialize makes the
 * first one, which is before the first import. Up to 3.6 there is the current thread state.
 */
#include "interpreters/process/initialized.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "interpreters/interp.h"
#include "interpreters/process/proc.h"

/* What to add to an address of the file to find it in the process. */
static int find_bias(const struct interp *interp, const struct proc_map *map, __u64 *bias)
{
	for (size_t i = 0; i < interp->site_cnt; i++) {
		const struct interp_site *site = &interp->sites[i];

		if (site->file_off >= map->off &&
		    site->file_off - map->off < map->end - map->start) {
			*bias = map->start + (site->file_off - map->off) - site->site.addr;
			return 0;
		}
	}
	return -ENOENT;
}

struct word {
	__u64 addr;
	bool is_writable;
};

static int find_word(void *ctx, int proc_fd, const struct proc_map *map)
{
	struct word *word = ctx;

	(void)proc_fd;
	if (word->addr < map->start || word->addr >= map->end)
		return 0;
	word->is_writable = map->is_write;
	return 1;
}

int interp_has_started(const struct interp *interp, int proc_fd, const struct proc_map *map)
{
	const struct pyi_layout *layout = &interp->layout;
	_cleanup_close_ int fd = -1;
	struct word word = {};
	__u64 bias, head;
	int err;

	if (!layout->runtime_addr || (layout->version > 0x0306 && layout->runtime_interp_head < 0))
		return -ENOTSUP;
	err = find_bias(interp, map, &bias);
	if (err)
		return err;
	word.addr = bias + layout->runtime_addr;
	if (layout->version > 0x0306)
		word.addr += layout->runtime_interp_head;
	/*
	 * ld.so maps the code first. Until it comes to the data, nothing is there, or, where it
	 * reserves the whole range by one mapping of the file, something else.
	 */
	err = proc_each_map(proc_fd, find_word, &word);
	if (err < 0 || !word.is_writable)
		return err < 0 ? err : 0;
	fd = openat(proc_fd, "mem", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (pread(fd, &head, sizeof(head), word.addr) != sizeof(head))
		return -EIO;
	return head != 0;
}
