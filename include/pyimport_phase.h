/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The contract between kernel and user space about readiness: when a process began to listen, when
 * it first waited for a connection, when it got the first one. Each once per process image.
 */
#ifndef PYIMPORT_PHASE_H
#define PYIMPORT_PHASE_H

#include "pyimport_event.h"

enum pyi_phase_kind {
	PYI_PHASE_LISTEN = 1, /* listen() succeeded */
	PYI_PHASE_READY = 2,  /* about to wait for a listening socket, in accept, poll, select … */
	PYI_PHASE_ACCEPT = 3, /* accept() gave a connection */
	PYI_PHASE_URING = 4,  /* io_uring_setup() succeeded: what goes through it is not seen */
	PYI_PHASE_MAX,
};

/* What a system call means here; user space fills the table by number. */
enum pyi_phase_call {
	PYI_PHASE_CALL_NONE = 0,
	PYI_PHASE_CALL_LISTEN,     /* descriptor 0 */
	PYI_PHASE_CALL_ACCEPT,     /* descriptor 0 */
	PYI_PHASE_CALL_EPOLL_CTL,  /* operation 1, descriptor 2 */
	PYI_PHASE_CALL_EPOLL_WAIT, /* descriptor 0 */
	PYI_PHASE_CALL_POLL,       /* array 0, its length 1 */
	PYI_PHASE_CALL_SELECT,     /* number of descriptors 0, bits of those to read 1 */
	PYI_PHASE_CALL_URING,      /* io_uring_setup */
	PYI_PHASE_CALL_URING_ENTER,
	PYI_PHASE_CALL_MAX,
};

struct pyi_phase {
	struct pyi_hdr hdr;
	__u32 phase;  /* enum pyi_phase_kind */
	__u32 call;   /* enum pyi_phase_call: how */
	__u16 family; /* of the socket: AF_INET …; 0 = unknown */
	__u16 port;   /* 0 = none or unknown */
	__u32 pad;
};

_Static_assert(sizeof(struct pyi_phase) == 32 + 16, "pyi_phase");

#endif
