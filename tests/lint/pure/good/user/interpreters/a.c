const char *p = "/proc/self/maps";
