#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""`make static`: one file that needs nothing of the system it runs on."""
import http.server
import json
import os
import shutil
import subprocess
import threading

import lib
from lib.agents import Agent, Cgroup

BINARY = os.path.join(lib.REPO, ".output/static/pyimport-bpf")


def run(*argv, **kwargs):
    return subprocess.run(argv, capture_output=True, text=True, stdin=subprocess.DEVNULL, **kwargs)


def build():
    lib.needs_command("make", "cc", "readelf")
    made = run("make", "-C", lib.REPO, "--no-print-directory", "static")
    lib.check_equal(made.returncode, 0, "make static, %s" % made.stderr[-2000:])


class Collector(http.server.BaseHTTPRequestHandler):
    """Keeps what it is sent."""
    got = []

    def do_POST(self):
        self.got.append((self.path, self.headers["Content-Type"], self.headers["A"],
                         self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"\0")

    def log_message(self, *args):
        pass


def check_push():
    """It posts to a collector without a library's help, and says what it cannot do."""
    for url in ("https://127.0.0.1:4318", "http://collector:4318"):
        done = run(BINARY, "agent", "--otlp", url, "--listen", "unix:%s/x.sock" % lib.workdir())
        lib.check(done.returncode == 1 and "no TLS and looks up no names" in done.stderr, "%s: %r", url, done)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with Cgroup() as cgroup, Agent(cgroup, "--otlp", "http://127.0.0.1:%d/in/" % server.server_port, "--otlp-interval",
                                   "100ms", "--otlp-headers", lib.write("headers", "A: b\n"), tool=BINARY) as agent:
        lib.wait_until(lambda: len(Collector.got) > 1, "two documents")
        lib.check_equal(agent.sum_of("pyimport_agent_otlp_failures_total"), 0, "failures")
    server.shutdown()
    server.server_close()
    lib.check_equal({one[:3] for one in Collector.got}, {("/in/v1/metrics", "application/x-protobuf", "b")}, "what came")
    lib.check(all(b"pyimport_starts" in one[3] for one in Collector.got), "no metrics: %r", Collector.got[0])


@lib.test(timeout_s=400)
def test_static():
    build()
    headers = run("readelf", "-lW", BINARY).stdout
    lib.check("LOAD" in headers, "no program headers: %r", headers)
    lib.check("INTERP" not in headers and "DYNAMIC" not in headers, "not static: %s", headers)

    # In a directory that holds nothing else it reads a capture, with the same result.
    root = lib.workdir() + "/root"
    os.mkdir(root)
    capture = os.path.join(lib.TESTS, "golden/captures/plain.cap")
    shutil.copy(BINARY, root + "/pyimport-bpf")
    shutil.copy(capture, root + "/plain.cap")
    for view in ("summary", "tree"):
        for locale in ("C", "C.UTF-8", "en_US.UTF-8"):
            env = dict(lib.clean_env(), LC_ALL=locale)
            got = run("chroot", root, "/pyimport-bpf", "report", "--view", view, "/plain.cap", env=env)
            wanted = run(lib.TOOL, "report", "--view", view, capture, env=env)
            lib.check_equal((got.returncode, wanted.returncode), (0, 0), got.stderr + wanted.stderr)
            lib.check_equal(got.stdout, wanted.stdout, "%s, %s" % (view, locale))

    check_push()

    # It traces a Python of this machine.
    report = lib.workdir() + "/report.json"
    done = run(BINARY, "--format", "json", "--report", report, "--", lib.SYSTEM, "-c", "import json",
               env=lib.clean_env())
    lib.check_equal(done.returncode, 0, "status, %s" % done.stderr)
    with open(report, encoding="utf-8") as file:
        doc = json.load(file)
    lib.check(doc["complete"], "not complete: %r", lib.losses(doc))
    modules = {one["module"] for process in doc["processes"] for one in process["imports"]}
    lib.check({"json", "json.decoder", "site"} <= modules, "modules: %r", sorted(modules))


if __name__ == "__main__":
    lib.main()
