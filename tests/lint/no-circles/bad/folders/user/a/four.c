void four(void)
{
}
