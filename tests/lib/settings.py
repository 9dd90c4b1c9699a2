# SPDX-License-Identifier: BSD-2-Clause
"""Where things are. A test may change TOOL and PATIENCE_S here."""
import os

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
REPO = os.path.dirname(TESTS)
TOOL = os.environ.get("PYIMPORT_BPF") or os.path.join(REPO, "pyimport-bpf")
TARGETS = os.path.join(TESTS, "targets")
ROOTS = os.environ.get("PYIMPORT_ROOTS", "/var/tmp/pyimport-roots")
# Scratch space has the same path inside every root, so that a script's name is the same everywhere.
WORK_BASE = "/var/tmp/pyimport-tests"
SYSTEM = "/usr/bin/python3"
READY = "pyimport-bpf: tracing"
# No test measures time: this only ends what hangs.
PATIENCE_S = float(os.environ.get("PYIMPORT_TEST_PATIENCE", "100"))
