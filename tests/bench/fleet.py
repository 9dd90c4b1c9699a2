#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""`make check-fleet`: the agent under load and faults, its figures against an independent count of starts.

Starts come from a shell in a cgroup of their own, a third of them under names that never come again.
Meanwhile Prometheus scrapes, clients read slowly, the collector refuses, hangs and answers nonsense, and
a second agent is killed and started again."""
import argparse
import http.server
import json
import os
import shutil
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import lib  # noqa: E402
from lib.agents import Agent, Cgroup, free_port, ask  # noqa: E402

ALIVE_MAX = 12
FAULTS = ("takes", "refuses", "takes", "nonsense", "hangs", "takes")


class Collector(http.server.BaseHTTPRequestHandler):
    mode, newest, traces = "takes", {}, 0

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        cls = type(self)
        if cls.mode == "hangs":
            time.sleep(12)
        self.send_response(503 if cls.mode == "refuses" else 200)
        self.end_headers()
        if cls.mode == "nonsense":
            self.wfile.write(os.urandom(200000))
        elif cls.mode == "takes" and self.headers["Content-Type"] == "application/json":  # not the second agent's
            if self.path == "/v1/metrics":
                cls.newest = json.loads(body)
            else:
                cls.traces += len(json.loads(body)["resourceSpans"])

    def log_message(self, *args):
        pass

    @classmethod
    def starts(cls):
        for resource in cls.newest.get("resourceMetrics", []):
            for metric in resource["scopeMetrics"][0]["metrics"]:
                if metric["name"] == "pyimport_starts":
                    return sum(int(point["asInt"]) for point in metric["sum"]["dataPoints"])
        return 0


class Load:
    """Starts programs in the cgroup, and counts them."""
    def __init__(self, cgroup, rate):
        self.cgroup, self.rate, self.cnt = cgroup, rate, 0
        self.shell = subprocess.Popen(
            ["sh", "-c", "echo $$ > %s/cgroup.procs; while read f; do %s -S $f & done; wait" %
             (cgroup.path, lib.system().exe)], stdin=subprocess.PIPE, text=True, cwd=lib.workdir(), env=lib.clean_env())
        self.usual = [lib.write("usual%d.py" % i, "import json\n") for i in range(8)]

    def alive(self):
        with open(self.cgroup.path + "/cgroup.procs", encoding="ascii") as file:
            return len(file.read().split()) - 1

    def run_for(self, seconds):
        begin, first = time.monotonic(), self.cnt
        while time.monotonic() < begin + seconds:
            if self.cnt - first > (time.monotonic() - begin) * self.rate or self.alive() > ALIVE_MAX:
                time.sleep(0.01)
                continue
            name = self.usual[self.cnt % len(self.usual)]
            if self.cnt % 3 == 0:
                name = "bomb%d.py" % self.cnt
                os.symlink(self.usual[0], os.path.join(lib.workdir(), name))
            self.shell.stdin.write(name + "\n")
            self.shell.stdin.flush()
            self.cnt += 1

    def end(self):
        self.shell.stdin.close()
        self.shell.wait()


def resident_mb(pid):
    with open("/proc/%d/statm" % pid, encoding="ascii") as file:
        return int(file.read().split()[1]) * 4096 / 1e6


def prometheus(at, own):
    config = lib.write("prometheus.yml", "scrape_configs: [{job_name: pyimport, scrape_interval: 1s, "
                       "static_configs: [{targets: ['127.0.0.1:%d']}]}]\n" % at)
    with open(os.path.join(lib.workdir(), "prometheus.log"), "w", encoding="utf-8") as log:
        return subprocess.Popen(["prometheus", "--config.file=" + config, "--web.listen-address=127.0.0.1:%d" % own,
                                 "--storage.tsdb.path=" + os.path.join(lib.workdir(), "tsdb")], stderr=log, stdout=log)


def growth_bytes(points):
    """Bytes by which memory grows with 1,000 starts: the slope of the line through the second half."""
    points = points[len(points) // 2:]
    mean_x, mean_y = (sum(p[i] for p in points) / len(points) for i in (0, 1))
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / spread * 1e9 if spread else 0


def tell(text):
    print(time.strftime("%H:%M:%S"), text, flush=True)


def at_prometheus(own):
    found = ask(own, "sum(pyimport_starts_total)")
    return float(found[0]["value"][1]) if found else 0


def tell_scrapes(agent):
    lines, times = agent.scrapes(9)
    tell("a scrape of %d series: median %.1f ms, at most %.1f" % (lines, times[4], times[-1]))


def soak(args, agent, cgroup, url, load):
    """(starts, MB resident) at each tenth of each part."""
    part_s = args.minutes * 60 / len(FAULTS)
    memory, slow = [], []
    begin = time.monotonic()
    before = agent.cpu_s()
    second = ["--max-series", "20", "--otlp", url]
    for mode in FAULTS:
        Collector.mode = mode
        with Agent(cgroup, *second) as other:
            slow += [agent.connect() for _ in range(5)]
            for client in slow[-5:]:
                client.sendall(b"GET /metrics HTTP/1.1\r\nX: ")
            for _ in range(10):
                load.run_for(part_s / 10)
                memory.append((load.cnt, resident_mb(agent.proc.pid)))
            other.proc.kill()
            other.proc.wait()
        tell("collector %s: %d starts, %.1f to %.1f MB resident" % (
            mode, load.cnt, min(mb for _, mb in memory[-10:]), max(mb for _, mb in memory[-10:])))
    took = time.monotonic() - begin
    after = agent.cpu_s()
    tell("%.1f starts a second; agent %.2f ms of CPU time a start, %.1f %% of a core; holder %.1f %%" % (
        load.cnt / took, (after[0] - before[0]) * 1e3 / load.cnt, (after[0] - before[0]) * 100 / took,
        (after[1] - before[1]) * 100 / took))
    tell("memory: %.1f MB at first, %.1f at the end, %+.0f bytes in 1,000 starts of the second half" % (
        memory[0][1], memory[-1][1], growth_bytes(memory)))
    for client in slow:
        client.close()
    return [mb for _, mb in memory]


def check(args):
    at, own = free_port(), free_port()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = "http://127.0.0.1:%d" % server.server_port
    scraper = prometheus(at, own)
    try:
        with Cgroup() as cgroup, Agent(cgroup, "--max-series", "50", "--otlp", url, "--otlp-protocol", "http/json",
                                       "--otlp-interval", "1s", "--spool", os.path.join(lib.workdir(), "spool"),
                                       "--spool-files", "20", "--slow-start", "300ms", port=at) as agent:
            load = Load(cgroup, args.rate)
            try:
                memory = soak(args, agent, cgroup, url, load)
                tell_scrapes(agent)
            finally:
                load.end()
            started = load.cnt
            lost = {dict(labels)["cause"]: value for (name, labels), value in agent.samples().items()
                    if name == "pyimport_lost_records_total" and value}
            lib.wait_until(lambda: lost or agent.sum_of("pyimport_starts_total") >= started, "all starts")
            lib.wait_until(lambda: lost or Collector.starts() >= started, "the collector to know")
            lib.wait_until(lambda: lost or at_prometheus(own) >= started, "Prometheus to know")
            got = (agent.sum_of("pyimport_starts_total"), Collector.starts(), at_prometheus(own))
            tell("%d starts; agent, collector, Prometheus: %d, %d, %d; lost: %r; %d traces, %d captures, %d dropped" % (
                started, *got, lost, Collector.traces, agent.sum_of("pyimport_agent_spool_files"),
                agent.sum_of("pyimport_agent_otlp_dropped_total")))
            lib.check(lost or got == (started, started, started), "starts differ, and nothing was lost")
            entries = {dict(labels).get("entry") for (name, labels) in agent.samples() if name == "pyimport_starts_total"}
            lib.check(len(entries) <= 51, "%d entry points", len(entries))
            lib.check(agent.sum_of("pyimport_agent_spool_files") <= 20, "captures beyond the limit")
            half = len(memory) // 2 # traces that wait for the collector take memory, too: compare peaks
            lib.check(max(memory[half:]) < max(memory[:half]) * 1.1, "memory grows: %r", memory)
    finally:
        scraper.kill()
        scraper.wait()
        server.shutdown()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=2)
    parser.add_argument("--rate", type=float, default=50)
    args = parser.parse_args()
    if not shutil.which("prometheus"):
        sys.exit("no Prometheus: scripts/deps.sh test")
    check(args)


if __name__ == "__main__":
    main()
