/* SPDX-License-Identifier: BSD-2-Clause */
/* Kernel facts that user/probe itself decides by; the public ones are in probes.h. */
#ifndef PROBE_FEATURES_H
#define PROBE_FEATURES_H

#include <stdbool.h>
#include "probe/kernel_types.h"
#include "probe/probes.h"

bool feature_uprobe_multi(void);
/* Descriptor of a uprobe program that does nothing, for uprobe_multi or perf events; -errno. */
int feature_empty_program(bool is_multi);
bool feature_mem_alloc(void);
/* The type of a tracepoint, for tp_btf programs; 0 = this kernel does not have it. */
__u32 feature_tp_btf(const char *tracepoint);
const struct kernel_types *feature_types(void); /* NULL: it has none */
void features_forget(void); /* frees what the answers were found in */
int feature_cgroup_index(const char *controller); /* in css_set.subsys; -ENOENT */

#endif
