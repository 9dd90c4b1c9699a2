int f(void) { return clock_gettime(CLOCK_MONOTONIC, &ts); }
