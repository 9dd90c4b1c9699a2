void two(void)
{
	one();
}
