void three(void)
{
	four();
}
