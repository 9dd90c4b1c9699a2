int f(void) { return system("ls"); }
