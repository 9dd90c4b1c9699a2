// SPDX-License-Identifier: BSD-2-Clause
/* See privilege.h. Capabilities belong to threads: whoever starts one drops first or there. */
#include "interpreters/process/privilege.h"

#include <cap-ng.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#ifndef CAP_PERFMON /* libcap-ng and kernel headers of 2020 */
#define CAP_PERFMON 38
#define CAP_BPF 39
#endif
#ifndef CAP_CHECKPOINT_RESTORE
#define CAP_CHECKPOINT_RESTORE 40
#endif

static int keep(const unsigned int *caps, size_t cnt)
{
	bool had[64] = {};

	/* Nothing that we exec, should we ever, gets more than we have. */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -errno;
	if (capng_get_caps_process())
		return -EIO;
	for (size_t i = 0; i < cnt; i++)
		had[i] = capng_have_capability(CAPNG_PERMITTED, caps[i]);
	capng_clear(CAPNG_SELECT_ALL);
	for (size_t i = 0; i < cnt; i++) {
		if (had[i] && capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, caps[i]))
			return -EIO;
	}
	/* The bounding set takes CAP_SETPCAP; with no new privileges it does not matter. */
	return capng_apply(CAPNG_SELECT_CAPS) ? -EPERM : 0;
}

int privilege_keep_tracing(bool is_multi, bool has_files)
{
	static const unsigned int always[] = { CAP_BPF, CAP_PERFMON, CAP_SYS_PTRACE,
					       CAP_DAC_READ_SEARCH, CAP_CHECKPOINT_RESTORE,
					       CAP_KILL };
	static const unsigned int files[] = { CAP_DAC_OVERRIDE, CAP_CHOWN, CAP_FOWNER };
	unsigned int caps[sizeof(always) / sizeof(always[0]) + 4];
	size_t cnt = sizeof(always) / sizeof(always[0]);

	memcpy(caps, always, sizeof(always));
	if (has_files) {
		memcpy(caps + cnt, files, sizeof(files));
		cnt += sizeof(files) / sizeof(files[0]);
	}
	if (!is_multi)
		caps[cnt++] = CAP_SYS_ADMIN;
	return keep(caps, cnt);
}

int privilege_keep_holding(void)
{
	static const unsigned int caps[] = { CAP_BPF, CAP_SYS_PTRACE };

	return keep(caps, sizeof(caps) / sizeof(caps[0]));
}

int privilege_drop_inherited(void)
{
	if (!geteuid())
		return 0;
	/* Before Linux 4.3 there are none. */
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	capng_clear(CAPNG_SELECT_CAPS);
	return capng_apply(CAPNG_SELECT_CAPS) ? -EPERM : 0;
}
