#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Stages of a load: found, read, compiled or unmarshalled, written; and what became of the .pyc."""
import os
import shutil
import subprocess

from lib.figures import check_sums
import lib

STAGES = """
import sys, time
sys.path.insert(0, %r)
import m_staged
"""


def stages_of(home, env, argv=()):
    script = lib.write("stages_main.py", STAGES % home)
    done, doc = lib.trace([*lib.system().argv, *argv, script], env=env)
    lib.check_equal(done.rc, 0, "status")
    doc.check_complete()
    process = doc.having("m_staged")[0]
    check_sums(process)
    load = process.one("m_staged")
    parts = sum(v for k, v in load["stages_ns"].items() if v is not None)
    lib.check(parts <= load["wall_ns"], "stages %s, wall %d", load["stages_ns"], load["wall_ns"])
    return load


@lib.test(exclusive=True)
def test_stages():
    """The same big module: without .pyc, written, unmarshalled, stale, unwritable, with -B."""
    home = lib.workdir() + "/staged"
    lib.write("staged/m_staged.py", "".join("def f%d(a, b=%d): return [a, b, {a: b}]\n" % (n, n)
                                            for n in range(4000)))
    write = {"PYTHONDONTWRITEBYTECODE": None}
    cases = [("first", write, (), "missing", "written"), ("second", write, (), None, None),
             ("stale", write, (), "stale", "written"), ("no write", {}, (), "missing", "unwritten"),
             ("-B", write, ("-B",), "missing", "unwritten")]
    took = {}
    for name, env, argv, cause, fate in cases:
        if name == "stale":
            os.utime(home + "/m_staged.py", (1, 1))
        if cause == "missing":
            shutil.rmtree(home + "/__pycache__", ignore_errors=True)
        load = stages_of(home, env, argv)
        lib.check_equal((load["compile_cause"], load["pyc"]), (cause, fate), name)
        took[name] = load["stages_ns"]
        compiled = load["stages_ns"]["compile"] is not None
        lib.check_equal(compiled, cause is not None, "%s: compile stage" % name)
        lib.check_equal(load["stages_ns"]["unmarshal"] is not None, cause is None,
                        "%s: unmarshal stage" % name)
        main = ("compile" if compiled else "unmarshal")
        lib.check(load["stages_ns"][main] > load["stages_ns"]["find"], "%s: %s", name,
                  load["stages_ns"])
    lib.check(took["first"]["compile"] > 3 * took["second"]["unmarshal"], "%s", took)


@lib.test(params={"file": True, "directory": False}, exclusive=True)
def test_unwritable_cache(has_dir):
    """Root may write anywhere but to a file system that is read only: neither the .pyc nor, where
    there is no __pycache__ yet, that."""
    home = lib.workdir() + "/readonly"
    lib.write("readonly/m_staged.py", "x = 1\n")
    if has_dir:
        os.mkdir(home + "/__pycache__")
    lib.private_mounts()
    subprocess.run(["mount", "--bind", home, home], check=True)
    subprocess.run(["mount", "-o", "remount,bind,ro", home], check=True)
    load = stages_of(home, {"PYTHONDONTWRITEBYTECODE": None})
    lib.check_equal((load["compile_cause"], load["pyc"]), ("missing", "unwritable"), "cause")
    load = stages_of(home, {})
    lib.check_equal(load["pyc"], "unwritten", "nobody tried")


if __name__ == "__main__":
    lib.main()
