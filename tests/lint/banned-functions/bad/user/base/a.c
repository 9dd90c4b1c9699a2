int f(void) { return sprintf(buf, "x"); }
