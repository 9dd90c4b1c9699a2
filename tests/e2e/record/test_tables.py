#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The kernel's tables: what ended images had in them is used again, and when they are full that is told
and nothing is made up."""
import os

import lib

SLOTS = "code_slots:%d,edge_slots:%d,codes:%d,edges:%d"
PROGRAM = """
import argparse, collections, dataclasses, email.message, json, logging, typing
for k in range(30):
    collections.namedtuple("Point%d" % k, "x y")
    exec("import json", {"__name__": "page_%d" % k})
    eval("1 + 1", {"__name__": "sum_%d" % k})
"""


def loads(process):
    return [(i["module"], i["result"], (i["importer"] or {}).get("file"),
             (i["importer"] or {}).get("line")) for i in process.start_loads()]


@lib.test(params=lib.core_interpreters)
def test_full(interp):
    """Far too small: what is still reported is true, and the report says that it is not all."""
    interp.prepare()
    argv = [*interp.argv, lib.write("main.py", PROGRAM)]
    _, whole = lib.trace(argv)
    whole.check_complete()
    done, doc = lib.trace(argv, opts=["--tables", SLOTS % (16, 16, 4, 4)])
    lib.check_equal(done.rc, 0, "status")
    lib.check_equal(doc["complete"], False, "complete")
    lib.check(doc["loss"]["codes_full"] > 0, "loss: %r", lib.losses(doc.doc))
    process, truth = doc.python(), whole.python()
    phantoms = process.names() - truth.names()
    lib.check(not phantoms, "modules that never were: %s", sorted(map(str, phantoms)))
    lib.check(len(process.imports) <= len(truth.imports), "%d loads, there were %d",
              len(process.imports), len(truth.imports))
    known = {(e["importer"]["file"], e["importer"]["line"], e["module"]) for e in truth.edges}
    made_up = [e for e in process.edges
               if (e["importer"]["file"], e["importer"]["line"], e["module"]) not in known]
    lib.check(not made_up, "edges that never were: %r", made_up[:5])
    for load in process.imports:
        importer = load["importer"] or {}
        if importer.get("file"):
            same = [i["importer"] for i in truth.named(load["module"])]
            lib.check(importer in same, "%s: importer %r, was %r", load["module"], importer, same)


@lib.test()
def test_ended_images(count=12):
    """One after the other, together far more than there is room for: all are known in full."""
    script = lib.write("main.py", PROGRAM)
    loop = "for i in %s; do %s -I %s; done" % (" ".join(map(str, range(count))), lib.SYSTEM, script)
    done, doc = lib.trace(["/bin/sh", "-c", loop], opts=["--tables", SLOTS % (2048, 2048, 512, 512)])
    lib.check_equal(done.rc, 0, "status")
    doc.check_complete()
    found = [p for p in doc.processes if p.named("json")]
    lib.check_equal(len(found), count, "Pythons")
    for process in found:
        lib.check_equal(loads(process), loads(found[0]), "loads and importers")
        lib.check_equal(sorted((e["module"], str(e["importer"]), e["count"], e["cached"])
                               for e in process.edges),
                        sorted((e["module"], str(e["importer"]), e["count"], e["cached"])
                               for e in found[0].edges), "statements")
    total = sum(len(p.edges) for p in found)
    lib.check(total > 2048 + 512, "%d statements: too few to fill the tables", total)


# One program that fills whatever is small: connections, files, processes at once, effects.
CROWD = """
import socket, subprocess, sys, time
import argparse, decimal, email.message, json, logging
servers = [socket.create_server(("127.0.0.1", 0)) for _ in range(8)]
kept = [socket.create_connection(server.getsockname()) for server in servers]
code = "import csv, os; os.read(0, 1)"
live = [subprocess.Popen([sys.executable, "-I", "-S", "-c", code], stdin=subprocess.PIPE) for _ in range(3)]
for process in live:
    process.communicate(b"x")
"""
# What is counted when the table is full; None: it holds what can be found elsewhere.
CROWDED = {
    "files:8,more_files:8": "files_full",
    "path_slots:64,paths:64": "paths_full",
    "file_cnts:1": "paths_full",
    "charges:64": "charges_full",
    "procs:2": "proc_full",
    "conns:2": "net_full",
    "effects:2": "net_full",
    "inodes:16,execs:16,ended:16,phases:16,links:1": None,
}


def facts(doc):
    return {(i["module"], i["result"], i["kind"], i["file"], str(i["importer"]))
            for p in doc.processes for i in p.imports}


def paths(doc):
    return {f["path"] for p in doc.processes for f in p["files"] if f["path"]}


def check_true(doc, whole, what):
    """All that is shown of modules, importers and files is so without the small table, too."""
    for name, of in (("imports", facts), ("files", paths)):
        made_up = {fact for fact in of(doc) - of(whole) if not str(fact).startswith("/proc/")}
        lib.check(not made_up, "%s: %s that never were: %r", what, name, sorted(map(str, made_up))[:5])


@lib.test()
def test_each_full():
    """Whatever table is full: it is counted by its name, and what is shown is true."""
    argv = [lib.SYSTEM, "-I", "-S", lib.write("crowd.py", CROWD)]
    _, whole = lib.trace(argv)
    whole.check_complete()
    for sizes, counter in CROWDED.items():
        done, doc = lib.trace(argv, opts=["--tables", sizes])
        lib.check_equal(done.rc, 0, "status with " + sizes)
        lib.check_equal(sorted(lib.losses(doc.doc)), [counter] if counter else [], "lost with " + sizes)
        lib.check_equal(doc["complete"], not counter, "complete with " + sizes)
        check_true(doc, whole, sizes)
        if counter != "proc_full":
            lib.check_equal(facts(doc), facts(whole), "imports with " + sizes)


@lib.test()
def test_after_many(count=8):
    """Tables of what ended images had never fill: files and stages of the last are told as of the first."""
    one = "%s -I -c 'import json, decimal, _ctypes'" % lib.SYSTEM
    _, doc = lib.trace(["/bin/sh", "-c", "; ".join([one] * count) + "; true"],
                       opts=["--tables", "file_cnts:4,links:12"])
    doc.check_complete()
    told = [({f["path"] for f in p["files"]},
             [(os.path.basename(l["path"]), l["stages_ns"] is None) for l in p["libs"] if l["via"] == "import"])
            for p in doc.processes if p.named("json")]
    lib.check_equal(len(told), count, "Pythons")
    for files, libs in told:
        lib.check(libs == told[0][1] and not any(is_unknown for _, is_unknown in libs), "stages: %s", libs)
        lib.check(None not in files and any(f.endswith("/json/__init__.py") or "/json/__pycache__/" in f
                                            for f in files), "files: %s", sorted(map(str, files))[:9])


if __name__ == "__main__":
    lib.main()
