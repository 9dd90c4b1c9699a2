#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""--slow: imports that are told of while tracing goes on."""
import re
import socket
import subprocess

from lib.proc import descendants
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
