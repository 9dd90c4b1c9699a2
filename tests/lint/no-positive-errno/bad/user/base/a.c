int f(void)
{
	return EINVAL;
}
