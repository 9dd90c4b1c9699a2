// SPDX-License-Identifier: BSD-2-Clause
static const int sizes[] = {1, 2};
