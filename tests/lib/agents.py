# SPDX-License-Identifier: BSD-2-Clause
"""`pyimport-bpf agent`, its metrics by a parser that is not ours, and programs that it alone sees."""
import http.client
import json
import os
import signal
import socket
import subprocess
import time

from lib import settings
from lib.cases import check, wait_until, workdir
from lib.runner import clean_env


class Cgroup:
    """What is started in it is all that the agent sees."""
    def __init__(self):
        tops = ("/sys/fs/cgroup", "/sys/fs/cgroup/pids")
        top = next(t for t in tops if os.path.exists(t + "/cgroup.procs"))
        self.path = "%s/pyimport-agent.%d" % (top, os.getpid())
        os.mkdir(self.path)

    def start(self, argv, **more):
        def enter():
            with open(self.path + "/cgroup.procs", "w", encoding="ascii") as file:
                file.write(str(os.getpid()))
        return subprocess.Popen(argv, preexec_fn=enter, env=clean_env(), cwd=workdir(),
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **more)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        wait_until(lambda: not open(self.path + "/cgroup.procs", encoding="ascii").read(), "an empty cgroup")
        os.rmdir(self.path)


class Agent:
    """Listens at a Unix socket of the test."""
    def __init__(self, cgroup, *opts, listen=None, port=None, env=None, tool=None):
        self.socket = os.path.join(workdir(), "a%d.sock" % id(self))
        self.asked, self.page, self.parsed = 0, None, {}
        self.port = port  # where it listens instead, if it is given
        self.log = open(self.socket + ".log", "w+", encoding="utf-8")
        self.proc = subprocess.Popen(
            [tool or settings.TOOL, "agent", "--cgroup", cgroup.path, "--listen",
             listen or ("127.0.0.1:%d" % port if port else "unix:" + self.socket), *opts],
            stderr=self.log, stdin=subprocess.DEVNULL, env=dict(clean_env(), **(env or {})))

    def said(self):
        with open(self.log.name, encoding="utf-8") as file:
            return file.read()

    def connect(self):
        if self.port:
            return socket.create_connection(("127.0.0.1", self.port))
        client = socket.socket(socket.AF_UNIX)
        client.connect(self.socket)
        return client

    def get(self, path, accept="application/openmetrics-text;version=1.0.0"):
        http_client = http.client.HTTPConnection("localhost")
        http_client.sock = self.connect()
        http_client.request("GET", path, headers={"Accept": accept})
        answer = http_client.getresponse()
        body = answer.read().decode()
        http_client.close()
        return answer.status, answer.getheader("Content-Type"), body

    def samples(self):
        """{(name, sorted labels): value}, by a parser that is not ours. A page is renewed once a second: asked
        again and again, it is read less often than that, and parsed once."""
        from prometheus_client.openmetrics import parser  # the system's Python has it
        time.sleep(max(0, self.asked + 0.2 - time.monotonic()))
        text = self.get("/metrics")[2]
        self.asked = time.monotonic()
        if text != self.page:
            self.parsed = {(s.name, tuple(sorted(s.labels.items()))): s.value
                           for family in parser.text_string_to_metric_families(text) for s in family.samples}
            self.page = text
        return self.parsed

    def sum_of(self, name, **labels):
        want = set(labels.items())
        return sum(value for (got, with_labels), value in self.samples().items()
                   if got == name and want <= set(with_labels))

    def cpu_s(self):
        """Of the agent and of the process that holds."""
        return [self.sum_of(name) for name in ("process_cpu_seconds_total",
                                               "pyimport_agent_holder_cpu_seconds_total")]

    def scrapes(self, count):
        """(series, sorted ms) of pages that are made anew, each time."""
        times = []
        for _ in range(count):
            time.sleep(1.1)
            begin = time.monotonic()
            text = self.get("/metrics")[2]
            times.append((time.monotonic() - begin) * 1e3)
        return sum(not line.startswith("#") for line in text.splitlines()), sorted(times)

    def __enter__(self):
        wait_until(lambda: "tracing" in self.said() or self.proc.poll() is not None, "the agent")
        check(self.proc.poll() is None, "the agent ended: %s", self.said())
        return self

    def __exit__(self, *exc):
        if self.proc.poll() is None:
            self.proc.send_signal(signal.SIGTERM)
        self.proc.wait(timeout=settings.PATIENCE_S)
        self.log.close()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def ask(port, query):
    client = http.client.HTTPConnection("127.0.0.1", port)
    client.request("GET", "/api/v1/query?query=" + query)
    return json.load(client.getresponse())["data"]["result"]
