} events SEC(".maps");
