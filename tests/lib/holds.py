# SPDX-License-Identifier: BSD-2-Clause
"""Pythons that nobody has seen before, and the process that holds them."""
import glob
import os
import shutil
import subprocess

import lib

EXEC_LIMIT_NS = 400000000 # see docs/design.md
CODE = "import json, sys; sys.stdout.write('fine')"


def late_program():
    """A program that opens a libpython when it is told to."""
    out = lib.workdir() + "/late"
    if not os.path.exists(out):
        done = subprocess.run(["cc", "-O1", "-o", out, lib.TARGETS + "/late.c"],
                              capture_output=True, text=True)
        lib.check(done.returncode == 0, "cannot build: %s", done.stderr)
    return out


def fresh_library(n=0):
    """A libpython nobody knows, whose name says nothing."""
    found = glob.glob("/usr/lib/*/libpython3.*.so.1.0")
    if not found:
        raise lib.Skip("no shared libpython: libpython3-dev is not installed")
    path = "%s/libplugin%d.so" % (lib.workdir(), n)
    shutil.copy(found[0], path)
    return path


def fresh_python(n=0):
    path = "%s/interp%d" % (lib.workdir(), n)
    shutil.copy(os.path.realpath(lib.SYSTEM), path)
    return path


def check_seen_or_told(doc):
    """The probes may be in time by chance; if not, the report is not complete. How many were not, or
    may not have been."""
    missed = doc["loss"]["late_starts"] + doc["loss"]["unknown_starts"]
    lib.check(missed or any(p.named("encodings") for p in doc.processes),
              "a missed start was not told: %s", doc["loss"])
    lib.check(not (missed and doc["complete"]), "complete, with a start missing")
    return missed


def holder_of(tracer):
    """The process that answers, a child of the tracer, once it has its name."""
    lib.wait_until(lambda: find_holder(tracer), "the holder")
    return find_holder(tracer)


def find_holder(tracer):
    with open("/proc/%d/task/%d/children" % (tracer, tracer)) as file:
        for pid in map(int, file.read().split()):
            with open("/proc/%d/comm" % pid) as comm:
                if comm.read().strip() == "pyimport-hold":
                    return pid
    return None
