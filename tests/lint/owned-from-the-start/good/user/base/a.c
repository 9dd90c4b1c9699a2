	_cleanup_close_ int fd = -1;
	_cleanup_free_ char *text = NULL;
