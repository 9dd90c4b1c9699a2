#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What programs are called, in text and in exports."""
import contextlib
import json
import os
import sqlite3

import lib


@lib.test()
def test_program_names():
    """Labels of every export name the script or the module, not the interpreter."""
    lib.write("su_second.py", "import colorsys\n")
    script = lib.write("su_main.py", "import su_second\n")
    path = os.path.join(lib.workdir(), "names.cap")
    for argv, name in (([script, "--x"], "su_main.py"), (["-X", "utf8", "-m", "su_second"], "-m su_second"),
                       (["-c", "import su_second"], "python3 -c")):
        lib.run([lib.TOOL, "record", "-o", path, "--", lib.SYSTEM, *argv],
                env={"PYTHONPATH": lib.workdir()})
        for fmt, label in (("openmetrics", 'process="%s"'), ("chrome", '"args":{"name":"%s"}'),
                           ("speedscope", '"name":"%s (pid '), ("dot", 'label="%s (pid '),
                           ("importtime", ", %s, Python"), ("otlp", '"stringValue":"%s"'),
                           ("otlp", '"name":"%s"'), ("folded", "%s(")):
            text = lib.run([lib.TOOL, "report", path, "--format", fmt]).out.decode()
            want = label % (name.replace(" ", "\\x20") if fmt in ("folded", "importtime") else name)
            lib.check(want in text, "%s, %s: %s", fmt, want, text[:3000])
        doc = json.loads(lib.run([lib.TOOL, "report", path, "--format", "json"]).out)
        lib.check_equal([p["label"] for p in doc["processes"]], [name], "label")
        tables = os.path.join(lib.workdir(), "names.db")
        lib.run([lib.TOOL, "report", path, "--format", "sqlite", "--report", tables])
        with contextlib.closing(sqlite3.connect(tables)) as tables:
            lib.check_equal(tables.execute("SELECT label FROM process").fetchall(), [(name,)], "table")


TITLED = """
import ctypes, os, sys
libc = ctypes.CDLL(None)
# What setproctitle does: the title over all arguments, and what is left of them empty.
with open("/proc/self/stat") as file:
    begin, end = map(int, file.read().rpartition(")")[2].split()[45:47])
title = b"shop: worker [/srv/shop.py]"
ctypes.memset(begin, 0, end - begin)
ctypes.memmove(begin, title, min(len(title), end - begin - 1))
print("up", flush=True)
sys.stdin.readline()
import json
"""


@lib.test()
def test_title():
    """A title is shown as it is: no quotes, no empty arguments, and nothing cut at a slash."""
    script = lib.write("su_title_with_a_long_name.py", TITLED)
    path = os.path.join(lib.workdir(), "title.cap")
    with lib.Target([lib.SYSTEM, script, "--one", "--two"]) as target:
        target.expect("up")
        with lib.Tracer("record", "-o", path, "-p", target.pid, fmt=None):
            target.say()
            target.finish()
    for opts, want in ((("--view", "summary"), "\nshop: worker [/srv/shop.py] (pid "),
                       (("--format", "speedscope"), '"name":"shop: worker [/srv/shop.py] (pid ')):
        text = "\n" + lib.run([lib.TOOL, "report", path, *opts]).out.decode()
        lib.check(want in text, "%s: %s", want, text[:3000])


if __name__ == "__main__":
    lib.main()
