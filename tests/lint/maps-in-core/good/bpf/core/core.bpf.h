extern struct events_map events SEC(".maps");
