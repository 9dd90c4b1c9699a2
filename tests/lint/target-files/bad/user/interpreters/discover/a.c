// SPDX-License-Identifier: BSD-2-Clause
void look(void)
{
	fd = open(path, O_RDONLY | O_NONBLOCK);
}
