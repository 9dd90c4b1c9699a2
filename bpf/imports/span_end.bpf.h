/* SPDX-License-Identifier: GPL-2.0-only */
/* The records of ends; and the ends of SEARCH spans, which no site shows: see search.bpf.c. */
#ifndef END_BPF_H
#define END_BPF_H

#include "python/python.bpf.h"

#define END_META(span, failed, flags) ((u64)(flags) << 16 | (failed) << 8 | (span))
/* @type_name: address of the exception type's name, 0 = none. */
int emit_end(struct thread *t, u32 id, u64 meta, u64 type_name, u64 now);

/* Is the frame of a SEARCH span what it was, where a frame of that address is still running? */
int search_is_alive(struct thread *t, const struct pyi_layout *lay, const struct open_span *span);

/*
 * The load on top, of the kind this file is about, has ended some time ago. Whether it succeeded
 * shows in sys.modules.
 */
int search_settle(struct thread *t, const struct pyi_layout *lay, const struct open_span *span);

/* Of the load @id: what module_idle_kind() says of its module. */
int mark_idle(struct thread *t, u32 id, u32 mark, u64 ts_ns);

#endif
