# SPDX-License-Identifier: BSD-2-Clause
"""A pytest plugin: what an entry point may import, and how long that may take.

    def test_help(import_budget):
        import_budget(["python", "-m", "mytool", "--help"], forbid=["pandas", "torch"],
                      modules=120, time="+120 ms")

    @pytest.mark.import_budget(["python", "-c", "import mytool"], allow=["mytool"])
    def test_import():
        pass

`time="+120 ms"` is over what the interpreter itself took in the same runs. Where the machine does not
allow tracing, a log of -X importtime stands in: it has no lines of statements, and
counts imports that failed as loaded."""
import re
import statistics
import sys

import pytest

import pyimport_bpf

RUNS = 3 # times are medians of so many; counts and names come from the first
PLACES = 3 # chains shown of one broken limit


def pytest_configure(config):
    config.addinivalue_line(
        "markers", "import_budget(command, *, forbid, allow, modules, time, runs, env, cwd): "
        "fails when the command imports more than it may")


def pytest_report_header(config):
    try:
        return "pyimport-bpf: %s" % pyimport_bpf.binary()
    except FileNotFoundError as error:
        return "pyimport-bpf: %s" % error


@pytest.fixture(scope="session")
def _import_floor():
    """Measured when it is first needed, once per session."""
    known = []

    def floor():
        if not known:
            known.append(pyimport_bpf.floor_ms(RUNS))
        return known[0]
    return floor


@pytest.fixture
def import_budget(_import_floor):
    """import_budget(command, forbid=, allow=, modules=, time=, runs=, env=, cwd=) -> Run"""
    def check(command, **limits):
        __tracebackhide__ = True
        return _check(command, _import_floor, **limits)
    return check


@pytest.fixture(autouse=True)
def _marked_import_budget(request):
    for mark in request.node.iter_markers("import_budget"):
        _check(*mark.args, request.getfixturevalue("_import_floor"), **mark.kwargs)


def parse_time(text):
    """(ms, is relative) of `350 ms`, `1.2 s` or `+120 ms`."""
    match = re.fullmatch(r"\s*(\+?)\s*(\d+(?:\.\d+)?)\s*(ms|s)\s*", text)
    if not match:
        raise pytest.UsageError("a time is written like 350 ms, 1.2 s or +120 ms, not %r" % text)
    return float(match.group(2)) * (1000 if match.group(3) == "s" else 1), bool(match.group(1))


def _check(command, floor, forbid=(), allow=None, modules=None, time=None, runs=RUNS, env=None,
           cwd=None):
    __tracebackhide__ = True
    limit_ms, is_relative = (None, False) if time is None else parse_time(time)
    measured = [pyimport_bpf.measure(command, env=env, cwd=cwd)
                for _ in range(runs if time is not None else 1)]
    first = measured[0]
    if not first.modules:
        pytest.fail("%s imported nothing that could be seen (status %d): %s" % (
            " ".join(command), first.status, pyimport_bpf.last_line(first.stderr)), pytrace=False)
    broken = []
    for pattern in [forbid] if isinstance(forbid, str) else forbid:
        broken += forbidden(first, pattern)
    if allow is not None:
        broken += not_allowed(first, [allow] if isinstance(allow, str) else allow)
    if modules is not None and len(first.modules) > modules:
        broken.append(["%d modules, %d allowed" % (len(first.modules), modules)])
    if limit_ms is not None:
        broken += too_slow(measured, limit_ms, floor_of(measured, floor) if is_relative else None)
    if broken:
        lines = ["%s breaks its import budget" % " ".join(command)]
        for one in broken:
            lines += ["  " + one[0]] + ["      " + line for line in one[1:]]
        lines.append("  measured by %s%s" % (
            "tracing" if first.why_not is None else first.how,
            "" if first.why_not is None else " (not traced: %s)" % first.why_not))
        pytest.fail("\n".join(lines), pytrace=False)
    return first


def forbidden(run, pattern):
    found = run.matching(pattern)
    if not found:
        return []
    return [["%s is forbidden, and %s loaded:" % (
        pattern, "was" if len(found) == 1 else "%d of its modules were" % len(found)),
             *run.chain(found[0])]]


def not_allowed(run, patterns):
    """The standard library, and what `site` loads, are always allowed."""
    standard = set(getattr(sys, "stdlib_module_names", ())) | set(sys.builtin_module_names)
    found = {}
    for name, module in run.modules.items():
        top = name.split(".")[0]
        if top not in standard and not run.is_below(module, "site") and \
                not any(pyimport_bpf.matches(name, one) for one in patterns):
            found.setdefault(top, module)
    return [["%s is not among what is allowed:" % top, *run.chain(module)]
            for top, module in list(found.items())[:PLACES]]


def floor_of(measured, floor):
    """Of the same runs where they tell; else of an empty Python, run before or after."""
    own = [run.floor_ms for run in measured]
    return floor() if None in own else statistics.median(own)


def too_slow(measured, limit_ms, floor):
    took = statistics.median(run.ms for run in measured)
    allowed = limit_ms + (floor or 0)
    if took <= allowed:
        return []
    dearest = sorted((one for one in measured[0].modules.values() if one.ms), key=lambda one: -one.ms)
    text = "%.0f ms, %.0f ms allowed" % (took, allowed)
    if floor is not None:
        text += " (%.0f ms over an empty Python's %.0f ms)" % (limit_ms, floor)
    return [[text + "; the slowest import:", *measured[0].chain(dearest[0])]] if dearest else [[text]]
