# SPDX-License-Identifier: BSD-2-Clause
raise SystemExit(5)
