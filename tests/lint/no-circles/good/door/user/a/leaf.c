void leaf(void)
{
}
