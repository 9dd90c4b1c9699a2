#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What tracing asks of a program, counted and not timed: how often the kernel runs our probes."""
import json
import os
import re
import shutil
import subprocess

import lib

# Runs of the probe program per load (`cached`: per import), at the most; by version of Python.
BUDGET = os.path.join(lib.TESTS, "bench", "hits.json")
CNT = 200
IMPORTS_ALONE = ("--no-edges", "--no-cpu", "--no-memory", "--no-files", "--no-net", "--no-phases")
NAMES = """import sys
sys.path.insert(0, %r)
import importlib
"""
WORKLOADS = {
    "statement": "".join("import hp_%d\n" % n for n in range(CNT)),
    "import_module": "for n in range(%d): importlib.import_module('hp_%%d' %% n)\n" % CNT,
    "failed": "for n in range(%d):\n    try: __import__('hp_none_%%d' %% n)\n"
              "    except ImportError: pass\n" % CNT,
    "extension": "for name in %r: __import__(name)\n" % (
        ["_asyncio", "_contextvars", "_ctypes", "_curses", "_decimal", "_hashlib", "_json",
         "_lsprof", "_multibytecodec", "_multiprocessing", "_queue", "_sqlite3", "_ssl", "_uuid",
         "_zoneinfo", "mmap", "readline", "resource", "termios"],),
    "cached": "import os\n" * 5000,
}


def own_interpreter():
    """A file that no other program runs: the kernel counts what hits its probes, whoever it is."""
    path = os.path.join(lib.workdir(), "python")
    shutil.copy(os.path.realpath(lib.SYSTEM), path)
    return path


def traced(script, opts):
    run, trace = lib.trace([own_interpreter(), "-B", script], opts=("--stats", *opts),
                           env=lib.clean_env({"PYTHONHOME": "/usr"}))
    stats = "\n".join(line for line in run.err.decode().splitlines() if line.startswith("stats: "))
    found = re.search(r"site_(?:multi|perf): (\d+) runs", stats)
    if "time in BPF unknown" in stats:
        raise lib.Skip("the kernel does not count: %s" % stats)
    lib.check(found, "no runs of the site program:\n%s", stats)
    return stats, int(found[1]), trace


def count_loads(trace):
    return sum(len(process.imports) for process in trace.processes)


def measure(script, opts):
    """(runs, loads), and that what we count is what the kernel has counted."""
    stats, runs, trace = traced(script, opts)
    hits = int(re.search(r"stats: (\d+) probe hits", stats)[1])
    lib.check_equal(hits, runs, "our count and the kernel's")
    lib.check_equal(trace["probes"]["hits"], runs, "the report's count and the kernel's")
    kinds = re.findall(r"stats: (\d+) hits: ", stats)
    lib.check_equal(sum(map(int, kinds)), runs, "the sum over the kinds of sites")
    return runs, count_loads(trace)


@lib.test(params={"loads": "loads", "full": "full"})
def test_hits(mode):
    """Each workload keeps its budget."""
    opts = IMPORTS_ALONE if mode == "loads" else ()
    for n in range(CNT):
        lib.write("hp/hp_%d.py" % n, "VALUE = 1\n")
    with open(BUDGET) as file:
        budget = json.load(file).get("3.%d" % lib.minor_of("system"))
    if not budget:
        raise lib.Skip("no budget for this Python")
    head = NAMES % (lib.workdir() + "/hp")
    base_runs, base_loads = measure(lib.write("nothing.py", head), opts)
    too_many = []
    for name, body in WORKLOADS.items():
        runs, loads = measure(lib.write("hp.py", head + body), opts)
        loads = 5000 if name == "cached" else loads - base_loads
        lib.check(loads >= 15, "%s: only %d loads", name, loads)
        each = (runs - base_runs) / loads
        print("%s: %d runs, %d loads, %.2f each" % (name, runs - base_runs, loads, each))
        if each > budget[name][mode]:
            too_many.append("%s: %.2f instead of %.2f" % (name, each, budget[name][mode]))
    lib.check(not too_many, "runs per load: %s", "; ".join(too_many))


@lib.test()
def test_overhead():
    """What tracing took stands beside what was measured, grows with the hits, and is off in text."""
    lib.write("oh/oh_many.py", "import os\n" * 5000)
    lib.write("oh/oh_few.py", "import os\n" * 5)
    script = lib.write("oh.py", "import sys\nsys.path.insert(0, %r)\nimport oh_few, oh_many\n" %
                       (lib.workdir() + "/oh"))
    capture = lib.workdir() + "/oh.cap"
    _, live = lib.trace([lib.system().exe, "-B", script], opts=("-o", capture))
    price = live["probes"]["price"]
    lib.check(price and price["trap_ns"] > 0 and price["step_ns"] > 0, "price: %s", price)
    if max(price["trap_ns"], price["end_trap_ns"]) > 2 * min(price["trap_ns"], price["end_trap_ns"]):
        raise lib.Skip("the price of a probe changed while tracing: %s" % price)
    process = live.having("oh_many")[0]
    many, few = process.one("oh_many"), process.one("oh_few")
    least = 5000 * min(price["trap_ns"], price["end_trap_ns"])
    lib.check(many["overhead_ns"] >= min(least, many["self_ns"]), "5,000 hits took only %d ns",
              many["overhead_ns"])
    lib.check(few["overhead_ns"] < many["overhead_ns"], "5 hits took more than 5,000")
    lib.check_equal(process["overhead_total_ns"] - process["overhead_ns"],
                    sum(i["overhead_total_ns"] or 0 for i in process.imports
                        if i["parent"] is None and i["tid"] == process["pid"]),
                    "outside and inside are all")
    shown = {}
    for opts in ((), ("--as-measured",)):
        text = subprocess.run([lib.TOOL, "report", capture, "--format", "importtime", *opts],
                              stdout=subprocess.PIPE, check=True).stdout.decode()
        shown[opts] = int(re.search(r"import time: +\d+ \| +(\d+) \| +oh_many$", text, re.M)[1])
    lib.check_equal(shown[("--as-measured",)], -(-many["wall_ns"] // 1000), "as measured")
    lib.check_equal(shown[()], -(-(many["wall_ns"] - many["overhead_total_ns"]) // 1000),
                    "without what tracing took")


@lib.test()
def test_profiles():
    """Each asks for less than the one before: of probes, and of what the report then knows."""
    script = lib.write("pr.py", "import json\nimport json\n")
    hits = {}
    for name in ("full", "standard", "loads"):
        _, trace = lib.trace([lib.system().exe, script], opts=("--profile", name))
        process = trace.having("json.decoder")[0]
        load = process.one("json.decoder")
        lib.check_equal(os.path.basename(load["importer"]["file"]), "__init__.py", "who asked, " + name)
        hits[name] = trace["probes"]["hits"]
        cached = process["counts"]["cached"]
        lib.check(cached > 0 if name == "full" else cached is None, "cached imports, %s: %s", name, cached)
        lib.check_equal(load["cpu_ns"] is None, name == "loads", "CPU time unknown, " + name)
        lib.check_equal(process["files"] is None, name == "loads", "files unknown, " + name)
    lib.check(hits["full"] > hits["standard"] == hits["loads"], "hits: %s", hits)


# What each view has the kernel do, beside the sites of loads: by programs that only run for it.
PROGRAMS = {"CPU": "cpu_switch", "memory": "memory_switch", "network": "net_fork"}
USES = {
    "tree": {"CPU"}, "modules": {"CPU", "statements"}, "advice": {"CPU", "memory", "network", "statements"},
    "causes": {"CPU", "memory", "network"}, "net": {"CPU", "network"}, "files": {"CPU"},
}
FORKS = "import os, json, json.decoder\nimport json\nif not os.fork(): os._exit(0)\nos.wait()\n"


def used(stats):
    """What was attached, by what has run."""
    found = {name for name, program in PROGRAMS.items() if "stats: %s: " % program in stats}
    return found | ({"statements"} if re.search(r"hits: (?:end of \w+, )?begin of import\n", stats) else set())


@lib.test(params={view: view for view in USES})
def test_uses(view):
    """A live trace turns on what its view shows and nothing else, and says what it left out."""
    script = lib.write("us.py", FORKS)
    run = subprocess.run([lib.TOOL, "--stats", "--view", view, "--", lib.system().exe, script],
                         env=lib.clean_env(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=True)
    text, stats = run.stdout.decode(), run.stderr.decode()
    if "time in BPF unknown" in stats:
        raise lib.Skip("the kernel does not count")
    lib.check_equal(used(stats), USES[view], "what view %s turned on:\n%s" % (view, stats))
    line = " ".join(re.findall(r"^Not recorded: [^.]*", text, re.M | re.S)).replace("\n ", "")
    for part in ("memory", "network"):
        lib.check_equal(part in line, part not in USES[view], "%s in %r" % (part, line))
    lib.check_equal("cached imports" in line, "statements" not in USES[view], line)
    lib.check("which this view shows" not in line, "it lacks what it uses: %s", line)


def report(capture, *opts):
    return subprocess.run([lib.TOOL, "report", capture, *opts], stdout=subprocess.PIPE,
                          check=True).stdout.decode()


@lib.test()
def test_captures():
    """A capture is full of a command and standard of what runs; what it lacks is told with the option."""
    script = lib.write("ca.py", "import sys\nprint('up', flush=True)\nsys.stdin.readline()\n"
                                "import json, json.decoder\nimport json\n")
    capture = {name: os.path.join(lib.workdir(), name + ".cap") for name in ("full", "standard", "loads")}
    for name in ("full", "loads"):
        opts = () if name == "full" else ("--profile", name)
        subprocess.run([lib.TOOL, "record", "-o", capture[name], *opts, "--", lib.system().exe, script],
                       env=lib.clean_env(), input=b"go\n", stdout=subprocess.PIPE, check=True)
    with lib.Target([lib.system().exe, script]) as target:
        target.expect("up")
        with lib.Tracer("record", "-o", capture["standard"], "-p", target.pid, fmt=None):
            target.say()
            target.finish()
    cached = {}
    for name, path in capture.items():
        process, = (p for p in json.loads(report(path, "--format", "json"))["processes"]
                    if p["counts"]["loaded"])
        lib.check("json.decoder" in [i["module"] for i in process["imports"]], "no load in " + name)
        cached[name] = process["counts"]["cached"]
        lib.check_equal(process["files"] is None, name == "loads", "files, " + name)
    lib.check(cached["full"] > 0 and cached["standard"] is cached["loads"] is None, "cached: %s", cached)
    lib.check("Not recorded" not in report(capture["full"]), "full lacks something")
    for name, view, text in (
            ("standard", "summary", "Not recorded: cached imports, which this view shows; --profile full"),
            ("standard", "advice", "Not recorded: cached imports, which this view shows; --profile full"),
            ("loads", "files", "files and readiness, which this view shows; --profile standard")):
        got = report(capture[name], "--view", view, "--width", "200")
        lib.check(text in got, "%s of %s:\n%s", view, name, got)
    lib.check("found in sys.modules" not in report(capture["standard"]), "a count that is not known")


if __name__ == "__main__":
    lib.main()
