#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Python inside other programs: linked in, hidden, opened late; real programs that embed it."""
import functools
import glob
import os
import subprocess

import lib


@functools.cache
def built(name, *flags):
    """A program of targets/ linked with this machine's Python, or a reason to skip."""
    out = lib.workdir() + "/" + name + "".join(flags).replace("/", "")[-40:]
    include = subprocess.run([lib.SYSTEM, "-c", "import sysconfig;"
                              "print(sysconfig.get_path('include'))"], capture_output=True,
                             text=True, check=True).stdout.strip()
    if not os.path.exists(include + "/Python.h"):
        raise lib.Skip("no Python.h: python3-dev is not installed")
    done = subprocess.run(["cc", "-O1", "-no-pie", "-I" + include, "-o", out,
                           "%s/%s.c" % (lib.TARGETS, name), *flags], capture_output=True, text=True)
    lib.check(done.returncode == 0, "cannot build %s: %s", name, done.stderr)
    return out


def static_python(*flags):
    """One file with the interpreter inside."""
    archives = glob.glob("/usr/lib/*/libpython3.*[0-9].a")
    if not archives:
        raise lib.Skip("no static libpython: libpython3-dev is not installed")
    return built("embed", *flags, archives[0], "-lm", "-lz", "-lexpat")


HOME = {"PYTHONHOME": "/usr"}
CODE = "import json, sys; sys.stdout.write('fine')"


def check_tree(doc, pid=None):
    process = doc.pid(pid) if pid else doc.python()
    process.one("encodings")
    lib.check_equal(process.parent(process.one("json"))["module"], "__main__", "parent of json")
    return process


@lib.test(params={"exported": ("-rdynamic", "-s"), "unstripped": ()})
def test_single_file(flags):
    """The interpreter linked into a program of another name, seen through its symbols."""
    program = static_python(*flags)
    run, doc = lib.trace([program, "-c", CODE], env=HOME)
    lib.check_equal((run.rc, run.out), (0, b"fine"), "the program's own result")
    doc.check_complete()
    check_tree(doc)


def check_hidden(run, doc, program):
    lib.check_equal(doc["complete"], False, "complete")
    lib.check_equal(doc["loss"]["unprobed"], 1, "interpreters not probed")
    only, = doc["unprobed"]
    lib.check_equal(only["binary"], program, "which")
    lib.check("symbols" in only["notes"][0], "why: %s", only["notes"])
    lib.check_equal(run.out, b"fine", "output")


@lib.test(params={"held": (), "no-hold": ("--no-hold",), "strict": ("--strict",)})
def test_hidden_symbols(opts):
    """CPython without a symbol to hold on to: one clear line, and never `complete`."""
    program = static_python("-s")
    run, doc = lib.trace([program, "-c", CODE], env=HOME, opts=opts)
    check_hidden(run, doc, program)
    lib.check_equal(run.rc, 4 if "--strict" in opts else 0, "status")


@lib.test()
def test_hidden_started_by_a_script():
    """The same behind a wrapper, where it is met only when it starts."""
    program = static_python("-s")
    run, doc = lib.trace(["/bin/sh", "-c", "%s -c \"$0\"; exit 7" % program, CODE], env=HOME,
                         opts=["--strict"])
    check_hidden(run, doc, program)
    lib.check_equal(run.rc, 4, "status")


@lib.test()
def test_hidden_that_does_not_run():
    """One that lies about and never runs is no loss."""
    static_python("-s")
    run, doc = lib.trace([lib.SYSTEM, "-c", CODE], opts=["--strict"],
                         env={"PATH": lib.workdir() + ":/usr/bin"})
    lib.check_equal((run.rc, run.out), (0, b"fine"), "result")
    doc.check_complete()


@lib.test()
def test_hidden_attach():
    """-p names the reason."""
    program = static_python("-s")
    with lib.Target([program, "-c", "print('up', flush=True); input()"], env=HOME) as target:
        target.expect("up")
        done = subprocess.run([lib.TOOL, "-p", str(target.pid)], capture_output=True,
                              env=lib.clean_env(), timeout=lib.PATIENCE_S)
        lib.check_equal(done.returncode, 3, "status")
        lib.check(b"hides its symbols" in done.stderr, "stderr: %r", done.stderr)


if __name__ == "__main__":
    lib.main()
