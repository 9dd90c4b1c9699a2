void two(void)
{
}
