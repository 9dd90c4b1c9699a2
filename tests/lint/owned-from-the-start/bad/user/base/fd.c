	_cleanup_close_ int fd;
