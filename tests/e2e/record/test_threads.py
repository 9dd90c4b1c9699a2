#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Threads that import at once: one tree per thread, every module loaded once, waiting is not
loading."""
import collections

import lib

PACKAGES, MODULES, THREADS = 6, 5, 16

SCRIPT = """
import sys, threading
sys.path.insert(0, %(home)r)
barrier = threading.Barrier(%(threads)d)
errors = []
def work(n):
    barrier.wait()
    for k in range(%(packages)d):
        name = "tp%%d" %% ((n + k) %% %(packages)d)
        try:
            __import__(name + ".m0")
            for m in range(%(modules)d):
                __import__("%%s.m%%d" %% (name, m))
        except Exception as error:
            errors.append(repr(error))
threads = [threading.Thread(target=work, args=(n,)) for n in range(%(threads)d)]
for t in threads: t.start()
for t in threads: t.join()
print(sorted(m for m in sys.modules if m.startswith("tp")), errors)
"""


def write_packages(home):
    for package in range(PACKAGES):
        lib.write("%s/tp%d/__init__.py" % (home, package), "import time\ntime.sleep(0.01)\n")
        for module in range(MODULES):
            # Each imports the next of its package, and one of a higher package: no circles.
            lines = ["import time", "time.sleep(0.005)"]
            if module + 1 < MODULES:
                lines.append("from . import m%d" % (module + 1))
            if package + 1 < PACKAGES and module == MODULES - 1:
                lines.append("import tp%d.m0" % (package + 1))
            lib.write("%s/tp%d/m%d.py" % (home, package, module), "\n".join(lines) + "\n")


def overlap(interp, opts):
    interp.prepare()
    write_packages("threads")
    script = lib.write("threads.py", SCRIPT % {
        "home": lib.workdir() + "/threads", "threads": THREADS, "packages": PACKAGES,
        "modules": MODULES})
    _, doc = lib.trace_both(interp.argv + [script], opts=opts)
    doc.check_complete()
    process = doc.python()
    loads = [i for i in process.imports if (i["module"] or "").startswith("tp")]
    counts = collections.Counter(i["module"] for i in loads if i["result"] == "loaded")
    wanted = {"tp%d" % p for p in range(PACKAGES)} | {
        "tp%d.m%d" % (p, m) for p in range(PACKAGES) for m in range(MODULES)}
    lib.check_equal(set(counts), wanted, "modules loaded")
    twice = {m: c for m, c in counts.items() if c != 1}
    lib.check(not twice, "loaded more than once: %s", twice)
    tids = {i["tid"] for i in loads}
    lib.check(len(tids) > 1, "all in one thread")
    for load in loads:
        parent = process.parent(load)
        if parent is not None:
            lib.check_equal(parent["tid"], load["tid"], "thread of the parent of " + load["module"])
        lib.check(load["self_ns"] is None or load["self_ns"] >= 0, "negative self")
        # A body sleeps: a load that took less than its sleep is somebody's waiting, not a load.
        lib.check(load["wall_ns"] >= 5_000_000, "%s took only %d ns: not a load", load["module"],
                  load["wall_ns"])


@lib.test(params=lib.core_interpreters)
def test_overlapping_packages(interp):
    overlap(interp, ())


@lib.test()
def test_overlapping_packages_perf():
    overlap(lib.system(), ("--perf-uprobes",))


WAITING = """
import threading, sys
sys.path.insert(0, %(home)r)
inside, go = threading.Event(), threading.Event()
sys.inside = inside
first = threading.Thread(target=lambda: __import__("slow_mod"))
first.start()
inside.wait()
def second_body():
    import waiter_mod
second = threading.Thread(target=second_body)
second.start()
first.join(); second.join()
print(sys.modules["slow_mod"].VALUE)
"""


@lib.test(params=lib.core_interpreters)
def test_waiting_is_not_loading(interp):
    """A second thread waits for a module that the first one loads: the module has one load, and
    the waiting is in nobody's load of it."""
    interp.prepare()
    lib.write("waiting/slow_mod.py", "import sys, time\nsys.inside.set()\ntime.sleep(0.2)\nVALUE = 1\n")
    lib.write("waiting/waiter_mod.py", "import slow_mod\n")
    script = lib.write("waiting.py", WAITING % {"home": lib.workdir() + "/waiting"})
    _, doc = lib.trace_both(interp.argv + [script])
    process = doc.python()
    slow, waiter = process.one("slow_mod"), process.one("waiter_mod")
    lib.check(slow["tid"] != waiter["tid"], "the same thread")
    lib.check(slow["wall_ns"] >= 200_000_000, "slow_mod took %d ns", slow["wall_ns"])
    lib.check(slow["parent"] is None or process.parent(slow)["tid"] == slow["tid"],
              "slow_mod hangs below another thread's load")
    lib.check(not process.children(waiter), "waiter_mod has children: %r",
              process.children(waiter))


PRESENT = """
import sys, threading
sys.path.insert(0, %(home)r)
sys.inside, sys.go = threading.Event(), threading.Event()
def one():
    import held_mod
def two():
    %(wait)s
first = threading.Thread(target=one)
first.start()
sys.inside.wait()
second = threading.Thread(target=two)
second.start()
assert "held_mod" in sys.modules
def is_blocked(): # on a lock, without a limit of time: that of the interpreter has one
    frame = sys._current_frames().get(second.ident)
    with open("/proc/self/task/%%d/syscall" %% second.native_id) as file:
        call = file.read().split()
    return frame and frame.f_code.co_name == "acquire" and len(call) > 4 and call[4] == "0x0"
while not is_blocked():
    second.join(0.01)
second.join(0.1)
sys.go.set()
first.join(); second.join()
import waiting_too
"""


@lib.test(params=lib.core_interpreters)
def test_wait_for_a_module_in_sys_modules(interp):
    """A module stands in sys.modules while another thread still runs its body: who imports it
    then waits, too, and for which load is known. What a thread imports of itself is no wait."""
    interp.prepare()
    lib.write("present/held_mod.py", "import sys, waiting_too\nsys.inside.set()\nsys.go.wait()\n")
    lib.write("present/waiting_too.py", "import held_mod\n")
    for wait in ("import held_mod", "import importlib; importlib.import_module('held_mod')"):
        script = lib.write("present.py", PRESENT % {"home": lib.workdir() + "/present", "wait": wait})
        _, doc = lib.trace_both(interp.argv + [script])
        doc.check_complete()
        process = doc.python()
        held = process.one("held_mod")
        process.one("waiting_too")
        lib.check_equal(process["counts"]["lock_waits"], 1, "waits, by " + wait)
        waited = process["waits"][0]
        lib.check_equal((waited["module"], waited["owner"]), ("held_mod", held["id"]), "the wait")
        lib.check(waited["tid"] != held["tid"], "it waits for itself")
        lib.check(waited["wall_ns"] > 50_000_000, "it waited %d ns", waited["wall_ns"])


MANY = """
import sys, threading
sys.path.insert(0, %(home)r)
go, end = threading.Event(), threading.Event()
def first():
    go.wait()
    import mt_first
    end.set()
threading.stack_size(1 << 18)
threads = [threading.Thread(target=first)] + [threading.Thread(target=end.wait) for _ in range(%(cnt)d)]
for thread in threads:
    thread.start()
go.set()
for thread in threads:
    thread.join()
"""


@lib.test()
def test_many_threads():
    """A thread that imports after 1,200 others were started: its state is the last but one."""
    lib.write("many/mt_first.py", "\nimport mt_second\n")
    lib.write("many/mt_second.py", "")
    script = lib.write("many.py", MANY % {"home": lib.workdir() + "/many", "cnt": 1200})
    _, doc = lib.trace_both(["/usr/bin/python3", script])
    doc.check_complete()
    seen = [(i["module"], i["importer"]["module"], i["importer"]["line"])
            for i in doc.python().start_loads() if i["module"].startswith("mt_")]
    lib.check_equal(seen, [("mt_first", "__main__", 7), ("mt_second", "mt_first", 2)], "loads")


if __name__ == "__main__":
    lib.main()
