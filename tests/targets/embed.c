/* SPDX-License-Identifier: BSD-2-Clause */
/* Python inside another program, linked with it. */
#include <Python.h>

int main(int argc, char **argv)
{
	return Py_BytesMain(argc, argv);
}
