# SPDX-License-Identifier: BSD-2-Clause
"""What every end-to-end test shares, as `lib.NAME`: cases.py, interpreters.py, runner.py, report.py.
Needs nothing but the standard library of Python 3.11 or later."""
from lib import settings
from lib.cases import (Case, Skip, check, check_equal, main, marked_line, set_nonblocking,
                       stage, test, two_clocks, wait_until, workdir, write)
from lib.interpreters import (Interp, all_interpreters, core_interpreters, has_uring,
                              interpreters, minor_of, needs_command, needs_module, needs_uring,
                              newest, private_mounts, system)
from lib.report import (IMPORT_FIELDS, KINDS, PROCESS_FIELDS, Process, RESULTS, Trace, VIAS,
                        check_invariants, check_process, check_times, losses, own_ns)
from lib.runner import (Run, Target, Tracer, check_same, clean_env, run, split_stderr, tool_env,
                        trace, trace_both)
from lib.settings import READY, REPO, ROOTS, SYSTEM, TARGETS, TESTS, WORK_BASE


def __getattr__(name):
    """TOOL and PATIENCE_S as they are now: a test may change them in settings."""
    if name in ("TOOL", "PATIENCE_S"):
        return getattr(settings, name)
    raise AttributeError(name)
