#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What a start-up is: everything the first thread imports until the program is ready or its run of
imports is over, whoever asked for it; and its parts, which add up to the whole. Programs say by
the clock that the trace uses when their last import was done."""
import os
import re
import shutil
import signal

from lib import adds_up
import lib

MS = 1_000_000
GAP_NS = 1000 * MS
# A module that takes its time, and says when its body was done.
SLOW = "import time\ntime.sleep(%s)\nSTAMP = time.monotonic_ns()\n"
# The moment its last import ended lies between these two.
TELL = "import time, sys\nprint(sys.modules[%r].STAMP, time.monotonic_ns())\n"

LAZY = """
import importlib
def __getattr__(name):
    if name == "thing":
        return importlib.import_module("lz.thing")
    raise AttributeError(name)
"""
REPLACED = """
import builtins
real = builtins.__import__
def mine(name, *args, **kwargs):
    result = real(name, *args, **kwargs)
    if name == "su_first":
        real("su_second")
        real("su_third")
    return result
builtins.__import__ = mine
import su_first
"""
MAIN = """
import sys
def main():
    command("su_second")
    command("su_third")
    return 0
def command(name):
    __import__(name)
try:
    sys.exit(main())
finally:
    """
LOADER = """
import importlib.util, sys
def load(name):
    spec = importlib.util.find_spec(name)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
def setup():
    load("su_third")
setup()
"""
NATIVE = """
import ctypes
def setup():
    ctypes.pythonapi.PyImport_ImportModule.restype = ctypes.py_object
    ctypes.pythonapi.PyImport_ImportModule(b"su_third")
setup()
"""
HOOK = """
import sys
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "su_first":
            import su_third
sys.meta_path.insert(0, Finder())
try:
    import su_absent
except ImportError:
    pass
def work():
    import su_first
work()
"""
ASKED = {
    "pep562": ("from lz import thing\n", "lz.thing"),
    "replaced": (REPLACED, "su_third"),
    "main": (MAIN, "su_third"),
    "loader": (LOADER, "su_third"),
    "native": (NATIVE, "su_third"),
    "hook": (HOOK, "su_first"),
}


def modules():
    for name, seconds in (("su_first", 0), ("su_second", 0.02), ("su_third", 0.03)):
        lib.write(name + ".py", SLOW % seconds)
    lib.write("lz/__init__.py", LAZY)
    lib.write("lz/thing.py", SLOW % 0.04)


def run(text, *opts):
    modules()
    done, trace = lib.trace([lib.SYSTEM, lib.write("su_main.py", text)], opts=opts)
    lib.check_equal(done.rc, 0, "status; stderr: %s\n" % done.err.decode())
    return [int(word) for word in done.out.split()], trace.python()


@lib.test(ASKED)
def test_whoever_asks(asked):
    text, last = asked
    tell = TELL % last
    stamps, process = run(text + (tell.replace("\n", "; ") if text.endswith("    ") else tell))
    startup = process["startup"]
    lib.check_equal(startup["ended_by"], "imports", "what ended it")
    lib.check(stamps[0] <= startup["end_ns"] <= stamps[1], "end %d, truth %s", startup["end_ns"],
              stamps)
    lib.check(startup["imports_ns"] >= process.one(last)["wall_ns"], "imports: %s", startup)


GAP = """
import time, su_first
def late():
    import su_third
time.sleep(%s)
late()
import su_second
import sys
print(sys.modules[%r].STAMP)
"""


@lib.test({"shorter": (0.3, "su_second"), "longer": (1.2, "su_first")})
def test_gap(gap):
    """A second without an import ends it; whether a function asks or the program's own body."""
    (stamp,), process = run(GAP % gap)
    end_ns = process["startup"]["end_ns"]
    last = process.one(gap[1])
    lib.check_equal(end_ns, last["start_ns"] + last["wall_ns"], "end")
    lib.check(end_ns >= stamp, "the module says %d, end %d", stamp, end_ns)
    is_late = gap[1] == "su_first"
    lib.check_equal([process.one(m)["late"] for m in ("su_third", "su_second")], [is_late] * 2,
                    "late")


@lib.test()
def test_long_import():
    """An import may take longer than that: the gap is between imports."""
    lib.write("su_long.py", "import time\ntime.sleep(1.2)\nimport su_second\n")
    _, process = run("def work():\n    import su_long\n    import su_third\nwork()\n")
    last = process.one("su_third")
    lib.check_equal(process["startup"]["end_ns"], last["start_ns"] + last["wall_ns"], "end")


@lib.test()
def test_ready():
    """A service has started when it waits for a connection, however long after its imports."""
    text = """
import socket, su_second, time, select
slept, used = time.monotonic_ns(), time.thread_time_ns()
time.sleep(1.2)
slept = time.monotonic_ns() - slept
while time.thread_time_ns() - used < 10**8: pass
sock = socket.socket()
sock.bind(("127.0.0.1", 0))
sock.listen()
before, used = time.monotonic_ns(), time.thread_time_ns() - used
select.select([sock], [], [], 0.05)
after = time.monotonic_ns()
time.sleep(0.1)
import su_third
print(before, after, slept, used)
"""
    stamps, process = run(text)
    startup = process["startup"]
    lib.check_equal(startup["ended_by"], "ready", "what ended it")
    lib.check(stamps[0] <= startup["end_ns"] <= stamps[1], "end %d, truth %s", startup["end_ns"],
              stamps)
    waits = startup["own_wait_ns"]
    lib.check(1200 * MS <= waits["sleep"] <= stamps[2], "slept %d: %s", stamps[2], waits)
    cpu_ns = startup["own_ns"] - startup["program_ns"] - sum(waits.values())
    # What it did before its first look at its own clock is own work, too.
    lib.check(0.9 * stamps[3] <= cpu_ns <= stamps[3] + 100 * MS, "used %d, not %d", stamps[3], cpu_ns)
    lib.check_equal(process.one("su_third")["late"], True, "late")


@lib.test()
def test_other_threads():
    """What other threads import is no part of it, nor what is imported at exit."""
    text = """
import threading, time, atexit, su_first
def late():
    import su_third
def other():
    time.sleep(0.2)
    import su_second
atexit.register(late)
thread = threading.Thread(target=other)
thread.start()
thread.join()
"""
    _, process = run(text)
    last = process.one("su_first")
    lib.check(process.one("su_third") and process.one("su_second"), "both were imported")
    lib.check_equal(process["startup"]["end_ns"], last["start_ns"] + last["wall_ns"], "end")


@lib.test()
def test_text_adds_up():
    """The headline's figures, as they are printed, add up to as many digits as they have."""
    modules()
    lib.write("su_main.py", "import time, su_second\ntime.sleep(0.1)\nimport su_third\n")
    done = lib.run([lib.TOOL, "--report", "su.txt", "--", lib.SYSTEM, "su_main.py"],
                   cwd=lib.workdir())
    lib.check_equal(done.rc, 0, done.err)
    with open(os.path.join(lib.workdir(), "su.txt"), encoding="utf-8") as file:
        text = file.read()
    lib.check_equal(adds_up.check_headlines(text), 1, "headlines")


REPLACES_ITSELF = """
import os, sys, time
import su_second
if "again" not in sys.argv:
    os.execv(sys.executable, [sys.executable, *sys.argv, "again"])
import su_third
"""


@lib.test()
def test_images():
    """A program that replaces itself is one start-up, with what came before as a part."""
    modules()
    script = lib.write("su_main.py", REPLACES_ITSELF)
    done, trace = lib.trace([lib.SYSTEM, script])
    lib.check_equal(done.rc, 0, "status")
    first, second = [p for p in trace.processes if p["is_python"]]
    lib.check_equal(first["startup"]["continued_by"], second["serial"], "what replaced it")
    lib.check_equal(second["startup"]["continued_by"], None, "what replaced the last one")
    startup = second["startup"]
    lib.check_equal(startup["begin_ns"], first["exec_ns"], "begin")
    lib.check_equal(startup["earlier_images_ns"], second["exec_ns"] - first["exec_ns"], "images")
    last = second.one("su_third")
    lib.check_equal(startup["wall_ns"], last["start_ns"] + last["wall_ns"] - first["exec_ns"],
                    "whole")


@lib.test()
def test_images_are_judged_as_one():
    """A budget for the time holds for all images, and the text has one headline."""
    modules()
    script = lib.write("su_main.py", REPLACES_ITSELF)
    capture = os.path.join(lib.workdir(), "su.cap")
    _, trace = lib.trace([lib.SYSTEM, script], opts=("-o", capture))
    whole = [p["startup"]["wall_ns"] for p in trace.processes if p["is_python"]][-1]
    own = whole - [p["startup"]["earlier_images_ns"] for p in trace.processes][-1]
    for limit, status in ((whole // MS + 1, 0), ((own + whole) // 2 // MS, 1)):
        budget = lib.write("su.yaml", "version: 1\nentries:\n- name: it\n  limits:\n    time: %d ms\n" % limit)
        done = lib.run([lib.TOOL, "check", "--budget", budget, capture])
        lib.check_equal(done.rc, status, "limit of %d ms: %s" % (limit, done.out.decode()))
    text = lib.run([lib.TOOL, "report", capture]).out.decode()
    lib.check_equal(adds_up.check_headlines(text), 1, "headlines")
    lib.check(" = earlier images " in text, "no earlier images:\n%s", text)
    rows = dict(re.findall(r"^  ([a-z-]+(?: images)?) +([0-9.]+ m?s) -> ",
                           lib.run([lib.TOOL, "diff", capture, capture]).out.decode(), re.M))
    lib.check({"start-up", "earlier images", "interpreter", "imports"} <= set(rows), "diff: %s", rows)
    parts = sum(adds_up.printed(rows[name])[0] for name in ("earlier images", "interpreter", "imports"))
    start_ns = adds_up.printed(rows["start-up"])[0]
    lib.check(parts <= start_ns * 1.01 and adds_up.printed(rows["earlier images"])[0] > start_ns / 4,
              "diff: %s", rows)


DAEMON = """
import os, sys, time
first = os.fork()
if first:
    os.waitpid(first, 0)
    sys.exit()
os.setsid()
for fd in range(3):
    os.dup2(os.open(os.devnull, os.O_RDWR), fd)
pid = os.fork()
if pid:
    with open(sys.argv[1], "w") as file:
        file.write(str(pid))
    os._exit(0)
import su_second
time.sleep(60)
"""


@lib.test()
def test_daemon():
    """It forks twice and lives on when the command has ended: the report says so, of it alone."""
    modules()
    path = os.path.join(lib.workdir(), "pid")
    done = lib.run([lib.TOOL, "--", lib.SYSTEM, lib.write("su_daemon.py", DAEMON), path])
    with open(path, encoding="ascii") as file:
        pid = int(file.read())
    with open("/proc/%d/cmdline" % pid, encoding="ascii") as file:
        lib.check("su_daemon.py" in file.read(), "it does not live")
    os.kill(pid, signal.SIGKILL)
    lib.check_equal(done.rc, 0, "status")
    text = done.out.decode()
    left = [b for b in text.split("\n\n") if "It ran on when tracing ended" in " ".join(b.split())]
    lib.check(len(left) == 1 and "(pid %d, child of " % pid in left[0], "of %d:\n%s", pid, text)


SCREEN = """
import su_second, su_long
try:
    import su_absent
except ImportError:
    pass
import http.server, xml.dom.minidom, unittest.mock
"""


@lib.test({"known": False, "held": True})
def test_screen(is_held):
    """The default view fits 24 lines: savings by place, slowest modules, own failures, what next."""
    modules()
    argv = [lib.SYSTEM]
    if is_held: # a copy that nobody has seen, behind a program that nobody looks into
        shutil.copy(os.path.realpath(lib.SYSTEM), "fresh")
        argv = ["/usr/bin/env", "PYTHONHOME=/usr", os.path.abspath("fresh")]
    lib.write("su_long.py", SLOW % 0.5) # longer than any of the others may take
    script = lib.write("su_main.py", SCREEN)
    capture = os.path.join(lib.workdir(), "su.cap")
    _, trace = lib.trace([*argv, script], opts=("-o", capture))
    lib.check(trace["holds"] or not is_held, "no start was held") # a busy machine holds others, too
    text = lib.run([lib.TOOL, "report", capture]).out.decode()
    lib.check(text.count("\n") <= 24, "%d lines:\n%s", text.count("\n"), text)
    full = lib.run([lib.TOOL, "report", "--top", "99", capture]).out.decode()
    lib.check("su_main.py:2 imports su_long" in full, "%s", full)
    for words in ("su_absent (ModuleNotFoundError) at",
                  "su_main.py:4", "Next: --view advice"):
        lib.check(words in text, "no %r in:\n%s", words, text)
    others = trace.python()["counts"]["failed"] - 1
    lib.check("%d imports failed, as usual in packages" % others in text, "of %d:\n%s",
              others, text)


@lib.test()
def test_missing_below():
    """What is missing is named, not only the module that could not be imported for want of it."""
    lib.write("su_helper.py", "import colorsys\ntry:\n    import su_nothing\nexcept ImportError: pass\n"
              "import su_deep\n")
    lib.write("su_deep.py", "import su_absent\n")
    script = lib.write("su_main.py", "import su_helper\n")
    text = re.sub(r"\n +", " ", lib.run([lib.TOOL, "--", lib.SYSTEM, script]).out.decode())
    lib.check(re.search(r"Failed: su_helper \(ModuleNotFoundError[^)]*\) at \S*su_main.py:1, as "
                        r"su_absent failed at \S*su_deep.py:1", text), "%s", text)


@lib.test()
def test_leaves():
    """An import in which the program calls sys.exit() has not failed."""
    lib.write("su_leaves.py", "import sys\nsys.exit(0)\n")
    opts = ("--width", "200", "--", lib.SYSTEM)
    left = lib.run([lib.TOOL, *opts, lib.write("su_main.py", "import su_leaves\n")]).out.decode()
    lib.check("imports su_leaves" in left and "Failed:" not in left, "%s", left)
    plain = lib.run([lib.TOOL, *opts, lib.write("su_plain.py", "import colorsys\n")]).out.decode()
    lib.check_equal(*(re.findall(r"([0-9]+) failed", text) for text in (left, plain)), "failed")


# Setuptools has such a finder: import_module is noticed while the finder imports.
ASKS_FINDER = """
import greenlet, importlib, importlib.abc, importlib.util, sys
class Loader(importlib.abc.Loader):
    def create_module(self, spec):
        return self.module
    def exec_module(self, module):
        pass
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "su_virtual":
            import su_second
            loader = Loader()
            loader.module = importlib.import_module("su_third")
            return importlib.util.spec_from_loader(name, loader)
sys.meta_path.insert(0, Finder())
importlib.import_module("su_virtual")
import su_first
print(0)
"""


@lib.test({"import": "import greenlet, su_second\nprint(0)\n", "finder": ASKS_FINDER})
def test_greenlet_alone(text):
    """To import greenlet is not to switch stacks."""
    lib.needs_module(lib.system(), "greenlet")
    _, process = run(text)
    lib.check_equal(process["switches_stacks"], False, "switches_stacks")


if __name__ == "__main__":
    lib.main()
