LIBBPF_OPTS(bpf_uprobe_opts, opts, .retprobe = true);
