#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""report --from importtime: real logs of every interpreter, read without root."""
import json
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
import lib  # noqa: E402

LINE = re.compile(rb"import time: +(-?\d+) \| +(\d+) \| ( *)(\S.*)$")
CACHED = re.compile(rb"import time: +cached +\| +cached +\| +(\S.*)$")


def report(path, *args):
    done = subprocess.run([lib.TOOL, "report", "--from", "importtime", path, *args],
                          capture_output=True, env=lib.clean_env(), cwd=lib.workdir())
    lib.check_equal(done.returncode, 0, "status, %r" % done.stderr)
    return done.stdout


def write_log(interp, code, option="importtime"):
    run = subprocess.run([*interp.argv, "-X", option, "-c", code], stdout=subprocess.DEVNULL,
                         stderr=subprocess.PIPE, env=lib.clean_env())
    path = os.path.join(lib.workdir(), "import.log")
    with open(path, "wb") as file:
        file.write(run.stderr)
    return path, run.stderr.splitlines()


@lib.test(params=lambda: lib.all_interpreters(min_minor=7))
def test_every_version(interp):
    """The names, times and nesting of the log, with other output between its lines."""
    interp.prepare()
    path, lines = write_log(interp, "import sys, json\nsys.stderr.write('half a line ')\n"
                            "import csv\nsys.stderr.write('noise\\n')\n"
                            "try:\n    import absent_\nexcept ImportError:\n    pass\n")
    theirs = [m for m in map(LINE.search, lines) if m]
    lib.check(len(theirs) > 20, "no log: %s", lines[:3])
    doc = json.loads(report(path, "--format", "json"))
    lib.check_equal(len(doc["processes"]), 1, "processes")
    imports = doc["processes"][0]["imports"]
    lib.check_equal(sorted(i["module"] for i in imports), sorted(m[4].decode() for m in theirs),
                    "names")
    lib.check_equal(sorted(i["wall_ns"] for i in imports), sorted(int(m[2]) * 1000 for m in theirs),
                    "cumulative times")
    ids = {i["id"]: i for i in imports}
    # Nesting: a line's parent is the next line that is indented less.
    parents = {}
    for index, line in enumerate(theirs):
        outer = [m for m in theirs[index + 1:] if len(m[3]) < len(line[3])]
        parents.setdefault(line[4].decode(), []).append(outer[0][4].decode() if outer else None)
    for i in imports:
        parent = ids[i["parent"]]["module"] if i["parent"] else None
        lib.check(parent in parents[i["module"]], "%s is below %s, in the log below %s",
                  i["module"], parent, parents[i["module"]])
    lib.check(all(i["importer"]["file"] is None and i["cpu_ns"] is None for i in imports),
              "what no log tells was made up")
    process = doc["processes"][0]
    lib.check(process["from_log"] and not process["attached_late"] and process["pid"] is None and
              process["phases"] is None and not doc["complete"], "what the process is: %s",
              {k: v for k, v in process.items() if not isinstance(v, list)})
    # Out again in the same format: the same lines.
    ours = [m for m in map(LINE.search, report(path, "--format", "importtime").splitlines()) if m]
    lib.check_equal([(m[2], m[3], m[4]) for m in ours], [(m[2], m[3], m[4]) for m in theirs],
                    "written again")


@lib.test(params=lambda: lib.all_interpreters(min_minor=14))
def test_cached(interp):
    """-X importtime=2: imports found in sys.modules are counted."""
    interp.prepare()
    path, lines = write_log(interp, "import json, csv\nimport json", "importtime=2")
    cached = [m[1].decode() for m in map(CACHED.search, lines) if m]
    lib.check(len(cached) > 20, "no cached lines: %s", lines[:3])
    process = json.loads(report(path, "--format", "json"))["processes"][0]
    counts = {}
    for name in cached:
        counts[name] = counts.get(name, 0) + 1
    lib.check_equal({e["module"]: e["cached"] for e in process["edges"]}, counts, "counts")
    lib.check_equal(process["counts"]["cached"], len(cached), "their sum")
    lib.check_equal(len(process["imports"]), len([m for m in map(LINE.search, lines) if m]), "imports")


@lib.test()
def test_threads():
    """Threads that import at once make impossible times: told, nothing negative is shown."""
    code = ("import threading\nmods = 'csv decimal xml.dom.minidom http.server asyncio unittest "
            "email.message logging.config'.split()\n"
            "threads = [threading.Thread(target=__import__, args=(m,)) for m in mods]\n"
            "[t.start() for t in threads]\n[t.join() for t in threads]\n")
    path, lines = write_log(lib.system(), code)
    negative = [m for m in map(LINE.search, lines) if m and int(m[1]) < 0]
    doc = json.loads(report(path, "--format", "json"))
    lib.check(all(i["self_ns"] >= 0 for p in doc["processes"] for i in p["imports"]), "negative")
    text = report(path).decode()
    if not negative:
        raise lib.Skip("no self time below zero in this log")
    lib.check(re.search(r"%d self times? (is|are) below\s+zero" % len(negative), text),
              "%d below zero, not told:\n%s", len(negative), text[:800])


@lib.test()
def test_no_savings():
    """A log knows nobody who asks: advice says that savings are not known, not that there are none."""
    path, _ = write_log(lib.system(), "import json, csv")
    text = " ".join(report(path, "--view", "advice").decode().split())
    lib.check("what deferring one would save is not known" in text, text)
    lib.check("Nothing to gain" not in text and "upper bounds" not in text, text)


@lib.test()
def test_round_trip():
    """What --format importtime writes of a trace reads as the same imports, per process, thread."""
    script = lib.write("rt.py", "import threading\n"
                       "t = threading.Thread(target=__import__, args=('decimal',))\n"
                       "t.start()\nt.join()\nimport csv\n")
    path = os.path.join(lib.workdir(), "out.log")
    done = subprocess.run([lib.TOOL, "--format", "importtime", "--report", path, "--",
                           lib.system().exe, script], capture_output=True, env=lib.clean_env())
    lib.check_equal(done.returncode, 0, "status, %r" % done.stderr)
    doc = json.loads(report(path, "--format", "json"))
    imports = doc["processes"][0]["imports"]
    lib.check(doc["processes"][0]["pid"], "no pid")
    tids = {i["module"]: i["tid"] for i in imports}
    lib.check(tids["decimal"] != tids["csv"], "one thread: %s", tids)
    again = report(path, "--format", "importtime").decode().splitlines()
    with open(path, encoding="utf-8") as file:
        first = file.read().splitlines()
    names = [[l.split("|")[2] for l in text if l.count("|") == 2] for text in (first, again)]
    lib.check_equal(names[1], names[0], "written again")


if __name__ == "__main__":
    lib.main()
