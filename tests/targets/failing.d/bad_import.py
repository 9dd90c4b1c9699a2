# SPDX-License-Identifier: BSD-2-Clause
raise ImportError("by hand")
