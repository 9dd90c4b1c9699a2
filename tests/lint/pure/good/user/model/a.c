/* /proc/PID/maps is read elsewhere */
int x;
