#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""From exec to ready: real servers, each way to wait for a connection, what is not readiness, and
the ends of a trace: ready, idle, SIGTERM, SIGKILL."""
import json
import os
import signal
import socket
import subprocess
import urllib.request

import lib

HTTP = """
import http.server, sys
server = http.server.HTTPServer(("127.0.0.1", %d), http.server.BaseHTTPRequestHandler)
import ph_model
server.serve_forever()
"""
# fd numbers beyond the first word of a set, too.
WAITS = """
import os, select, socket, sys
spare = [os.dup(0) for i in range(70)]
sock = socket.socket()
sock.bind(("127.0.0.1", 0))
sock.listen()
import ph_model
pipe = os.pipe()
"""
# As libuv does it: what epoll is to watch goes through io_uring, the waiting does not.
URING = """
import ctypes, mmap, struct
def watch(epoll, fds):
    libc, params = ctypes.CDLL(None), ctypes.create_string_buffer(120)
    ring = libc.syscall(425, 64, params) # io_uring_setup
    tail, array = (struct.unpack_from("<I", params, 4 * word)[0] for word in (11, 16))
    queue, entries = mmap.mmap(ring, array + 256), mmap.mmap(ring, 4096, offset=0x10000000)
    event = struct.pack("<I8x", select.EPOLLIN) + bytes(4)
    for i, fd in enumerate(fds):
        entry = struct.pack("<BxxxiQQI", 29, epoll.fileno(), fd, id(event) + 32, 1)
        entries[64 * i:64 * i + len(entry)] = entry
        struct.pack_into("<I", queue, array + 4 * i, i)
    struct.pack_into("<I", queue, tail, len(fds))
    assert libc.syscall(426, ring, len(fds), len(fds), 1, None, 0) == len(fds) # io_uring_enter
"""
HOW = {
    "accept": ("accept", "sock.accept()"),
    "nonblocking": ("accept", "sock.setblocking(False)\ntry: sock.accept()\n"
                              "except BlockingIOError: pass\nselect.select([sock], [], [])"),
    "select": ("select", "select.select([pipe[0], sock], [], [])"),
    "poll": ("poll", "p = select.poll()\np.register(pipe[0])\np.register(sock)\np.poll()"),
    "epoll": ("epoll_wait", "p = select.epoll()\np.register(sock, select.EPOLLIN)\np.poll()"),
    "uring": ("epoll_wait", URING + "p = select.epoll()\n"
              "watch(p, [*(os.dup(pipe[0]) for i in range(30)), sock.fileno()])\np.poll()"),
    # Nobody waits for the child when the trace has ended: it ends itself.
    "inherited": ("accept", "import signal\nif os.fork(): os.wait()\n"
                            "signal.alarm(100), sock.accept()"),
}
WSGI = """
import ph_model
def app(environ, start_response):
    start_response("200 OK", [])
    return [b""]
"""
ASGI = """
import ph_model
async def app(scope, receive, send):
    pass
"""


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


class Server:
    """A server launched under the tool, stopped through it."""

    def __init__(self, argv, *opts):
        lib.write("ph_model.py", "import colorsys\n")
        self.report = os.path.join(lib.workdir(), "server.json")
        self.log = os.path.join(lib.workdir(), "server.log")
        with open(self.log, "wb") as log:
            self.proc = subprocess.Popen(
                [lib.TOOL, *opts, "--format", "json", "--report", self.report, "--", *argv],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=lib.workdir(),
                env=lib.tool_env({"PYTHONPATH": lib.workdir()}), start_new_session=True)

    def read(self):
        try:
            with open(self.report, "rb") as file:
                return lib.Trace(json.load(file), "")
        except (OSError, ValueError):
            return None

    def trace(self):
        """The report, which comes while the server runs."""
        def has_come():
            if self.proc.poll() is not None and not self.read():
                with open(self.log, encoding="utf-8", errors="replace") as file:
                    raise AssertionError("the server ended: %s" % file.read()[-3000:])
            return self.read()
        lib.wait_until(has_come, "the report")
        trace = self.read()
        trace.check_invariants()
        return trace

    def stop(self):
        self.proc.terminate()
        return self.proc.wait(lib.PATIENCE_S)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        if self.proc.poll() is None:
            self.proc.terminate()
        try:
            self.proc.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(self.proc.pid, signal.SIGKILL)
            self.proc.wait()


def phases(process):
    return {p["name"]: p for p in process["phases"] or []}


def pythons(trace):
    return [p for p in trace["processes"] if p["is_python"]]


def end_of(process, module):
    load, = [i for i in process["imports"] if i["module"] == module]
    return load["start_ns"] + load["wall_ns"]


def check_order(process):
    """What must hold of any process."""
    got = process["phases"] or []
    ends = [p["end_ns"] for p in got]
    lib.check_equal(ends, sorted(ends), "order of the phases")
    lib.check_equal(len({p["name"] for p in got}), len(got), "each phase once")
    for phase in got:
        lib.check(process["start_ns"] <= phase["start_ns"] <= phase["end_ns"], "%s", phase)
        if phase["name"] in ("listen", "ready", "accept", "exit"):
            lib.check_equal(phase["start_ns"], phase["end_ns"], "moment of " + phase["name"])


@lib.test()
def test_http_server():
    """Bound early, busy for a while, then ready: three different moments."""
    port = free_port()
    script = lib.write("server.py", HTTP % port)
    with Server([lib.SYSTEM, script], "--until-ready") as server:
        process, = pythons(server.trace())
        check_order(process)
        got = phases(process)
        lib.check(set(got) >= {"exec", "interpreter", "site", "main", "startup", "listen", "ready"},
                  "phases: %s", sorted(got))
        lib.check("accept" not in got, "a connection nobody made")
        lib.check_equal(process["listen"], {"family": "inet", "port": port}, "listen")
        lib.check_equal(process["ready_by"], "poll", "how it waits")
        model, = [i for i in process["imports"] if i["module"] == "ph_model"]
        lib.check(got["listen"]["end_ns"] < model["start_ns"], "it listened before that import")
        lib.check(got["ready"]["end_ns"] > end_of(process, "ph_model"), "ready before it was")
        lib.check_equal(server.stop(), 128 + signal.SIGTERM, "status of the command")


@lib.test()
def test_first_connection():
    port = free_port()
    script = lib.write("server.py", HTTP % port)
    with Server([lib.SYSTEM, script]) as server:
        def answers():
            try:
                urllib.request.urlopen("http://127.0.0.1:%d/" % port, timeout=10)
            except urllib.error.HTTPError:
                return True
            except OSError:
                return False
            return True
        lib.wait_until(answers, "an answer")
        server.stop()
        process, = pythons(server.trace())
        check_order(process)
        got = phases(process)
        lib.check(got["ready"]["end_ns"] <= got["accept"]["end_ns"] <= got["exit"]["end_ns"],
                  "order: %s", got)


@lib.test(HOW)
def test_ways_to_wait(how):
    call, code = how
    if URING in code:
        lib.needs_uring()
    script = lib.write("waits.py", WAITS + code)
    with Server([lib.SYSTEM, script], "--until-ready") as server:
        trace = server.trace()
        ready = [p for p in pythons(trace) if p["ready_by"]]
        lib.check_equal([p["ready_by"] for p in ready], [call], "who waits, and how")
        for process in pythons(trace):
            check_order(process)
        first = pythons(trace)[0]
        lib.check(phases(ready[0])["ready"]["end_ns"] > end_of(first, "ph_model"), "too early")


@lib.test()
def test_not_ready():
    """Waiting for other things while a socket listens, and listening that fails, are not it."""
    script = lib.write("waits.py", WAITS + (URING if lib.has_uring() else "def watch(*a): pass") + """
p = select.poll()
p.register(pipe[0])
p.poll(50)
select.select([pipe[0]], [], [], 0.05)
q = select.epoll()
q.register(pipe[0])
watch(q, [os.dup(pipe[0]) for i in range(30)])
q.poll(0.05)
other = socket.socket()
other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
try: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).listen()
except OSError: pass
""")
    with Server([lib.SYSTEM, script]) as server:
        server.proc.wait(lib.PATIENCE_S)
        process, = pythons(server.trace())
        got = phases(process)
        lib.check("listen" in got and "ready" not in got, "phases: %s", sorted(got))
        lib.check_equal(process["ready_by"], None, "how it waits")


@lib.test({"forks": (), "preload": ("--preload",)})
def test_gunicorn(opts):
    """The master listens first and is never ready; each worker is once it has the application."""
    lib.needs_command("gunicorn")
    lib.write("ph_app.py", WSGI)
    argv = ["gunicorn", "-w", "3", "-b", "127.0.0.1:%d" % free_port(), *opts, "ph_app:app"]
    with Server(argv, "--until-ready") as server:
        trace = server.trace()
        for process in pythons(trace):
            check_order(process)
        master, = [p for p in pythons(trace) if p["listen"]]
        workers = [p for p in pythons(trace) if p["parent_serial"] == master["serial"]]
        lib.check_equal(len(workers), 3, "workers")
        lib.check("ready" not in phases(master), "the master is no worker")
        for worker in workers:
            ready = phases(worker)["ready"]["end_ns"]
            lib.check(ready > phases(master)["listen"]["end_ns"], "ready before the master listens")
            lib.check(ready > end_of(master if opts else worker, "ph_app"),
                      "ready before the application was there")
        lib.check_equal(server.stop(), 0, "status of the command")


@lib.test()
def test_uvicorn():
    lib.needs_command("uvicorn")
    lib.write("ph_app.py", ASGI)
    port = free_port()
    with Server(["uvicorn", "--port", str(port), "ph_app:app"], "--until-ready") as server:
        process, = [p for p in pythons(server.trace()) if p["ready_by"]]
        check_order(process)
        lib.check_equal((process["ready_by"], process["listen"]["port"]), ("epoll_wait", port),
                        "how it waits, and where")
        lib.check(phases(process)["ready"]["end_ns"] > end_of(process, "ph_app"), "too early")


@lib.test()
def test_off():
    script = lib.write("waits.py", WAITS + "select.select([sock], [], [], 0.1)")
    with Server([lib.SYSTEM, script], "--no-phases") as server:
        server.proc.wait(lib.PATIENCE_S)
        process, = pythons(server.trace())
        lib.check(not {"listen", "ready"} & set(phases(process)), "%s", process["phases"])


@lib.test()
def test_text():
    script = lib.write("waits.py", WAITS + "select.select([sock], [], [], 0.1)")
    lib.write("ph_model.py", "")
    done = subprocess.run([lib.TOOL, "--view", "phases", "--", lib.SYSTEM, script],
                          stdout=subprocess.PIPE, cwd=lib.workdir(), env=lib.tool_env(),
                          timeout=lib.PATIENCE_S)
    text = done.stdout.decode()
    for word in ("Time to ready", "  exec  ", "  site  ", "listen on port ", "ready, in select"):
        lib.check(word in text, "'%s' is not in:\n%s", word, text)


@lib.test()
def test_until_idle():
    """An idle service ends the trace, one long import does not."""
    code = "import sys\nprint('up', flush=True)\nsys.stdin.readline()"
    with lib.Target([lib.SYSTEM, "-c", code]) as target:
        target.expect("up")
        with lib.Tracer("-p", target.pid, "--until-idle", "300ms") as tracer:
            tracer.finish()
        lib.check_equal(tracer.rc, 0, "status")
        lib.check_equal([p["imports"] for p in tracer.trace()["processes"] if p["imports"]], [],
                        "imports of an idle process")
    lib.write("ph_slow.py", "import time\ntime.sleep(1)\nimport colorsys\n")
    with Server([lib.SYSTEM, "-c", "import ph_slow, time; time.sleep(600)"],
                "--until-idle", "300ms") as server:
        process, = pythons(server.trace())
        results = {i["module"]: i["result"] for i in process["imports"]}
        lib.check_equal((results["ph_slow"], results["colorsys"]), ("loaded",) * 2, "results")


@lib.test({"-a": ["-a"], "-p": None})
def test_sigterm(args):
    """SIGTERM of the tracer is a normal end: a complete report."""
    code = "import sys\nprint('up', flush=True)\nsys.stdin.readline()\nimport colorsys\n" \
           "print('done', flush=True)\nsys.stdin.readline()"
    with lib.Target([lib.SYSTEM, "-c", code]) as target:
        target.expect("up")
        with lib.Tracer(*(args or ["-p", target.pid])) as tracer:
            target.say()
            target.expect("done")
            tracer.stop(signal.SIGTERM)
        lib.check_equal(tracer.rc, 0, "status")
        ours, = [p for p in tracer.trace()["processes"] if p["pid"] == target.pid]
        lib.check("colorsys" in [i["module"] for i in ours["imports"]], "the import is missing")
        target.say()
        lib.check_equal(target.finish().rc, 0, "status of the target")


def prog_ids(pid):
    """BPF programs a process holds."""
    ids = set()
    for name in os.listdir("/proc/%d/fdinfo" % pid):
        try:
            with open("/proc/%d/fdinfo/%s" % (pid, name), encoding="ascii") as file:
                ids.update(int(line.split()[1]) for line in file if line.startswith("prog_id:"))
        except FileNotFoundError:
            pass
    return ids


@lib.test()
def test_sigkill():
    """SIGKILL of the tracer: no program, no pinned object, no stopped process is left."""
    lib.needs_command("bpftool")
    code = "import sys\nprint('up', flush=True)\nsys.stdin.readline()\nimport colorsys"
    with lib.Target([lib.SYSTEM, "-c", code]) as target:
        target.expect("up")
        with lib.Tracer("-p", target.pid) as tracer:
            ids = prog_ids(tracer.proc.pid)
            lib.check(ids, "no programs were seen")
            tracer.proc.kill()
            tracer.proc.wait()

        def are_gone():
            listed = json.loads(lib.run(["bpftool", "-j", "prog", "show"]).out)
            return not ids & {p["id"] for p in listed}
        lib.wait_until(are_gone, "the end of its programs")
        target.say()
        lib.check_equal(target.finish().rc, 0, "status of the target")


@lib.test()
def test_end_of_startup():
    """The last load of the run ends it, whichever way that was asked for; what is imported after a
    second without an import is not part of it."""
    for name in ("end_pkg/__init__", "end_pkg/sub", "end_two", "end_late"):
        lib.write(name + ".py", "import time\ntime.sleep(0.01)\n")
    # What C imports in between, with PyImport_Import, is no reason to say that of `sub`.
    first = "import importlib, time\ntime.strptime('1', '%S')\n"
    last = "time.sleep(1.1)\nimport end_late\n"
    for text, module, via in (("import time\nfrom end_pkg import sub\n", "end_pkg.sub", "statement"),
                              ("import time\nimport end_two\n", "end_two", "statement"),
                              ("importlib.import_module('end_two')\n", "end_two",
                               "import_module")):
        done, trace = lib.trace([lib.SYSTEM, lib.write("end_main.py", first + text + last)])
        lib.check_equal(done.rc, 0, "status")
        process = trace.python()
        load = process.named(module)[0]
        phase, = [p for p in process["phases"] if p["name"] == "startup"]
        lib.check_equal(phase["end_ns"], load["start_ns"] + load["wall_ns"], "end, " + text)
        lib.check_equal(load["via"], via, text)
        lib.check(process.named("end_late"), "no late import")


if __name__ == "__main__":
    lib.main()
