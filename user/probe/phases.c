// SPDX-License-Identifier: BSD-2-Clause
/* Which system calls tell of readiness, on this architecture. */
#include <sys/syscall.h>

#include "probe/private.h"
#include "pyimport_file.h"
#include "pyimport_phase.h"

static const struct {
	unsigned int nr, call;
} calls[] = {
	{ SYS_listen, PYI_PHASE_CALL_LISTEN },
	{ SYS_accept, PYI_PHASE_CALL_ACCEPT },
	{ SYS_accept4, PYI_PHASE_CALL_ACCEPT },
	{ SYS_epoll_ctl, PYI_PHASE_CALL_EPOLL_CTL },
	{ SYS_epoll_pwait, PYI_PHASE_CALL_EPOLL_WAIT },
	{ SYS_epoll_pwait2, PYI_PHASE_CALL_EPOLL_WAIT },
	{ SYS_io_uring_setup, PYI_PHASE_CALL_URING },
	{ SYS_io_uring_enter, PYI_PHASE_CALL_URING_ENTER },
	{ SYS_ppoll, PYI_PHASE_CALL_POLL },
	{ SYS_pselect6, PYI_PHASE_CALL_SELECT },
#ifdef SYS_poll /* the newer architectures have none of these */
	{ SYS_epoll_wait, PYI_PHASE_CALL_EPOLL_WAIT },
	{ SYS_poll, PYI_PHASE_CALL_POLL },
	{ SYS_select, PYI_PHASE_CALL_SELECT },
#endif
};

void phases_prepare(struct probes *probes)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (calls[i].nr < PYI_CALLS && probes->groups & PYI_GROUP_PHASES)
			probes->skel->rodata->cfg_calls[calls[i].nr] |= calls[i].call
									<< PYI_CALL_PHASE_SHIFT;
}
