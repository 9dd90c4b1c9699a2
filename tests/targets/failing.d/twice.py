# SPDX-License-Identifier: BSD-2-Clause
import sys

# Fails the first time only: the body runs again on the second try.
sys.twice_runs = getattr(sys, "twice_runs", 0) + 1
if sys.twice_runs == 1:
    raise RuntimeError("first")
