/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a running process has loaded already: the modules in sys.modules, read from its memory
 * while it runs on, and the shared objects it maps. Nothing is stopped and nothing is written.
 */
#ifndef INTERPRETERS_PROCESS_INVENTORY_H
#define INTERPRETERS_PROCESS_INVENTORY_H

#include <linux/types.h>
#include <stddef.h>
#include <sys/types.h>

struct interp;

/* Takes one struct pyi_inventory; valid during the call. */
typedef void (*inventory_fn)(void *ctx, const void *record, size_t size);

/* The interpreter behind the file @fd, or NULL: it is none that is known. */
typedef const struct interp *(*inventory_interp_fn)(void *ctx, int fd);

/*
 * Reads the process @tgid, sends records with @serial and the time @now_ns. The modules come
 * before their PYI_INVENTORY_MODULES, which is missing when they cannot be read: an interpreter
 * whose layout is not known, memory that may not be read. Another thread may change sys.modules
 * meanwhile: the reading is repeated a few times, then sent as it is, marked PYI_F_TRUNC.
 * 0, -ESRCH: it has ended, or another errno of reading /proc.
 */
struct inventory_opts {
	pid_t tgid;
	__u32 serial;
	__u64 now_ns;
	inventory_fn on_record;
	inventory_interp_fn find_interp;
	void *ctx; /* of both */
};
int inventory_read(const struct inventory_opts *opts);

#endif
