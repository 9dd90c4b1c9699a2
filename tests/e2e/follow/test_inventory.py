#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Services that run already: what is there, and imports that are told of while tracing goes on."""
import json
import os
import re
import socket
import subprocess

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
    lib.write("slow/sl_outer.py", "import sl_middle\n")
    lib.write("slow/sl_middle.py", "import sl_inner\nimport sl_both\n")
    lib.write("slow/sl_both.py", SLEEP + "import sl_second\n")
    lib.write("slow/sl_second.py", SLEEP)
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


def slow_by_rule(process, slow_ns):
    """Those that took so long beyond what was told of inside them, and the outermost ones."""
    told, inside = set(), {}
    for load in sorted(process.imports, key=lambda i: i["start_ns"] + (i["wall_ns"] or 0)):
        if load["via"] == "main" or (load["wall_ns"] or 0) < slow_ns:
            continue
        parent = process.parent(load)
        done = inside.get(load["id"], 0)
        if parent is None or parent["via"] == "main" or load["wall_ns"] - done >= slow_ns:
            told.add(load["module"])
            done = load["wall_ns"]
        inside[load["parent"]] = inside.get(load["parent"], 0) + done
    return told


@lib.test(params=lib.core_interpreters)
def test_slow(interp):
    """A line for each import that took long, and for no other: as the report's times have it."""
    interp.prepare()
    slow_modules()
    script = lib.write("slow/main.py", SLOW_MAIN)
    _, doc = lib.trace(interp.argv + [script], opts=("--slow", "100ms"))
    process = doc.python()
    told = {m[1]: m for m in slow_lines(doc.messages)}
    lib.check_equal(set(told), slow_by_rule(process, 100e6), "imports told of")
    lib.check({"sl_outer", "sl_inner", "sl_both", "sl_second", "sl_thread", "sl_failed"} <=
              set(told), "%s", set(told))
    lib.check_equal((told["sl_outer"][4], told["sl_outer"][5]), (script, "3"), "importer")
    lib.check_equal(told["sl_outer"][7], None, "what the program's own import is inside of")
    lib.check_equal(told["sl_inner"][7], "sl_middle", "what sl_inner is inside of")
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
    told = [m[1] for m in slow_lines(doc.messages) if m[1].startswith("sl")]
    lib.check_equal(told, ["sl\\x1b[31m\\x0ax"], "names told")


# --- what was there before ------------------------------------------------------------------------

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


def descendants(pid):
    """As /proc tells it now."""
    found = {pid}
    while True:
        before = len(found)
        for name in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open("/proc/%s/stat" % name, encoding="utf-8", errors="replace") as file:
                    if int(file.read().rsplit(")", 1)[1].split()[1]) in found:
                        found.add(int(name))
            except OSError:
                pass
        if len(found) == before:
            return found - {pid}


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


SERVICE = """
import threading
def app(environ, start_response):
    if environ["PATH_INFO"] == "/report":
        import sv_report
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(threading.get_native_id()).encode()]
"""


@lib.test(params={"sync": (), "gthread": ("-k", "gthread", "--threads", "2")})
def test_service(opts):
    """A running gunicorn: which worker and which thread a request's import held up, and from
    where; stopping the tool leaves the service as it was."""
    lib.needs_command("gunicorn", "curl")
    lib.write("sv_app.py", SERVICE)
    lib.write("sv_report.py", SLEEP + "import sv_part\n")
    lib.write("sv_part.py", "")
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    url = "http://127.0.0.1:%d/" % port
    server = subprocess.Popen(["gunicorn", "-w", "2", *opts, "-b", "127.0.0.1:%d" % port,
                               "sv_app:app"], cwd=lib.workdir(), env=lib.clean_env(),
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        lib.wait_until(lambda: lib.run(["curl", "-sf", url]).rc == 0, "the server")
        lib.wait_until(lambda: len(descendants(server.pid)) == 2, "both workers")
        with lib.Tracer("-p", server.pid, "--slow", "100ms") as tracer:
            thread = int(lib.run(["curl", "-sf", url + "report"]).out)
            tracer.wait_for("slow import: ")
            tracer.stop()
        lib.check_equal(lib.run(["curl", "-sf", url]).rc, 0, "the service afterwards")
        lib.check_equal(len(descendants(server.pid)), 2, "workers afterwards")
    finally:
        server.terminate()
        lib.check_equal(server.wait(timeout=lib.PATIENCE_S), 0, "status of the server")
    doc = tracer.trace()
    worker, = doc.having("sv_report")
    load = worker.one("sv_report")
    lib.check_equal((load["tid"], load["importer"]["line"]), (thread, 5), "thread and line")
    lib.check_equal(worker["ppid"], server.pid, "parent of the worker")
    lib.check_equal(len([p for p in doc.processes if p["inventory"]]), 3, "inventories")
    there = {m["module"] for m in worker["inventory"]["modules"]}
    lib.check({"sv_app", "gunicorn.arbiter"} <= there and "sv_part" not in there, "%s", there)
    told = [m for m in slow_lines(doc.messages)]
    lib.check_equal([(m[1], int(m[5]), int(m[8])) for m in told],
                    [("sv_report", 5, worker.pid)], "told")


if __name__ == "__main__":
    lib.main()
