SEC("uprobe.multi")
int BPF_UPROBE(import_function_entered)
