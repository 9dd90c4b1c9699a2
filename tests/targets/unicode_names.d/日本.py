# SPDX-License-Identifier: BSD-2-Clause
VALUE = 5
