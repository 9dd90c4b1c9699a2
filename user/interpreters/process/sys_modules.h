/* SPDX-License-Identifier: BSD-2-Clause */
/* Between inventory.c, which knows files, and sys_modules.c, which knows CPython's objects. */
#ifndef INTERPRETERS_PROCESS_SYS_MODULES_H
#define INTERPRETERS_PROCESS_SYS_MODULES_H

#include <linux/types.h>
#include "pyimport_layout.h"
#include "interpreters/process/inventory.h"

/* A struct pyi_inventory before it is put together. Texts are as long as name.sz and file.sz. */
struct inventory_item {
	__u32 what, ppid, flags;
	__u64 bytes;
	struct pyi_str name, file;
	const char *name_text, *file_text;
};

void inventory_send(const struct inventory_opts *opts, const struct inventory_item *item);

/* sys.modules of every interpreter in the process. 0 or -errno. */
int inventory_modules(const struct inventory_opts *opts, const struct pyi_layout *layout,
		      __u64 bias);

#endif
