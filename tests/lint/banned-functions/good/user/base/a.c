/* not sprintf( */
int f(void) { return snprintf(buf, sizeof(buf), "system(x)"); }
