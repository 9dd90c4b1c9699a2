// SPDX-License-Identifier: BSD-2-Clause
/* Which files count as one inode: by device, with overlayfs by number and times. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "interpreters/discover/overlay.h"
#include "unit.h"

static struct code_id file(dev_t dev, ino_t ino, long changed_s, bool is_overlay)
{
	struct code_id id = { .st = { .st_dev = dev, .st_ino = ino, .st_size = 1000 },
			      .is_overlay = is_overlay };

	id.st.st_mtim.tv_sec = 50;
	id.st.st_ctim.tv_sec = changed_s;
	return id;
}

static void test_plain(void)
{
	struct code_id probed = file(1, 2, 100, false), other = file(1, 2, 200, false);

	CHECK(code_id_same(&probed, &other)); /* chmod, a hard link */
	CHECK(!code_id_rewritten(&probed, &other));
	other = file(3, 2, 100, false); /* another file system made of the same image */
	CHECK(!code_id_same(&probed, &other));
	other = file(1, 4, 100, false);
	CHECK(!code_id_same(&probed, &other));
	other = file(1, 2, 200, false);
	other.st.st_mtim.tv_sec = 60;
	CHECK(!code_id_same(&probed, &other));
	CHECK(code_id_rewritten(&probed, &other));
	other.st.st_mtim.tv_sec = 50;
	other.st.st_size++;
	CHECK(!code_id_same(&probed, &other));
	CHECK(code_id_rewritten(&probed, &other));
}

static void test_overlay(void)
{
	struct code_id lower = file(1, 2, 100, false), merged = file(7, 2, 100, true);
	struct code_id copy = file(7, 2, 300, true), other = file(8, 2, 100, true);
	struct code_id numbered = file(9, 2 | 1ULL << 63, 100, true);

	CHECK(code_id_same(&lower, &merged));
	CHECK(code_id_same(&merged, &lower));
	CHECK(code_id_same(&merged, &other));
	CHECK(code_id_same(&lower, &numbered)); /* xino */
	CHECK(!code_id_same(&merged, &copy));
	CHECK(!code_id_same(&lower, &copy));
	copy.st.st_mtim.tv_sec = 300;
	CHECK(!code_id_same(&merged, &copy));
	CHECK(!code_id_rewritten(&merged, &copy)); /* the layer's file still runs elsewhere */
}

static void test_not_on_overlay(void)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	int proc_fd = open("/proc/self", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct code_id id;

	CHECK(fd >= 0 && proc_fd >= 0);
	CHECK(!code_id(fd, &id));
	if (!id.is_overlay)
		CHECK(overlay_open_lower(proc_fd, "/proc/self/exe", fd) == -ENOENT);
	close(fd);
	close(proc_fd);
	CHECK(code_id(-1, &id) == -EBADF);
}

int main(void)
{
	RUN(test_plain);
	RUN(test_overlay);
	RUN(test_not_on_overlay);
	return unit_result();
}
