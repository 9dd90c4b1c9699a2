SEC("uretprobe")
