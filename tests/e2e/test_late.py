#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Services that run already: what is there, and imports that are told of while tracing goes on."""
import re

import lib

SLEEP = "import time\ntime.sleep(0.15)\n"
SLOW = re.compile(r"^pyimport-bpf: slow import: \S+ m?s (\S+)( \(failed\))?( at (\S+):(\d+))?"
                  r"(, inside (\S+))? \(pid (\d+) (\S+?)(, thread (\d+))?\)$")


def slow_lines(messages):
    lines = [line for line in messages.splitlines() if "slow import" in line]
    found = [SLOW.match(line) for line in lines]
    lib.check(all(found), "not understood: %r", [a for a, b in zip(lines, found) if not b])
    return found


def slow_modules():
    lib.write("slow/sl_outer.py", "import sl_inner\n")
    lib.write("slow/sl_inner.py", SLEEP)
    lib.write("slow/sl_thread.py", SLEEP)
    lib.write("slow/sl_failed.py", SLEEP + "raise LookupError\n")
    lib.write("slow/sl_quick.py", "")


SLOW_MAIN = """import threading
import sl_quick
import sl_outer
thread = threading.Thread(target=lambda: __import__('sl_thread'))
thread.start()
thread.join()
try:
    import sl_failed
except LookupError:
    print('done', flush=True)
"""


@lib.test(params=lib.core_interpreters)
def test_slow(interp):
    """A line for each import that took long, and for no other: the report has the same ones."""
    interp.prepare()
    slow_modules()
    script = lib.write("slow/main.py", SLOW_MAIN)
    _, doc = lib.trace(interp.argv + [script], opts=("--slow", "100ms"))
    process = doc.python()
    told = {m[1]: m for m in slow_lines(doc.messages)}
    expected = {i["module"] for i in process.imports
                if i["via"] != "main" and i["wall_ns"] is not None and i["wall_ns"] >= 100e6}
    lib.check_equal(set(told), expected, "imports told of")
    lib.check({"sl_outer", "sl_inner", "sl_thread", "sl_failed"} <= expected, "%s", expected)
    lib.check_equal((told["sl_outer"][4], told["sl_outer"][5]), (script, "3"), "importer")
    lib.check_equal(told["sl_outer"][7], None, "what the program's own import is inside of")
    lib.check_equal(told["sl_inner"][7], "sl_outer", "what sl_inner is inside of")
    lib.check_equal({name for name, m in told.items() if m[2]}, {"sl_failed"}, "failed")
    lib.check_equal(int(told["sl_thread"][11]), process.one("sl_thread")["tid"], "thread")
    lib.check_equal(told["sl_outer"][11], None, "thread of the main thread's import")
    lib.check_equal({int(m[8]) for m in told.values()}, {process.pid}, "process")


@lib.test()
def test_slow_is_told_at_once():
    """The line comes while the service runs on, not with the report."""
    slow_modules()
    script = lib.write("slow/main.py", "import sys\nprint('up', flush=True)\nsys.stdin.readline()\n" +
                       SLOW_MAIN + "sys.stdin.readline()\n")
    with lib.Target([lib.system().exe, script]) as target:
        target.expect("up")
        with lib.Tracer("-p", target.pid, "--slow", "100ms") as tracer:
            target.say()
            target.expect("done")
            tracer.wait_for("slow import: ")
            lib.wait_until(lambda: b"sl_failed" in tracer.err, "the last line")
            lib.check(target.proc.poll() is None, "the target has ended")
            target.say()
            target.finish()
            tracer.finish()


@lib.test()
def test_slow_names_are_harmless():
    """A module's name that could act on the terminal is escaped."""
    name = "sl\x1b[31m\nx"
    script = lib.write("harmless.py", """
import importlib.machinery, sys, time
class Finder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name.startswith("sl"):
            return importlib.machinery.ModuleSpec(name, Finder)
    @staticmethod
    def create_module(spec):
        return None
    @staticmethod
    def exec_module(module):
        time.sleep(0.15)
sys.meta_path.insert(0, Finder)
__import__(%r)
""" % name)
    _, doc = lib.trace([lib.system().exe, script], opts=("--slow", "100ms"))
    lib.check("\x1b" not in doc.messages, "an escape sequence: %r", doc.messages)
    told = [m[1] for m in slow_lines(doc.messages)]
    lib.check_equal(told, ["sl\\x1b[31m\\x0ax"], "names told")


if __name__ == "__main__":
    lib.main()
