# SPDX-License-Identifier: BSD-2-Clause
"""Cases: how a test file registers and runs them, checks, and the scratch space of one case."""
import collections
import fcntl
import functools
import json
import os
import re
import shutil
import sys
import tempfile
import time

from lib import settings


class Skip(Exception):
    """Raised with the reason: something this test needs is not on this machine."""


Case = collections.namedtuple("Case", "name func args timeout_s exclusive")
_cases = []
CLOCKS_TRIES = 20


def stolen_ticks():
    """What the host of a virtual machine took for others, of all CPUs, ever."""
    with open("/proc/stat", encoding="ascii") as file:
        return int(file.readline().split()[8])


def two_clocks(func):
    """Decorator of a test that compares a thread's CPU time with time that passed. The kernel leaves
    out of the former what the host took from this virtual machine, though the thread did not wait:
    while it took any, a difference says nothing, and the test begins again."""
    @functools.wraps(func)
    def again(*args):
        for _ in range(CLOCKS_TRIES):
            before = stolen_ticks()
            try:
                return func(*args)
            except AssertionError as error:
                if stolen_ticks() == before:
                    raise
                last = error
        raise Skip("in each of %d runs the host took processor time of this machine; the last: %s" %
                   (CLOCKS_TRIES, last))
    return again


def test(params=None, timeout_s=120, exclusive=False):
    """Decorator: registers a test, once or once per parameter (a dict name -> argument, or a
    function that returns one). An exclusive test runs while no other does."""
    def wrap(func):
        name = func.__name__.removeprefix("test_")
        if params is None:
            _cases.append(Case(name, func, (), timeout_s, exclusive))
        else:
            table = params() if callable(params) else params
            for key, arg in table.items():
                _cases.append(Case("%s[%s]" % (name, key), func, (arg,), timeout_s, exclusive))
        return func
    return wrap


def main():
    """Entry of a test file: --list, or the name of one case to run."""
    if sys.argv[1:] == ["--list"]:
        for case in _cases:
            print(json.dumps([case.name, case.timeout_s, case.exclusive]))
        return
    # One case by name; a person may give several, or none for all.
    chosen = [c for c in _cases if not sys.argv[1:] or c.name in sys.argv[1:]]
    if not chosen:
        sys.exit("no such case; --list shows them")
    for case in chosen:
        try:
            case.func(*case.args)
        except Skip as skip:
            print("SKIP: %s" % skip)
            sys.exit(77)


def check(condition, message, *args):
    """assert that survives -O and formats its message."""
    if not condition:
        raise AssertionError(message % args if args else message)


def check_equal(got, expected, what):
    if got != expected:
        raise AssertionError("%s:\n  got      %r\n  expected %r" % (what, got, expected))


# --- scratch space -------------------------------------------------------------------------------

def workdir():
    """The private directory of this test, made by tests/run; by hand, a fresh one."""
    path = os.environ.get("PYIMPORT_TEST_DIR")
    if not path:
        os.makedirs(settings.WORK_BASE, exist_ok=True)
        os.chmod(settings.WORK_BASE, 0o1777)
        path = tempfile.mkdtemp(prefix="manual.", dir=settings.WORK_BASE)
        os.chmod(path, 0o755)
        os.environ["PYIMPORT_TEST_DIR"] = path
    return path


def stage(name, under=None):
    """Copies targets/NAME.py and the content of targets/NAME.d to the work directory.
    Returns the path of the script."""
    to = os.path.join(under or workdir(), name)
    os.makedirs(to, exist_ok=True)
    script = os.path.join(to, name + ".py")
    shutil.copy(os.path.join(settings.TARGETS, name + ".py"), script)
    extra = os.path.join(settings.TARGETS, name + ".d")
    if os.path.isdir(extra):
        shutil.copytree(extra, to, dirs_exist_ok=True,
                        ignore=shutil.ignore_patterns("__pycache__"))
    return script


def write(name, text):
    path = os.path.join(workdir(), name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def marked_line(path, tag):
    """Number of the line that carries `#@tag`."""
    with open(path, encoding="utf-8") as file:
        lines = [n for n, text in enumerate(file, 1) if re.search(r"#\s?@%s\b" % re.escape(tag), text)]
    check(len(lines) == 1, "%s has %d lines marked @%s", path, len(lines), tag)
    return lines[0]


def wait_until(predicate, what):
    """Polls for something that has no event to wait for."""
    deadline = time.monotonic() + settings.PATIENCE_S
    while not predicate():
        check(time.monotonic() < deadline, "waited in vain for %s", what)
        time.sleep(0.01)


def set_nonblocking(fd):
    fcntl.fcntl(fd, fcntl.F_SETFL, fcntl.fcntl(fd, fcntl.F_GETFL) | os.O_NONBLOCK)
