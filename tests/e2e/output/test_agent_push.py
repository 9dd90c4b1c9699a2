#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""`agent --otlp`: what a collector gets, decoded by OpenTelemetry's own definitions; and bad collectors."""
import base64
import contextlib
import http.server
import json
import os
import re
import signal
import socket
import subprocess
import threading
import time
import urllib.parse

import lib
from lib.agents import Agent, Cgroup, ask, free_port

JSON = ("--otlp-protocol", "http/json")


def definitions():
    """What is posted where, by OpenTelemetry's own definitions."""
    try:
        from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
        from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
    except ImportError:
        raise lib.Skip("no python3-opentelemetry-proto") from None
    return {"/v1/metrics": ExportMetricsServiceRequest, "/v1/traces": ExportTraceServiceRequest}


def from_json(kind, body):
    """An unknown field or a wrong type is an error. Ids are hexadecimal in OTLP, base64 elsewhere."""
    from google.protobuf import json_format
    body = re.sub(r'(Id": ?")([0-9a-f]+)"', lambda m: m[1] + base64.b64encode(bytes.fromhex(m[2])).decode() + '"',
                  body.decode())
    return json_format.Parse(body, kind())


class Collector:
    """Keeps what it accepts; answers with the statuses it was given, then with 200."""
    def __init__(self, *statuses, answer=b"{}"):
        self.got, self.headers, self.refused = [], [], []
        self.is_refusing = None  # a path
        self.statuses = list(statuses)
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = outer.statuses.pop(0) if outer.statuses else 200
                if outer.is_refusing == self.path:
                    status = 503
                if status == 200:
                    outer.got.append((self.path, body))
                    outer.headers.append(dict(self.headers))
                else:
                    outer.refused.append((self.path, body))
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
        return [json.loads(body) for got, body in self.got if got == path and body[:1] == b"{"]

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
                                   secret, "--slow-start", "1ms", *JSON) as agent:
        for _ in range(3):
            cgroup.start([python, script]).wait()
        lib.wait_until(lambda: collector.sum_of("pyimport_starts") >= 3, "the starts")
        lib.wait_until(collector.spans, "a trace")
        lib.check_equal(collector.sum_of("pyimport_starts"), 3, "starts at the collector")
        lib.check_equal(agent.sum_of("pyimport_agent_otlp_dropped_total"), 0, "dropped")
        lib.check(agent.sum_of("pyimport_agent_otlp_failures_total") >= 2, "failures were not counted")
    collector.close()
    lib.check_equal(len(collector.refused), 2, "refused")
    lib.check(all(headers.get("Authorization") == "Bearer xyz" for headers in collector.headers), "headers")
    spans = collector.spans()
    by_id = {span["spanId"]: span for span in spans}
    imported = [span for span in spans if span["name"] == "import json"]
    lib.check_equal(len(imported), 1, "spans of import json in one trace")
    lib.check(imported[0]["parentSpanId"] in by_id, "its parent is not there")
    lib.check(int(imported[0]["startTimeUnixNano"]) > 1.6e18, "no time since the epoch")
    kinds = definitions()
    for path, body in collector.got:
        from_json(kinds[path], body)


def settled(kind, body, is_json):
    """A document less what no two have in common: when it was made, and CPU time."""
    request = from_json(kind, body) if is_json else kind.FromString(body)
    for metrics in getattr(request, "resource_metrics", []):
        for metric in metrics.scope_metrics[0].metrics:
            for point in [*metric.sum.data_points, *metric.histogram.data_points]:
                point.time_unix_nano = 0
                if metric.name in ("process_cpu_seconds", "pyimport_lost_records"):
                    point.ClearField("value")
    return request


@lib.test()
def test_protobuf():
    """Protobuf, which is sent if nothing is said, is field by field what the JSON is, by OpenTelemetry's
    definitions: of the same sums, and of the trace of the same start-up."""
    kinds, collector = definitions(), Collector()
    collector.is_refusing = "/v1/traces"
    config = lib.write("agent.conf", "otlp %s\n" % collector.url)
    script = lib.write("sent.py", "import json\ntry:\n    import none_such\nexcept ImportError:\n    pass\n")

    def starts(body, is_json):
        return sum(point.as_int for metric in settled(kinds["/v1/metrics"], body, is_json).resource_metrics[0]
                   .scope_metrics[0].metrics if metric.name == "pyimport_starts" for point in metric.sum.data_points)

    def newest(path, where, is_json):
        return next((body for got, body in reversed(where) if got == path and (body[:1] == b"{") == is_json), None)

    with Cgroup() as cgroup, Agent(cgroup, "--config", config, "--otlp-interval", "300ms", "--slow-start", "1ms") as agent:
        for _ in range(2):  # the first is new, the second slow
            cgroup.start([lib.system().exe, script, "--argument", "\u00e4"]).wait()
        lib.wait_until(lambda: newest("/v1/metrics", collector.got, False) and
                       starts(newest("/v1/metrics", collector.got, False), False) == 2, "both starts")
        lib.wait_until(lambda: newest("/v1/traces", collector.refused, False), "a trace that is refused")
        lib.write("agent.conf", "otlp %s\notlp-protocol http/json\n" % collector.url)
        agent.proc.send_signal(signal.SIGHUP)
        lib.wait_until(lambda: newest("/v1/metrics", collector.got, True), "metrics as JSON")
        collector.is_refusing = None
        lib.wait_until(lambda: newest("/v1/traces", collector.got, True), "the same trace as JSON")
        lib.write("agent.conf", "otlp %s\notlp-protocol grpc\n" % collector.url)
        agent.proc.send_signal(signal.SIGHUP)
        lib.wait_until(lambda: "'grpc' is not http/protobuf or http/json" in agent.said(), "a protocol that is refused")
    collector.close()
    lib.check_equal({headers["Content-Type"] for headers in collector.headers},
                    {"application/x-protobuf", "application/json"}, "types")
    for path, where in (("/v1/metrics", collector.got), ("/v1/traces", collector.refused)):
        got = [settled(kinds[path], newest(path, found, is_json), is_json)
               for found, is_json in ((where, False), (collector.got, True))]
        lib.check(got[0].ByteSize() > 1000, "%s: %d bytes", path, got[0].ByteSize())
        lib.check(got[0] == got[1], "%s differs:\n%s\n%s", path, *got)


@contextlib.contextmanager
def victoria():
    """VictoriaMetrics, which takes OTLP as protobuf alone; its port."""
    tool = os.path.join(os.environ.get("PYIMPORT_TOOLS", "/var/tmp/pyimport-tools"), "victoria-metrics")
    if not os.path.exists(tool):
        raise lib.Skip("no VictoriaMetrics: scripts/test_tools.sh")
    port = free_port()
    server = subprocess.Popen([tool, "-httpListenAddr=127.0.0.1:%d" % port, "-search.latencyOffset=0s",
                               "-storageDataPath=" + os.path.join(lib.workdir(), "victoria")],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield port
    finally:
        server.kill()
        server.wait()


@lib.test()
def test_receiver():
    """A receiver that is not ours takes the protobuf, when it comes up after the agent, and answers with what ran."""
    script = lib.write("received.py", "import json\n")
    with victoria() as port, Cgroup() as cgroup, \
            Agent(cgroup, "--otlp", "http://127.0.0.1:%d/opentelemetry" % port, "--otlp-interval", "300ms") as agent:
        for _ in range(3):
            cgroup.start([lib.system().exe, script]).wait()

        def told(query):
            try:
                found = ask(port, urllib.parse.quote(query))
            except (OSError, ValueError):  # it is not up yet
                return {}
            return {one["metric"].get("entry"): float(one["value"][1]) for one in found}
        lib.wait_until(lambda: told("pyimport_starts") == {script: 3}, "the starts")
        lib.check_equal(told("pyimport_startup_seconds_count"), {script: 3}, "start-ups of the histogram")
        lib.wait_until(lambda: told("count(pyimport_startup_seconds_bucket)").get(None, 0) > 1, "its buckets")
        took = agent.sum_of("pyimport_startup_seconds_sum")
        lib.check(abs(told("pyimport_startup_seconds_sum")[script] - took) < 1e-6, "their sum is not %g", took)
        lib.check_equal(agent.sum_of("pyimport_lost_records_total"), 0, "losses")


@lib.test()
def test_redacted():
    """Neither a directory nor an argument leaves the host, by metrics or by traces."""
    collector = Collector()
    script = lib.write("hidden_directory/shown.py", "import json\n")
    with Cgroup() as cgroup, Agent(cgroup, "--redact", "--otlp", collector.url, "--otlp-interval", "300ms", "--slow-start",
                                   "1ms", *JSON) as agent:
        for _ in range(2):
            cgroup.start([lib.system().exe, script, "--password=hunter2"]).wait()
        lib.wait_until(lambda: collector.sum_of("pyimport_starts") >= 2, "the starts")
        lib.check_equal(agent.sum_of("pyimport_starts_total", entry="shown.py"), 2, "starts")
        told = agent.get("/metrics")[2] + "".join(body.decode() for _, body in collector.got)
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


# What a program reads of the wall clock, shifted by the seconds in a file; the monotonic clock is as it is.
CLOCK = r"""#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
static long shift(void)
{
	FILE *file = fopen(getenv("CLOCK_SHIFT"), "r");
	long seconds = 0;
	if (file && fscanf(file, "%ld", &seconds) != 1)
		seconds = 0;
	if (file)
		fclose(file);
	return seconds;
}
int clock_gettime(clockid_t id, struct timespec *out)
{
	int (*real)(clockid_t, struct timespec *) = dlsym(RTLD_NEXT, "clock_gettime");
	int err = real(id, out);
	if (!err && id == CLOCK_REALTIME)
		out->tv_sec += shift();
	return err;
}
time_t time(time_t *out)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	if (out)
		*out = now.tv_sec;
	return now.tv_sec;
}
"""


@lib.test()
def test_clock_set():
    """The clock is set back by ten years, then ahead by twenty: sums, times and pushes go on."""
    lib.needs_command("cc")
    source, shim = lib.write("clock.c", CLOCK), os.path.join(lib.workdir(), "clock.so")
    subprocess.run(["cc", "-shared", "-fPIC", "-O2", source, "-o", shim, "-ldl"], check=True)
    shift = lib.write("shift", "0")
    script, collector, year_s = lib.write("timed.py", "import json\n"), Collector(), 365 * 86400
    with Cgroup() as cgroup, Agent(cgroup, "--otlp", collector.url, "--otlp-interval", "300ms", *JSON,
                                   env={"LD_PRELOAD": shim, "CLOCK_SHIFT": shift}) as agent:
        for count, years in enumerate((0, -10, 20), 1):
            lib.write("shift", str(years * year_s))
            cgroup.start([lib.system().exe, script]).wait()
            lib.wait_until(lambda n=count: collector.sum_of("pyimport_starts") >= n, "start %d at the collector" % count)
            now_s = time.time() + years * year_s
            point = next(metric["sum"]["dataPoints"][0] for metric in collector.of("/v1/metrics")[-1]["resourceMetrics"][0]
                         ["scopeMetrics"][0]["metrics"] if metric["name"] == "pyimport_starts")
            lib.check(abs(int(point["timeUnixNano"]) / 1e9 - now_s) < 86400, "not by the clock of then: %r", point)
            lib.check(int(point["startTimeUnixNano"]) <= int(point["timeUnixNano"]), "begins after its end: %r", point)
        lib.check_equal(agent.sum_of("pyimport_starts_total"), 3, "starts")
        lib.check_equal(agent.sum_of("pyimport_startup_seconds_count"), 3, "measured start-ups")
        lib.check(0 < agent.sum_of("pyimport_startup_seconds_sum") < 86400, "times by the wall clock")
    collector.close()


if __name__ == "__main__":
    lib.main()
