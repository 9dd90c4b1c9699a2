#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""`agent --otlp`: what a collector gets, decoded by OpenTelemetry's own definitions; and bad collectors."""
import http.server
import json
import os
import socket
import subprocess
import threading

import lib
from lib.agents import Agent, Cgroup

DECODE = """import json, sys
from google.protobuf import json_format
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
for line in sys.stdin:
    path, body = json.loads(line)
    kind = ExportMetricsServiceRequest if path == "/v1/metrics" else ExportTraceServiceRequest
    json_format.Parse(body, kind())  # an unknown field or a wrong type is an error
print("well formed")"""


class Collector:
    """Keeps what it accepts; answers with the statuses it was given, then with 200."""
    def __init__(self, *statuses, answer=b"{}"):
        self.got, self.headers, self.refused = [], [], 0
        self.statuses = list(statuses)
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = outer.statuses.pop(0) if outer.statuses else 200
                if status == 200:
                    outer.got.append((self.path, body.decode()))
                    outer.headers.append(dict(self.headers))
                else:
                    outer.refused += 1
                self.send_response(status)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *args):
                pass
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = "http://127.0.0.1:%d" % self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def of(self, path):
        return [json.loads(body) for got, body in self.got if got == path]

    def sum_of(self, name):
        """In the newest document, over all data points."""
        for document in reversed(self.of("/v1/metrics")):
            for metric in document["resourceMetrics"][0]["scopeMetrics"][0]["metrics"]:
                if metric["name"] == name:
                    return sum(int(point["asInt"]) for point in metric["sum"]["dataPoints"])
        return 0

    def spans(self):
        return [span for document in self.of("/v1/traces") for resource in document["resourceSpans"]
                for scope in resource["scopeSpans"] for span in scope["spans"]]

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@lib.test()
def test_push():
    """A collector that refuses at first gets all starts, and the trace of a slow one."""
    collector = Collector(503, 503, answer=b"\x00nonsense\xff" * 50)
    script = lib.write("pushed.py", "import json\n")
    secret = lib.write("headers", "# of the collector\nAuthorization: Bearer xyz\n")
    python = lib.system().exe
    with Cgroup() as cgroup, Agent(cgroup, "--otlp", collector.url + "/", "--otlp-interval", "500ms", "--otlp-headers",
                                   secret, "--slow-start", "1ms") as agent:
        for _ in range(3):
            cgroup.start([python, script]).wait()
        lib.wait_until(lambda: collector.sum_of("pyimport_starts") >= 3, "the starts")
        lib.wait_until(collector.spans, "a trace")
        lib.check_equal(collector.sum_of("pyimport_starts"), 3, "starts at the collector")
        lib.check_equal(agent.sum_of("pyimport_agent_otlp_dropped_total"), 0, "dropped")
        lib.check(agent.sum_of("pyimport_agent_otlp_failures_total") >= 2, "failures were not counted")
    collector.close()
    lib.check_equal(collector.refused, 2, "refused")
    lib.check(all(headers.get("Authorization") == "Bearer xyz" for headers in collector.headers), "headers")
    spans = collector.spans()
    by_id = {span["spanId"]: span for span in spans}
    imported = [span for span in spans if span["name"] == "import json"]
    lib.check_equal(len(imported), 1, "spans of import json in one trace")
    lib.check(imported[0]["parentSpanId"] in by_id, "its parent is not there")
    lib.check(int(imported[0]["startTimeUnixNano"]) > 1.6e18, "no time since the epoch")
    if subprocess.run([lib.settings.SYSTEM, "-c", "import opentelemetry.proto"], capture_output=True).returncode:
        raise lib.Skip("no python3-opentelemetry-proto")
    lines = "".join(json.dumps(item) + "\n" for item in collector.got)
    done = subprocess.run([lib.settings.SYSTEM, "-c", DECODE], input=lines, capture_output=True, text=True)
    lib.check_equal(done.stdout, "well formed\n", "decoded: %s" % done.stderr[-2000:])


@lib.test()
def test_redacted():
    """Neither a directory nor an argument leaves the host, by metrics or by traces."""
    collector = Collector()
    script = lib.write("hidden_directory/shown.py", "import json\n")
    with Cgroup() as cgroup, Agent(cgroup, "--redact", "--otlp", collector.url, "--otlp-interval", "300ms", "--slow-start",
                                   "1ms") as agent:
        for _ in range(2):
            cgroup.start([lib.system().exe, script, "--password=hunter2"]).wait()
        lib.wait_until(lambda: collector.sum_of("pyimport_starts") >= 2, "the starts")
        lib.check_equal(agent.sum_of("pyimport_starts_total", entry="shown.py"), 2, "starts")
        told = agent.get("/metrics")[2] + "".join(body for _, body in collector.got)
        lib.check("hidden_directory" not in told and "hunter2" not in told, "told all the same")
        lib.check_equal(collector.spans(), [], "traces")
    collector.close()
    refused = subprocess.run([lib.TOOL, "agent", "--redact", "--spool", lib.workdir()], capture_output=True, text=True)
    lib.check(refused.returncode == 2 and "--redact" in refused.stderr, "with a spool: %r", refused)


@lib.test()
def test_bad_collectors():
    """One that hangs and one that is not there: figures are right, and the agent ends at once."""
    hanging = socket.socket()
    hanging.bind(("127.0.0.1", 0))
    hanging.listen(1)
    python = lib.system().exe
    with Cgroup() as cgroup:
        with Agent(cgroup, "--otlp", "http://127.0.0.1:%d" % hanging.getsockname()[1], "--otlp-interval", "100ms",
                   "--slow-start", "1ms") as agent:
            for _ in range(3):
                cgroup.start([python, "-c", "import json"]).wait()
            lib.wait_until(lambda: agent.sum_of("pyimport_starts_total") >= 3, "all starts")
            lib.wait_until(lambda: agent.sum_of("pyimport_agent_otlp_waiting") >= 1, "a trace that waits")
            lib.check_equal(agent.sum_of("pyimport_agent_otlp_documents_total"), 0, "documents taken")
        hanging.close()
        for url, why in (("ftp://127.0.0.1", "not an address"), ("http://127.0.0.1:1", None)):
            opts = ["--otlp", url] + (["--otlp-headers", os.path.join(lib.workdir(), "none")] if not why else [])
            done = subprocess.run([lib.TOOL, "agent", "--cgroup", cgroup.path, "--listen",
                                   "unix:" + os.path.join(lib.workdir(), "x.sock"), *opts], capture_output=True, text=True)
            lib.check(done.returncode == 1 and (why or "cannot open") in done.stderr, "%s: %r", url, done)


if __name__ == "__main__":
    lib.main()
