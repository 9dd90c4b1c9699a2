} a_map_with_a_long_name SEC(".maps");
