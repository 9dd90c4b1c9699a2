// SPDX-License-Identifier: BSD-2-Clause
/* { "x"} in a comment or "{1}" in a string is text. */
static const int sizes[] = { 1, 2 };
static const char text[] = "{1}";
static struct point at = {};
