#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The exports, opened by the programs they are for: graphviz, promtool and a second OpenMetrics
parser (speedscope: test_speedscope.py). All figures are compared with the JSON of the same capture.
Chrome traces are checked to nest, OTLP to be a tree."""
import collections
import json
import os
import subprocess
import time
import xml.etree.ElementTree as tree

from lib.exports import EVERY, export, record, record_script
import lib

TOOLS = os.environ.get("PYIMPORT_TOOLS", "/var/tmp/pyimport-tools")


# --- Chrome trace events -------------------------------------------------------------------------

def check_nesting(events):
    """Slices of one track nest perfectly. Returns the depth each has."""
    tracks = collections.defaultdict(list)
    for event in events:
        if event["ph"] == "X":
            lib.check(event["dur"] >= 0 and event["ts"] >= 0, "times: %r", event)
            # Nanoseconds, exactly: sums of fractions would not compare.
            start = round(event["ts"] * 1000)
            tracks[event["pid"], event["tid"]].append((start, start + round(event["dur"] * 1000),
                                                       event))
    for track, slices in tracks.items():
        stack = []
        for start, end, event in slices: # as written: parents first
            while stack and stack[-1][1] <= start and not (
                    stack[-1][2]["args"].get("id") == event["args"].get("parent") and
                    end <= stack[-1][1]):
                stack.pop()
            lib.check(not stack or end <= stack[-1][1], "%s overlaps %s on %s", event["name"],
                      stack and stack[-1][2]["name"], track)
            lib.check(not stack or start >= stack[-1][0], "%s is before %s", event["name"],
                      stack and stack[-1][2]["name"])
            if stack and "import" in event["cat"]:
                lib.check_equal(event["args"].get("parent"), stack[-1][2]["args"].get("id"),
                                "what is around %s" % event["name"])
            stack.append((start, end, event))
    return tracks


def check_chrome(cap, doc):
    trace = json.loads(export(cap, "chrome"))
    events = trace["traceEvents"]
    check_nesting(events)
    named = {(e["pid"], e["tid"]) for e in events if e["ph"] == "M" and e["name"] == "thread_name"}
    slices = [e for e in events if e["ph"] == "X" and e["cat"].startswith("import")]
    lib.check({(e["pid"], e["tid"]) for e in slices} <= named, "tracks without a name")
    loads = [i for p in doc.processes for i in p.imports]
    lib.check_equal(sorted(e["args"]["id"] for e in slices), sorted(i["id"] for i in loads), "ids")
    by_id = {i["id"]: i for i in loads}
    origin = trace["otherData"]["origin_ns"]
    for event in slices:
        load = by_id[event["args"]["id"]]
        lib.check_equal(event["name"], load["module"], "name")
        if load["wall_ns"] is not None and not load["inherited"]:
            lib.check_equal(round(event["ts"] * 1000) + origin, load["start_ns"], "start")
            lib.check_equal(round(event["dur"] * 1000), load["wall_ns"], "duration")
    # Phases open and close, each with its own id.
    for phase in "be":
        ids = [e["id"] for e in events if e["ph"] == phase]
        lib.check_equal(len(ids), len(set(ids)), "ids of phases")
    lib.check_equal(sorted(e["id"] for e in events if e["ph"] == "b"),
                    sorted(e["id"] for e in events if e["ph"] == "e"), "begun and ended phases")
    return events


@lib.test(params=EVERY)
def test_chrome(name):
    cap, doc = record_script(name)
    events = check_chrome(cap, doc)
    if name != "threads":
        return
    # The arrow leads from the load that held the lock to the one that waited for it.
    waits = [w for p in doc.processes for w in p["waits"]]
    lib.check(waits, "no thread waited")
    starts = {e["id"]: e for e in events if e["ph"] == "s"}
    ends = {e["id"]: e for e in events if e["ph"] == "f"}
    lib.check_equal(set(starts), set(ends), "arrows that begin and end")
    lib.check_equal(len(starts), len([w for w in waits if w["owner"] is not None]), "arrows")
    for number, start in starts.items():
        lib.check(start["ts"] <= ends[number]["ts"], "an arrow back in time")
        lib.check(start["tid"] != ends[number]["tid"], "an arrow to itself")
        for event, what in ((start, "ex_shared"), (ends[number], "waiting for ex_shared")):
            around = [e["name"] for e in events if e["ph"] == "X" and e["tid"] == event["tid"]
                      and e["ts"] <= event["ts"] <= e["ts"] + e["dur"]]
            lib.check(what in around, "an end of the arrow is in %r, not in %s", around, what)


@lib.test()
def test_chrome_greenlets():
    """Imports that only overlap in time get tracks of their own."""
    lib.needs_module(lib.system(), "gevent")
    for n in range(6):
        lib.write("gl_%d.py" % n, "import gevent\ngevent.sleep(0.01)\nimport gl_sub_%d\n"
                  "gevent.sleep(0.01)\n" % n)
        lib.write("gl_sub_%d.py" % n, "import gevent\ngevent.sleep(0.005)\n")
    script = lib.write("gl.py", "import gevent\n"
                       "def work(n): __import__('gl_%d' % n)\n"
                       "gevent.joinall([gevent.spawn(work, n) for n in range(6)])\n")
    cap, doc = record([lib.system().exe, script])
    names = doc.python().names()
    lib.check({"gl_%d" % n for n in range(6)} <= names, "not all loaded: %r",
              [n for n in names if n.startswith("gl")])
    events = check_chrome(cap, doc)
    lib.check(any("overlapping" in e["args"].get("name", "") for e in events if e["ph"] == "M"),
              "six imports at once, and one track")


# --- folded stacks -------------------------------------------------------------------------------

@lib.test(params=EVERY)
def test_folded(name):
    """stack, blank, number; sums are the JSON's, for whatever was measured."""
    cap, doc = record_script(name)
    measures = {
        "time": lib.own_ns,
        "cpu": lambda i: lib.own_ns(i, "self_cpu_ns"),
        "memory": lambda i: i.get("self_rss") and i["self_rss"]["anon"] + i["self_rss"]["file"],
        "bytes": lambda i: i.get("self_io") and i["self_io"]["bytes_read"],
    }
    loads = [i for p in doc.processes for i in p.imports]
    for measure, get in measures.items():
        if all(get(i) is None for i in loads):
            done = subprocess.run([lib.TOOL, "report", cap, "--format", "folded", "--by", measure],
                                  capture_output=True, env=lib.tool_env())
            lib.check_equal(done.returncode, 1, "status for what was not measured")
            lib.check(measure.encode() in done.stderr, "said: %r", done.stderr)
            continue
        lines = export(cap, "folded", "--by", measure).splitlines()
        total = collections.Counter()
        for line in lines:
            stack, _, number = line.rpartition(" ")
            lib.check(stack and " " not in stack, "blanks in %r", line)
            lib.check(int(number) > 0, "no cost: %r", line)
            total[stack.split(";")[-1]] += int(number)
        lib.check_equal(sum(total.values()), sum(max(get(i) or 0, 0) for i in loads), measure)
        if measure == "time" and name == "hostile":
            lib.check("evil\\x3bsemi\\x20colon" in total, "separators: %r", list(total)[-12:])


# --- graphviz ------------------------------------------------------------------------------------

def nodes_of(svg):
    space = "{http://www.w3.org/2000/svg}"
    return ["\n".join(t.text or "" for t in group.iter(space + "text"))
            for group in svg.iter(space + "g") if group.get("class") == "node"]


@lib.test(params=EVERY)
def test_dot(name):
    lib.needs_command("dot")
    cap, doc = record_script(name)
    names = {i["module"] for p in doc.processes for i in p.imports}
    done = subprocess.run(["dot", "-Tsvg"], input=export(cap, "dot", "--top", "1000").encode(),
                          capture_output=True)
    lib.check(done.returncode == 0 and not done.stderr, "dot: %r", done.stderr)
    nodes = nodes_of(tree.fromstring(done.stdout))
    lib.check_equal(len(nodes), len(names), "nodes")
    shown = {n.split("\n")[0].replace("\xa0", " ") for n in nodes}
    harmless = {n for n in names if not n.startswith("evil")}
    lib.check(harmless <= shown, "not in the picture: %r", sorted(harmless - shown)[:5])
    if name == "hostile":
        for text in ("evil;semi colon", "evil<b>&amp;", "evil|pipe", "evil\"quote\\\\back",
                     "evil\\x1b[31m", "evil\\\\n\\\\N\\\\G"):
            lib.check(text in shown, "%r is not shown: %r", text,
                      [s for s in shown if "evil" in s])
    few = subprocess.run(["dot", "-Tsvg"], input=export(cap, "dot", "--top", "5").encode(),
                         capture_output=True, check=True).stdout
    lib.check(0 < len(nodes_of(tree.fromstring(few))) <= 5, "--top 5")


# --- OpenMetrics ---------------------------------------------------------------------------------

@lib.test(params=EVERY)
def test_openmetrics(name):
    cap, doc = record_script(name)
    process = doc.python()
    text = export(cap, "openmetrics", "--top", "1000")
    lib.check(text.endswith("# EOF\n"), "the end: %r", text[-80:])
    if not os.path.exists(TOOLS + "/promtool"):
        raise lib.Skip("no promtool in %s: scripts/test_tools.sh fetches it" % TOOLS)
    done = subprocess.run([TOOLS + "/promtool", "check", "metrics"], input=text.encode(),
                          capture_output=True)
    lib.check_equal(done.returncode, 0, "promtool: %s" % (done.stderr + done.stdout).decode())
    try:
        from prometheus_client.openmetrics import parser
    except ImportError:
        raise lib.Skip("no python3-prometheus-client; promtool is content") from None
    values = {(s.name, s.labels.get("module") or s.labels.get("result")): s.value
              for family in parser.text_string_to_metric_families(text) for s in family.samples}
    self_ns = collections.Counter()
    for load in process.imports:
        if load["via"] != "main" and load["wall_ns"] is not None:
            self_ns[load["module"]] += lib.own_ns(load)
    told = {k[1]: v for k, v in values.items() if k[0] == "pyimport_module_self_seconds"}
    lib.check_equal(len(told), len(self_ns), "modules")
    for module, ns in self_ns.items():
        if not module.startswith("evil"):
            lib.check_equal(round(told[module] * 1e9), ns, module)
    for result in ("loaded", "failed", "unfinished"):
        lib.check_equal(values["pyimport_modules", result], process["counts"][result], result)
    startup = [p for p in process["phases"] if p["name"] == "startup"][0]
    lib.check_equal(round(values["pyimport_startup_seconds", None] * 1e9),
                    startup["end_ns"] - startup["start_ns"] - process["startup"]["overhead_ns"],
                    "start-up")
    lib.check_equal(values["pyimport_complete", None], float(doc["complete"]), "complete")


# --- OTLP ----------------------------------------------------------------------------------------

@lib.test(params=EVERY)
def test_otlp(name):
    """One trace per start-up, a tree of spans, in the JSON encoding of protobuf that OTLP asks for:
    ids in hex, 64-bit numbers as strings."""
    before = time.time_ns()
    cap, doc = record_script(name)
    after = time.time_ns()
    process = doc.python()
    requests = [json.loads(export(cap, "otlp")) for _ in range(2)]
    lib.check_equal(requests[0], requests[1], "the same capture twice")
    spans, traces = {}, set()
    for resource in requests[0]["resourceSpans"]:
        keys = [a["key"] for a in resource["resource"]["attributes"]]
        lib.check_equal(len(keys), len(set(keys)), "attributes of the resource")
        lib.check({"service.name", "process.pid", "host.name"} <= set(keys), "%r", keys)
        for scope in resource["scopeSpans"]:
            for span in scope["spans"]:
                lib.check(span["spanId"] not in spans, "span id twice")
                spans[span["spanId"]] = span
                traces.add(span["traceId"])
    lib.check_equal(len(traces), 1, "traces")
    roots = [s for s in spans.values() if "parentSpanId" not in s]
    lib.check_equal(len(roots), 1, "roots")
    lib.check_equal(len([s for s in spans.values() if s["name"].startswith("import ")]),
                    len(process.imports), "spans of imports")
    for ident, span in spans.items():
        lib.check(len(ident) == 16 and int(ident, 16), "span id %r", ident)
        lib.check(len(span["traceId"]) == 32 and int(span["traceId"], 16), "trace id")
        start, end = int(span["startTimeUnixNano"]), int(span["endTimeUnixNano"])
        lib.check(isinstance(span["startTimeUnixNano"], str), "a number that is no string")
        lib.check(before <= start <= end <= after, "%s: %d to %d is not within %d to %d",
                  span["name"], start, end, before, after)
        if "parentSpanId" in span:
            parent = spans[span["parentSpanId"]]
            lib.check(int(parent["startTimeUnixNano"]) <= start, "%s before its parent",
                      span["name"])
        for attribute in span.get("attributes", []):
            (kind, value), = attribute["value"].items()
            lib.check(kind != "intValue" or isinstance(value, str), "%r", attribute)
    failed = [s for s in spans.values() if s.get("status", {}).get("code") == 2]
    lib.check_equal(len(failed), process["counts"]["failed"], "spans with an error")


if __name__ == "__main__":
    lib.main()
