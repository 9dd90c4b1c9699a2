} events SEC(".maps");
SEC("uprobe.multi")
int BPF_UPROBE(import_enter)
