struct a {
	__u64 x; /* not a bool */
	__s32 y;
};
