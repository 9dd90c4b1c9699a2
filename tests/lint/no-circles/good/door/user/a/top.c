void top(void)
{
	below();
}
