# SPDX-License-Identifier: BSD-2-Clause
"""python -m pyimport_bpf: the binary, in place of this process."""
import os
import sys

from pyimport_bpf import binary

path = binary()
os.execv(path, [path, *sys.argv[1:]])
