#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# `make bench`: see tests/bench/bench.py, to which the arguments go.
set -eu

exec python3 "$(dirname "$0")/../tests/bench/bench.py" "$@"
