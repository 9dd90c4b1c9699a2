/* never a uretprobe */
SEC("uprobe.multi")
