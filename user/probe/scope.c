// SPDX-License-Identifier: BSD-2-Clause
/* Cgroups in the kernel: which hierarchy counts, which are followed, and what names them. */
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <errno.h>

#include "base/log.h"
#include "probe/features.h"
#include "probe/private.h"

int scope_setup(struct probes *probes, const struct probes_opts *opts)
{
	struct pyimport_bpf *skel = probes->skel;
	int index = -1;

	if (opts->cgroup_controller) {
		index = feature_cgroup_index(opts->cgroup_controller);
		if (index < 0)
			return log_err(0, "this kernel does not tell where controller %s is", opts->cgroup_controller), -ENOTSUP;
	}
	skel->rodata->cfg_cgroup_v1 = index;
	skel->rodata->cfg_cgroup_root = opts->cgroup_root;
	skel->rodata->cfg_scoped = opts->want_scopes;
	bpf_program__set_autoload(skel->progs.cgroup_made,
				  feature_tp_btf("cgroup_mkdir"));
	bpf_program__set_autoload(skel->progs.cgroup_attach,
				  opts->want_scopes && feature_tp_btf("cgroup_attach_task"));
	return 0;
}

int probes__scope(struct probes *probes, __u64 cgroup, bool is_wanted)
{
	int fd = bpf_map__fd(probes->skel->maps.scopes);
	__u32 one = 1;

	if (is_wanted)
		return bpf_map_update_elem(fd, &cgroup, &one, BPF_ANY) ? -errno : 0;
	bpf_map_delete_elem(fd, &cgroup);
	return 0;
}
