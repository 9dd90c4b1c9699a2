void below(void)
{
	leaf();
}
