struct a {
	u64 x;
};
