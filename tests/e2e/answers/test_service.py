#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""--view service: why a service takes long to be ready, on one page."""
import os
import re
import subprocess
import time

import lib
from lib import adds_up, pods

MAIN = """
import os, select, socket, threading, time
import sv_ocr
time.sleep(0.3)
sock = socket.socket()
sock.bind(("127.0.0.1", 0))
sock.listen()
if not os.fork():
    import sv_worker
    select.select([sock], [], [], 0.1)
    os._exit(0)
select.select([sock], [], [], 0.1)
import sv_late
os.wait()
"""
OCR = """
import os, socket, time
HERE = os.path.dirname(os.path.abspath(__file__))
models = [open(HERE + name, "rb").read() for name in ("/hub.bin", "/cache.bin")]
sock = socket.socket()
sock.settimeout(5)
try:
    sock.connect(("127.0.0.1", 9))
except OSError:
    pass
time.sleep(0.2)
"""


def section(text, title):
    """The lines of a table, below the line that begins so."""
    found = re.search(r"^ *%s[^\n]*\n((?:  +\S[^\n]*\n)+)" % re.escape(title), text, re.M)
    lib.check(found, "'%s' is not in:\n%s", title, text)
    return found.group(1).splitlines()[1:]


def ns(text):
    return adds_up.printed(text)[0]


def report(*argv):
    done = subprocess.run([lib.TOOL, *argv], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          cwd=lib.workdir(), env=lib.tool_env(), timeout=lib.PATIENCE_S)
    lib.check_equal(done.returncode, 0, "%s: %s; status" % (argv, done.stderr.decode()))
    return done.stdout.decode()


def service():
    lib.write("sv_ocr.py", OCR)
    lib.write("sv_worker.py", "import time\ntime.sleep(0.15)\n")
    lib.write("sv_late.py", "import colorsys\n")
    for name in ("hub.bin", "cache.bin"):
        lib.write(name, "m" * 3000000)
    return lib.write("sv_main.py", MAIN)


@lib.test()
def test_one_page():
    """What took the time, files, network and late imports, of the program and of its worker."""
    text = report("--view", "service", "--", lib.SYSTEM, service())
    main, worker = re.split(r"\n(?=\S[^\n]*, child of )", text)
    took = section(main, "What took the time, of")
    lib.check(any("imports sv_ocr" in line for line in took), "sv_ocr: %s", took)
    lib.check(any("own work" in line for line in took), "own work: %s", took)
    files = section(main, "Largest files used before it was ready")
    lib.check(all(any(name in line and "3.00 MB" in line and "sv_ocr" in line for line in files)
                  for name in ("hub.bin", "cache.bin")), "files: %s", files)
    lib.check("the same 3.00 MB are read from 2 files" in main, "two of one content:\n%s", main)
    net = section(main, "Connections, look-ups and sockets before it was ready")
    lib.check(any("127.0.0.1:9" in line and "sv_ocr" in line for line in net), "network: %s", net)
    late = section(main, "Imported when it was ready")
    lib.check(len(late) == 1 and "sv_late" in late[0], "late: %s", late)
    lib.check("imports sv_worker" in section(worker, "What took the time, of")[0], "%s", worker)


@lib.test({"service": "service", "phases": "phases"})
def test_times(view):
    """The worker's readiness counts from the program's begin; no part is more than the whole."""
    text = report("--view", view, "--", lib.SYSTEM, service())
    rows = [re.findall(adds_up.TIME, line) for line in section(text, "Time to ready, counted from")]
    begin, listen, ready = map(ns, rows[0])
    lib.check(begin == 0 < listen <= ready, "the program: %s", rows)
    fork, forked_ready = map(ns, rows[1])
    lib.check(listen <= fork < forked_ready and forked_ready - fork >= 0.15e9, "the worker: %s",
              rows)
    heads = re.findall(r"  (?:Forked from [^\n]* )?Ready (%s) after the program began" % adds_up.TIME, text)
    lib.check_equal([ns(head) for head in heads], [forked_ready], "the worker's headline")
    if view == "phases":
        return
    for whole, table in re.findall(r"What took the time, of (%s)[^\n]*\n[^\n]*\n((?:  +\S[^\n]*\n)+)"
                                   % adds_up.TIME, text):
        times = [ns(re.findall(adds_up.TIME, line)[0]) for line in table.splitlines()]
        shares = [int(share) for share in re.findall(r" (\d+)%  ", table)]
        lib.check(times == sorted(times, reverse=True), "the dearest first: %s", times)
        lib.check(sum(times) <= ns(whole) * 1.01 and sum(shares) <= 102, "%s: %s", whole, table)


@lib.test()
def test_worker_phases():
    """Between the begin of a worker and its readiness there is what it did, not an empty bar."""
    report("record", "-o", "w.cap", "--", lib.SYSTEM, service())
    for view in ("phases", "service"):
        text = report("report", "w.cap", "--width", "80", "--view", view)
        lib.check("imports sv_ocr" in text and "imports sv_worker" in text, "cut:\n%s", text)
    text = report("report", "w.cap", "--view", "phases", "--width", "160")
    worker = re.split(r"\n(?=\S[^\n]*, child of )", text)[1]
    lib.check(re.search(r"  imports sv_worker \([^\n]*sv_main.py:9\)[^\n]*\u2588", worker),
              "its import:\n%s", worker)


COMPOSE = """
import time
clocks = [time.monotonic_ns()]
import os, select, socket, sys
import sv_model
if os.path.exists("/srv/%(name)s/down"):
    os.unlink("/srv/%(name)s/down")
    sys.exit(3)
sock = socket.socket()
sock.bind(("127.0.0.1", 0))
sock.listen()
clocks.append(time.monotonic_ns())
select.select([sock], [], [], 0.001)
clocks.append(time.monotonic_ns())
print("own clock:", *clocks, flush=True)
select.select([sock], [], [])
"""
MODEL = """
import time
models = [open("/srv/%%s/model.bin" %% name, "rb").read() for name in %r]
time.sleep(%f)
"""


@lib.test()
def test_compose():
    """Two containers, each with its own copy of a model, one with two; one of them fails and is
    started again. Times to ready are those by the programs' own clocks, and one command tells all."""
    out = os.path.join(lib.workdir(), "out.txt")
    with pods.Pods() as pod:
        names = {n: "pyi-%s-%d" % (n, os.getpid()) for n in ("api", "ocr")}
        opts = ["-w", "/srv"]
        for n in (*names, "cache"):
            path = lib.write("srv/%s/model.bin" % n, "m" * 3000000)
            opts += ["-v", "%s:/srv/%s" % (os.path.dirname(path), n)]
        for n, models, slept in (("api", ("api", "cache"), 0.4), ("ocr", ("ocr",), 0.2)):
            lib.write("srv/%s/main.py" % n, COMPOSE % {"name": n})
            lib.write("srv/%s/sv_model.py" % n, MODEL % (models, slept))
        lib.write("srv/ocr/down", "")
        with lib.Tracer("--container", ",".join(names.values()), "--wait", "--until-ready", "-o",
                        "c.cap", env=pod.env) as tracer:
            begin_ns = time.monotonic_ns()
            pod.run(names["ocr"], pods.PYTHON, "ocr/main.py", opts=opts)
            lib.check_equal(pod.wait(names["ocr"]), 3, "status of the first start")
            pod.podman("start", names["ocr"])
            pod.run(names["api"], pods.PYTHON, "api/main.py", opts=opts)
            tracer.finish()
            lib.wait_until(lambda: all(b"own clock" in pod.podman("logs", name).stdout
                                       for name in names.values()), "what the clocks say")
            clocks = {n: [int(s) for s in pod.podman("logs", name).stdout.split()[-3:]]
                      for n, name in names.items()}
        trace = tracer.trace()
    text = report("report", "--view", "service", "c.cap")
    rows = {}
    for line in section(text, "Time to ready, counted from"):
        start = re.match(r" *container ([\w-]+)(, start 2)?", line)
        if start:
            key = start[1], bool(start[2])
        elif "(pid " in line:
            rows[key] = line
    lib.check("(status 3)" in rows[names["ocr"], False], "the first start: %s", rows)
    for name, again in (("ocr", True), ("api", False)):
        process, = [p for p in trace["processes"] if p["is_python"] and p["end_ns"] is None and
                    p["container"]["name"] == names[name]]
        ready_ns, = [p["start_ns"] for p in process["phases"] if p["name"] == "ready"]
        began_ns, least_ns, most_ns = clocks[name]
        lib.check(begin_ns < process["start_ns"] < began_ns < least_ns < ready_ns < most_ns,
                  "%s: begins %s, ready %s, by its own clock %s", name, process["start_ns"],
                  ready_ns, clocks[name])
        shown = ns(re.findall(adds_up.TIME, rows[names[name], again])[2])
        truth = ready_ns - process["start_ns"] - process["startup"]["overhead_ns"] - \
            process["startup"]["held_ns"]
        lib.check(abs(shown - truth) < truth / 100, "%s: ready after %s, but %s shown", name,
                  truth, shown)
        same, = [s for s in process["same_content"] if s["size"] == 3000000]
        there, = [p for p in trace["processes"] if p["serial"] == same["elsewhere"][0]["process"]]
        lib.check_equal(there["container"]["id"], same["elsewhere"][0]["container"], "the other one")
        lib.check(there["container"]["name"] != names[name], "%s", same)
        lib.check_equal(len(same["paths"]), {"api": 2, "ocr": 1}[name], "paths of its own")
    lib.check_equal(text.count("the same 3.00 MB are read from 3 files: "), 1, "of the api:\n" + text)


if __name__ == "__main__":
    lib.main()
