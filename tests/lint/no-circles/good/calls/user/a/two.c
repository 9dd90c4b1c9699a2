static void one(void)
{
}

void two(void)
{
	one();
}
