#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Processes that run already: what they had loaded, and what is new."""
import json
import re

from lib.proc import descendants
import lib

PRESENT = """
import sys
sys.path.insert(0, %(home)r)
import json, types, decimal, xml.dom.minidom
sys.modules["pr_none"] = None
sys.modules["pr_odd"] = 42
sys.modules["pr_\u65e5\u672c"] = types.ModuleType("pr_\u65e5\u672c")
sys.modules["pr_\xe9"] = types.ModuleType("pr_\xe9")
sys.modules["pr_\U00010400"] = types.ModuleType("pr_\U00010400")
sys.modules["pr_" + "x" * 2000] = types.ModuleType("pr_x")
for n in range(3000):
    sys.modules["pr_gone_%%d" %% n] = types.ModuleType("pr_gone")
for n in range(2900):
    del sys.modules["pr_gone_%%d" %% n]
there = {}
for name, module in sys.modules.items():
    if module is not None:
        file = getattr(module, "__dict__", {}).get("__file__")
        there[name] = file if isinstance(file, str) else None
print(json.dumps(there), flush=True)
print("up", flush=True)
sys.stdin.readline()
import threading
t = threading.Thread(target=lambda: __import__("pr_thread"))
t.start()
t.join()
import pr_main
print("done", flush=True)
sys.stdin.readline()
"""


def read_until(target, text):
    lines = []
    while True:
        line = target.proc.stdout.readline()
        lib.check(line, "the target ended: %r", target.proc.poll())
        if line.strip() == text.encode():
            return lines
        lines.append(line)


@lib.test(params=lib.all_interpreters)
def test_inventory(interp):
    """sys.modules and the mapped libraries as the process itself sees them; then what is new."""
    interp.prepare()
    home = lib.workdir() + "/present"
    lib.write("present/pr_thread.py", "")
    lib.write("present/pr_main.py", "")
    script = lib.write("present/main.py", PRESENT % {"home": home})
    with lib.Target(interp.argv + [script]) as target:
        there = json.loads(read_until(target, "up")[0])
        with open("/proc/%d/maps" % target.pid, "rb") as file:
            maps = file.read().decode(errors="replace").splitlines()
        with lib.Tracer("-p", target.pid) as tracer:
            target.say()
            target.expect("done")
            target.say()
            run = target.finish()
            tracer.finish()
    lib.check_equal(run.rc, 0, "status of the target")
    process = tracer.trace().pid(target.pid)
    inventory = process["inventory"]
    lib.check_equal(inventory["all_modules"], True, "all modules")
    got = {m["module"]: m["file"] for m in inventory["modules"]}
    lib.check_equal(len(got), len(inventory["modules"]), "each module once")
    lib.check_equal(set(got) ^ set(there), set(), "modules there before and in the inventory")
    lib.check_equal({n: f for n, f in got.items() if f != there[n]}, {}, "files of modules")
    lib.check_equal({lib_["path"]: lib_["bytes"] for lib_ in inventory["libs"]},
                    mapped(maps), "mapped shared objects")
    lib.check_equal(process["attached_late"], True, "attached_late")
    own = {i["module"]: i for i in process.imports}
    lib.check({"pr_thread", "pr_main"} <= set(own), "what is new: %s", sorted(own))
    lib.check(not set(own) & set(got), "in the inventory and loaded: %s", set(own) & set(got))
    lib.check(own["pr_thread"]["tid"] != target.pid == own["pr_main"]["tid"], "threads")


def mapped(maps):
    """Bytes mapped of each file that has an executable mapping."""
    sizes, runs = {}, set()
    for line in maps:
        area, perms, _, _, inode, *path = line.split(maxsplit=5)
        if inode == "0" or not path or not path[0].startswith("/"):
            continue
        start, end = (int(n, 16) for n in area.split("-"))
        sizes[path[0]] = sizes.get(path[0], 0) + end - start
        if "x" in perms:
            runs.add(path[0])
    return {path: sizes[path] for path in runs}


def status(pid):
    with open("/proc/%d/status" % pid, encoding="utf-8") as file:
        return dict(line.split(":", 1) for line in file)


@lib.test()
def test_inventory_leaves_the_target_alone():
    """Never stopped, never traced, nothing written: it is not even slowed down by a signal."""
    script = lib.write("alone.py", "import sys, time\nprint('up', flush=True)\n"
                       "sys.stdin.readline()\nprint('done')\n")
    with lib.Target([lib.system().exe, script]) as target:
        target.expect("up")
        lib.wait_until(lambda: "S" in status(target.pid)["State"], "the target to wait")
        before = status(target.pid)
        with lib.Tracer("-p", target.pid) as tracer:
            after = status(target.pid)
            for key in ("TracerPid", "SigPnd", "ShdPnd", "SigCgt", "Threads",
                        "voluntary_ctxt_switches"):
                lib.check_equal(after[key], before[key], key)
            target.say()
            lib.check_equal(target.finish().rc, 0, "status")
            tracer.finish()


@lib.test()
def test_inventory_of_a_busy_process():
    """sys.modules changes all the time while it is read: no invented names."""
    script = lib.write("busy.py", """
import sys, types
print("up", flush=True)
n = 0
while True:
    for i in range(n, n + 200):
        sys.modules["bz_%d" % i] = types.ModuleType("bz")
    for i in range(n, n + 200):
        del sys.modules["bz_%d" % i]
    n = (n + 200) % 100000
""")
    with lib.Target([lib.system().exe, script]) as target:
        target.expect("up")
        for _ in range(5):
            with lib.Tracer("-p", target.pid, "-d", "50ms") as tracer:
                tracer.finish()
            inventory = tracer.trace().pid(target.pid)["inventory"]
            names = [m["module"] for m in inventory["modules"]]
            lib.check({"sys", "types", "encodings"} <= set(names), "not there: %s", names[:99])
            odd = [n for n in names if not re.fullmatch(r"[A-Za-z_][\w.]*", n)]
            lib.check(not odd, "names that never were: %r", odd)


@lib.test()
def test_inventory_as_text():
    """For a person: counts in the headline, packages and libraries in the view."""
    script = lib.write("text.py", "import sys, json\nprint('up', flush=True)\n"
                       "sys.stdin.readline()\nimport colorsys\n")
    with lib.Target([lib.system().exe, script]) as target:
        target.expect("up")
        with lib.Tracer("-p", target.pid, "--view", "inventory", fmt="text") as tracer:
            target.say()
            target.finish()
            tracer.finish()
    with open(tracer.report, encoding="utf-8") as file:
        text = file.read()
    lib.check(re.search(r"with \d+ modules and \d+ shared objects \([\d.]+ MB mapped\) loaded "
                        r"before: no times", " ".join(text.split())), "headline: %s", text)
    lib.check(re.search(r"^ +\d+  json +/usr/lib/python3.*/json/__init__.py$", text, re.M), text)
    lib.check(re.search(r"MB  /usr/bin/python3", text), text)


@lib.test()
def test_children_that_run_already():
    """-p on a master: its workers are followed too, below it, and so are later ones."""
    body = lib.write("family.py", """
import os, sys, time
sys.path.insert(0, %r)
import fm_before
def work(r):
    os.read(r, 1)
    import fm_work
    os._exit(0)
ends = []
print("up", flush=True)
for i in range(3):
    r, w = os.pipe()
    ends.append(w)
    if os.fork() == 0:
        if i == 2 and os.fork() == 0:
            work(r)
        work(r)
print("forked", flush=True)
sys.stdin.readline()
import fm_master
if os.fork() == 0:
    import fm_work
    os._exit(0)
for w in ends:
    os.write(w, b"xx")
while True:
    try:
        os.wait()
    except ChildProcessError:
        break
print("done", flush=True)
sys.stdin.readline()
""" % (lib.workdir() + "/fm"))
    for name in ("fm_before", "fm_work", "fm_master"):
        lib.write("fm/%s.py" % name, "")
    with lib.Target([lib.system().exe, body]) as target:
        target.expect("forked")
        lib.wait_until(lambda: len(descendants(target.pid)) == 4, "the grandchild")
        with lib.Tracer("-p", target.pid) as tracer:
            target.say()
            target.expect("done")
            target.say()
            target.finish()
            tracer.finish()
    doc = tracer.trace()
    workers = doc.having("fm_work")
    lib.check_equal(len(workers), 5, "processes that loaded fm_work")
    master = doc.pid(target.pid)
    lib.check("fm_before" in [m["module"] for m in master["inventory"]["modules"]], "fm_before")
    children = [p for p in doc.processes if p["ppid"] == target.pid]
    lib.check_equal(len(children), 4, "children of the master")
    for child in children:
        lib.check_equal(child["parent_serial"], master["serial"], "parent")
    late = [p for p in workers if p["attached_late"]]
    lib.check_equal(len(late), 4, "workers that ran before")
    for worker in late:
        lib.check("fm_before" in [m["module"] for m in worker["inventory"]["modules"]],
                  "fm_before in a worker")
    new, = [p for p in workers if not p["attached_late"]]
    there = {m["module"] for m in master["inventory"]["modules"]} | {"fm_master"}
    lib.check_equal(new["inherited_modules"], len(there), "modules the new worker inherited")
    grandchild, = [p for p in late if p["ppid"] != target.pid]
    middle = doc.pid(grandchild["ppid"])
    lib.check_equal(grandchild["parent_serial"], middle["serial"], "parent of the grandchild")


@lib.test()
def test_inventory_under_all():
    """-a: nobody named it, so it is told of once it shows itself; others are left alone."""
    script = lib.write("all.py", "import sys, wsgiref\nprint('up', flush=True)\n"
                       "sys.stdin.readline()\nimport colorsys\nprint('done', flush=True)\n"
                       "sys.stdin.readline()\n")
    with lib.Target([lib.system().exe, script]) as target:
        target.expect("up")
        with lib.Tracer("-a", "--slow", "1ns") as tracer:
            target.say()
            target.expect("done")
            tracer.wait_for(" colorsys at ") # it has read that record, and looks before it ends
            tracer.stop()
            target.say()
            target.finish()
    process = tracer.trace().pid(target.pid)
    names = {m["module"] for m in process["inventory"]["modules"]}
    lib.check({"wsgiref", "encodings", "sys"} <= names, "not there: %s", names)
    lib.check("colorsys" in process.names() and "colorsys" not in names, "what is new: %s", names)


@lib.test()
def test_inventory_in_a_capture():
    """A capture has it too: the report made later is the same."""
    script = lib.write("capture.py", "import sys, wsgiref\nprint('up', flush=True)\n"
                       "sys.stdin.readline()\nimport colorsys\n")
    capture = lib.workdir() + "/late.cap"
    with lib.Target([lib.system().exe, script]) as target:
        target.expect("up")
        with lib.Tracer("-p", target.pid, "-o", capture) as tracer:
            target.say()
            target.finish()
            tracer.finish()
    live = tracer.trace().doc
    again = json.loads(lib.run([lib.TOOL, "report", capture, "--format", "json"]).out)
    lib.check(live["processes"][0]["inventory"]["modules"], "no inventory")
    lib.check_equal(again["processes"][0]["inventory"], live["processes"][0]["inventory"],
                    "inventory")
    lib.check_equal(again["groups"], live["groups"], "groups")


if __name__ == "__main__":
    lib.main()
