struct a {
	bool x;
};
