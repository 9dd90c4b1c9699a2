#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Servers and pools of real packages: what each worker loaded itself, what it inherited, which of
them are alike."""
import json
import os
import re
import signal
import socket
import subprocess
import urllib.request

from lib.groups import check_groups, check_inherited, children_of
import lib

APP = """
import sys
AT_FORK = getattr(sys, "at_fork", set())
import wk_lib, colorsys
def app(environ, start_response):
    if environ["PATH_INFO"] == "/late":
        import wk_late
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [repr(sorted(set(sys.modules) - sys.at_fork)).encode()]
"""
GUNICORN_CONFIG = """
import sys
def post_fork(server, worker):
    sys.at_fork = set(sys.modules)
def post_worker_init(worker):
    worker.log.info("Has its application")
"""
LOADED = "Has its application" # a SIGTERM that comes earlier ends a worker by SIGKILL: another end
ASGI = """
import os, wk_lib, colorsys
async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    if scope["path"] == "/late":
        import wk_late
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(os.getpid()).encode()})
"""


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


class Server:
    """A server launched under the tool; it ends with SIGTERM, which the tool hands on."""

    def __init__(self, argv, *opts, fmt="json", env=None):
        self.report = os.path.join(lib.workdir(), "server." + fmt)
        self.log = open(os.path.join(lib.workdir(), "server.log"), "wb")
        self.proc = subprocess.Popen(
            [lib.TOOL, *opts, "--format", fmt, "--report", self.report, "--", *argv],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, cwd=lib.workdir(),
            env=lib.tool_env(env), start_new_session=True)

    def __enter__(self):
        return self

    def said(self):
        with open(self.log.name, encoding="utf-8", errors="replace") as file:
            return file.read()

    def get(self, port, path="/"):
        def answers():
            lib.check(self.proc.poll() is None, "the server ended: %s", self.said()[-2000:])
            try:
                with urllib.request.urlopen("http://127.0.0.1:%d%s" % (port, path),
                                            timeout=lib.PATIENCE_S) as answer:
                    self.body = answer.read().decode()
                    return True
            except OSError:
                return False
        lib.wait_until(answers, "the server to answer")
        return self.body

    def wait_for(self, pattern, count=1):
        lib.wait_until(lambda: len(re.findall(pattern, self.said())) >= count or
                       self.proc.poll() is not None, "%r in the log" % pattern)
        lib.check(self.proc.poll() is None, "the server ended: %s", self.said()[-2000:])

    def stop(self):
        self.proc.send_signal(signal.SIGTERM)
        self.proc.wait(timeout=lib.PATIENCE_S)

    def trace(self):
        self.stop()
        with open(self.report, "rb") as file:
            doc = lib.Trace(json.load(file), self.said())
        doc.check_invariants()
        check_groups(doc)
        return doc

    def text(self):
        self.stop()
        with open(self.report, encoding="utf-8") as file:
            return file.read()

    def __exit__(self, *exc):
        if self.proc.poll() is None:
            os.killpg(self.proc.pid, signal.SIGKILL)
            self.proc.wait()
        self.log.close()


def modules():
    lib.write("wk_lib.py", "import decimal\n")
    lib.write("wk_late.py", "")
    lib.write("wk_app.py", APP)
    lib.write("gunicorn.conf.py", GUNICORN_CONFIG)
    lib.write("wk_asgi.py", ASGI)


def gunicorn(port, *opts):
    lib.needs_command("gunicorn")
    modules()
    return ["gunicorn", "-w", "3", "-b", "127.0.0.1:%d" % port, *opts, "wk_app:app"]


@lib.test()
def test_gunicorn():
    """Every worker imports the application for itself, and says what was new to it."""
    port = free_port()
    with Server(gunicorn(port)) as server:
        server.wait_for(LOADED, 3)
        new = set(eval(server.get(port)))
        doc = server.trace()
    doc.check_complete()
    master, = doc.having("gunicorn.arbiter")
    workers = children_of(doc, master)
    lib.check_equal(len(workers), 3, "workers")
    lib.check(not master.named("wk_app"), "the master loaded the application")
    for worker in workers:
        lib.check_equal(worker["ppid"], master.pid, "parent of a worker")
        check_inherited(doc, worker)
        lib.check_equal(worker.one("wk_app")["importer"]["module"], "gunicorn.util", "importer")
        lib.check_equal(worker.parent(worker.one("decimal"))["module"], "wk_lib", "decimal")
    loaded = {i["module"] for i in workers[0].imports if i["result"] == "loaded"}
    lib.check_equal(new - loaded, set(), "new in a worker, and not in the report")
    group, = [g for g in doc["groups"] if g["id"] == workers[0]["group"]]
    lib.check_equal(group["count"], 3, "workers that are alike")
    lib.check_equal(group["parent"], master["group"], "group of the master")


@lib.test()
def test_gunicorn_preload():
    """The master imports it, the workers inherit it."""
    port = free_port()
    with Server(gunicorn(port, "--preload")) as server:
        server.wait_for(LOADED, 3)
        server.get(port)
        doc = server.trace()
    master, = doc.having("wk_app")
    workers = children_of(doc, master)
    lib.check_equal(len(workers), 3, "workers")
    for worker in workers:
        check_inherited(doc, worker)
        lib.check(not worker.named("wk_lib") and not worker.named("decimal"), "loaded twice")
        lib.check(worker["start_ns"] > master.one("wk_app")["start_ns"], "forked before it")


@lib.test()
def test_gunicorn_one_differs():
    """The worker that served a request with an import is not like the others."""
    port = free_port()
    with Server(gunicorn(port)) as server:
        server.wait_for(LOADED, 3)
        server.get(port, "/late")
        doc = server.trace()
    served, = doc.having("wk_late")
    lib.check_equal(served.one("wk_late")["importer"]["line"], 7, "line")
    counts = sorted(g["count"] for g in doc["groups"]
                    if any(p["group"] == g["id"] for p in doc.having("wk_app")))
    lib.check_equal(counts, [1, 2], "sizes of the workers' groups")


@lib.test(params={view: view for view in ("summary", "tree", "blame", "workers")})
def test_folded_text(view):
    """One block for three workers, three with --unfold; every process is counted."""
    texts = {}
    for opts in ((), ("--unfold",)):
        port = free_port()
        with Server(gunicorn(port), "--view", view, *opts, fmt="text") as server:
            server.wait_for(LOADED, 3)
            server.get(port)
            pids = {int(n) for n in re.findall(r"Booting worker with pid: (\d+)", server.said())}
            texts[opts] = (server.text(), pids)
    for opts, (text, pids) in texts.items():
        flat = " ".join(text.split())
        if view == "workers":
            rows = re.findall(r"^ +forked +(\d+) +(\d+) ", text, re.M)
            lib.check({int(pid) for pid, _ in rows} <= pids, "processes: %s", text)
            lib.check_equal([int(n) for _, n in rows], [1, 1, 1] if opts else [3], "rows")
        else:
            heads = [int(n) for n in re.findall(r"^.*wk_app:app.*\(pid (\d+), child", text, re.M)]
            lib.check(set(heads) <= pids and len(heads) == (3 if opts else 1), "heads: %s", text)
            lib.check(("Stands for 3 processes" in flat) == (not opts), "no word of it: %s", flat)
            lib.check(re.search(r"Forked from \d+ with \d+ modules loaded already", flat), flat)
        if not opts:
            listed = ", ".join(str(pid) for pid in sorted(pids))
            lib.check("pids %s)" % listed in flat, "pids %s: %s", listed, flat)


@lib.test()
def test_uvicorn_workers():
    """Spawned workers: a new interpreter each, with other descriptors in the command line."""
    lib.needs_command("uvicorn")
    port = free_port()
    modules()
    with Server(["uvicorn", "--workers", "3", "--port", str(port), "wk_asgi:app"]) as server:
        server.wait_for("Application startup complete|ASGI 'lifespan' protocol", 3)
        served = int(server.get(port, "/late"))
        doc = server.trace()
    workers = doc.having("wk_asgi")
    lib.check_equal(len(workers), 3, "workers")
    late, = doc.having("wk_late")
    lib.check_equal(late.pid, served, "the worker that served the request")
    for worker in workers:
        lib.check("encodings" in worker.names(), "the worker's own start is not there")
        lib.check_equal(worker["inherited_modules"], None, "a new program inherits nothing")
    alike = [w["group"] for w in workers if w is not late]
    lib.check_equal(len(set(alike)), 1, "groups of the two that did the same")
    lib.check(late["group"] not in alike, "the third is like them")


POOL = """
import multiprocessing, os, sys, time
import wk_before
def work(n):
    import wk_in_worker
    time.sleep(0.3)
    return os.getpid()
if __name__ == "__main__":
    multiprocessing.set_start_method(sys.argv[1])
    with multiprocessing.Pool(3) as pool:
        pids = pool.map(work, range(3), chunksize=1)
        pool.close()
        pool.join()
    print(len(set(pids)))
"""


@lib.test(params={m: m for m in ("fork", "spawn", "forkserver")})
def test_multiprocessing(method):
    lib.write("pool/wk_before.py", "")
    lib.write("pool/wk_in_worker.py", "")
    script = lib.write("pool/main.py", POOL)
    run, doc = lib.trace([lib.system().exe, script, method])
    lib.check_equal(run.rc, 0, "status: %r" % run.err)
    check_groups(doc)
    workers = doc.having("wk_in_worker")
    lib.check_equal(len(workers), int(run.out), "workers")
    main = doc.processes[0]
    for worker in workers:
        if method == "spawn":
            lib.check_equal(worker["inherited_modules"], None, "inherited")
        else:
            check_inherited(doc, worker)
        lib.check_equal(bool(worker.named("wk_before")), method != "fork", "wk_before")
        lib.check_equal(worker["parent_serial"] == main["serial"], method != "forkserver",
                        "child of the main process")
    lib.check_equal(len({w["group"] for w in workers}), 1, "groups of the workers")


@lib.test()
def test_celery():
    """The prefork pool of a Celery worker inherits all of it."""
    lib.needs_module(lib.system(), "celery")
    for name in ("in", "out", "processed"):
        os.makedirs(os.path.join(lib.workdir(), name), exist_ok=True)
    lib.write("wk_celery.py", """
from celery import Celery
app = Celery("wk", broker="filesystem://")
app.conf.broker_transport_options = {"data_folder_in": "./in", "data_folder_out": "./in",
                                     "processed_folder": "./processed"}
""")
    with Server([lib.system().exe, "-m", "celery", "-A", "wk_celery", "worker", "-c", "3", "-P", "prefork", "-l", "INFO"],
                env={"C_FORCE_ROOT": "1"}) as server:
        server.wait_for(r"celery@\S+ ready")
        doc = server.trace()
    main, = doc.having("wk_celery")
    workers = [p for p in children_of(doc, main) if p["exec_ns"] is None and p["is_python"]]
    lib.check_equal(len(workers), 3, "forked children")
    for worker in workers:
        check_inherited(doc, worker)
        lib.check(not worker.named("celery.app.base"), "loaded in the worker again")
    lib.check(main.one("celery.app.base")["result"] == "loaded", "celery itself")


if __name__ == "__main__":
    lib.main()
