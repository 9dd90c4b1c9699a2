#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Late imports: what a service imports when it is ready, in which thread, and who waits for it.
Each program is its own client, and prints how long its late imports took by its own clock."""
import json
import os

import lib

MS = 1_000_000
SPIN = "import time\n_until = time.thread_time() + %s\nwhile time.thread_time() < _until: pass\n"

# m_loop is imported in the event loop's thread, m_pool beside it, m_early before it is ready.
ASYNCIO = """
import asyncio, json, threading, time, sys
import m_early
took = {}
def load(name):
    began = time.monotonic_ns()
    __import__(name)
    took[name] = [time.monotonic_ns() - began, threading.get_native_id()]
async def serve(reader, writer):
    load("m_loop")
    await asyncio.get_running_loop().run_in_executor(None, load, "m_pool")
    writer.write(b"x")
    writer.close()
async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    await asyncio.sleep(0.05)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    await reader.read()
    writer.close()
    server.close()
asyncio.run(main())
print(json.dumps(took))
"""

# One thread accepts, each request has a thread of its own.
THREADS = """
import json, socket, socketserver, threading, time
import m_early
took = {}
class Handler(socketserver.BaseRequestHandler):
    def handle(self):
        began = time.monotonic_ns()
        import m_request
        took["m_request"] = [time.monotonic_ns() - began, threading.get_native_id()]
        self.request.send(b"x")
server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
acceptor = threading.Thread(target=server.serve_forever)
acceptor.start()
time.sleep(0.05)
with socket.create_connection(server.server_address) as sock:
    sock.recv(1)
server.shutdown()
acceptor.join()
server.server_close()
print(json.dumps(took))
"""


def run(program, *names):
    for name, seconds in names:
        lib.write(name + ".py", ("import m_inner\n" if name == "m_loop" else "") + SPIN % seconds)
    lib.write("m_inner.py", SPIN % 0.01)
    done, doc = lib.trace([*lib.system().argv, lib.write("main.py", program)])
    lib.check_equal(done.rc, 0, "status; stderr:\n%s\n" % done.err.decode())
    doc.check_complete()
    return doc.python(), json.loads(done.out)


def near(got, truth, what):
    lib.check(abs(got - truth) <= max(0.05 * truth, 2 * MS), "%s: %d, truth %d", what, got, truth)


def findings(process):
    return {f["evidence"]["module"]: f for f in process["findings"] if f["rule"] == "late-import"}


@lib.test(exclusive=True)
def test_event_loop():
    process, took = run(ASYNCIO, ("m_early", 0.02), ("m_loop", 0.12), ("m_pool", 0.05))
    lib.check_equal(process["ready_by"], "epoll_wait", "it waits with")
    late, found = process["late_imports"], findings(process)
    lib.check_equal(late["since"], "ready", "late since")
    lib.check_equal(late["waiter_tid"], took["m_loop"][1], "the event loop's thread")
    tops = [i for i in process.imports if i["late"] and not any(
        a["late"] for a in process.ancestors(i))]
    lib.check_equal(late["count"], len(tops), "late imports")
    lib.check({"m_loop", "m_pool"} <= {i["module"] for i in tops}, "%s", tops)
    lib.check_equal(process.one("m_inner")["late"], True, "m_inner is late, too")
    lib.check_equal([process.one(m)["late"] for m in ("m_early", "asyncio")], [False] * 2, "late")
    lib.check_equal(late["longest"], process.one("m_loop")["id"], "longest")
    in_loop = [i for i in tops if i["tid"] == took["m_loop"][1]]
    lib.check_equal(late["waiter_count"], len(in_loop), "in the loop's thread")
    lib.check_equal(late["waiter_blocked_ns"], sum(i["wall_ns"] for i in in_loop), "blocked")
    near(process.one("m_loop")["wall_ns"], took["m_loop"][0], "m_loop")
    lib.check("m_early" not in found and "m_inner" not in found, "findings: %s", sorted(found))
    loop, pool = found["m_loop"], found["m_pool"]
    lib.check_equal((loop["severity"], loop["evidence"]["waits_for_connections"]), ("high", True),
                    "finding of m_loop")
    near(loop["evidence"]["blocked_ns"], took["m_loop"][0], "blocked by m_loop")
    lib.check_equal((pool["severity"], pool["evidence"]["waits_for_connections"],
                     pool["evidence"]["blocked_ns"], pool["evidence"]["tid"]),
                    ("medium", False, None, took["m_pool"][1]), "finding of m_pool")
    lib.check_equal(loop["line"], process.one("m_loop")["importer"]["line"], "line")


@lib.test(exclusive=True)
def test_request_threads():
    process, took = run(THREADS, ("m_early", 0.02), ("m_request", 0.06))
    late = process["late_imports"]
    request = process.one("m_request")
    lib.check_equal((request["late"], request["tid"]), (True, took["m_request"][1]), "m_request")
    lib.check(late["waiter_tid"] not in (None, request["tid"]), "the acceptor imports nothing: %s", late)
    lib.check_equal(late["waiter_blocked_ns"], 0, "the acceptor was blocked")
    lib.check_equal(findings(process)["m_request"]["evidence"]["blocked_ns"], None, "blocked")


# A package imports when its function is called, by a function of the program's.
REQUEST = """
import socket, threading
import kit
import views
server = socket.create_server(("127.0.0.1", 0))
threading.Timer(0.1, socket.create_connection, [server.getsockname()]).start()
sock, _ = server.accept()
views.handler(sock)
"""
REQUEST_FILES = {
    "views.py": "import kit\n\ndef handler(sock):\n    kit.render()\n    import m_own\n    sock.close()\n",
    "site-packages/kit.py": "def render():\n    return _load()\ndef _load():\n    import m_template\n",
    "site-packages/m_template.py": SPIN % 0.02, "m_own.py": SPIN % 0.02}


@lib.test(params=lib.core_interpreters)
def test_caller(interp):
    """Of an import that a package makes for a request it is told where the program asked for it."""
    interp.prepare()
    for name, text in REQUEST_FILES.items():
        lib.write(name, text)
    packages = os.path.join(lib.workdir(), "site-packages")
    doc = lib.trace([*interp.argv, lib.write("main.py", REQUEST)], env={"PYTHONPATH": packages})[1]
    found = findings(doc.python())
    evidence = found["m_template"]["evidence"]
    lib.check_equal((found["m_template"]["line"], evidence["function"]), (4, "_load"), "who imports")
    caller = evidence["caller"]
    lib.check_equal((os.path.basename(caller["file"]), caller["line"], caller["function"]),
                    ("views.py", 4, "handler"), "who asked for it")
    lib.check("views.py:4 in handler" in found["m_template"]["message"], "%s", found["m_template"]["message"])
    own = found["m_own"]["evidence"]
    lib.check_equal((found["m_own"]["line"], own["function"], own["caller"]), (5, "handler", None), "its own place")


@lib.test()
def test_command():
    """What a command imports when it has worked for a while is late, and no finding."""
    script = lib.write("main.py", "import m_early, time\ndef work():\n    import m_inner\n"
                       "time.sleep(1.1)\nwork()\n")
    lib.write("m_early.py", "")
    lib.write("m_inner.py", SPIN % 0.005)
    process = lib.trace([*lib.system().argv, script])[1].python()
    late = process["late_imports"]
    lib.check_equal((late["since"], late["waiter_tid"], late["waiter_blocked_ns"]),
                    ("startup", None, None), "no service")
    lib.check_equal((process.one("m_early")["late"], process.one("m_inner")["late"]), (False, True),
                    "late")
    lib.check_equal(findings(process), {}, "findings")


if __name__ == "__main__":
    lib.main()
