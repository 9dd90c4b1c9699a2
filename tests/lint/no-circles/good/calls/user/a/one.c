void one(void)
{
	two();
}
