#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What must hold on every page about any program: parts are the whole, a share is at most all, one thing
has one count, processes that did the same are told once."""
import json
import os
import re
import sys

import lib
from lib import adds_up

VIEWS = ("summary", "modules", "tree", "blame", "workers", "advice", "service", "phases", "causes",
         "files", "libs", "net", "inventory")
FAIL = """
import json
try:
    import cs_absent
except ImportError:
    pass
import http.server
import cs_absent_too
"""
BUILD = """
import multiprocessing, subprocess, sys
for _ in range(3):
    subprocess.run([sys.executable, "-c", "import json, decimal"], check=True)
def work(n):
    import html.parser
    barrier.wait()
barrier = multiprocessing.get_context("fork").Barrier(3)
with multiprocessing.get_context("fork").Pool(3) as pool:
    pool.map(work, range(3), 1)
"""
# A master and its workers: each waits for a connection, then goes.
SERVE = """
import logging, os, select, socket, sys, time
sock = socket.socket()
sock.bind(("127.0.0.1", 0))
sock.listen()
for _ in range(3):
    if not os.fork():
        import decimal, html.parser
        time.sleep(0.05)
        select.select([sock], [], [], 0.1)
        os._exit(0)
for _ in range(3):
    os.wait()
"""
# Replaces itself in the course of its start-up.
EXECS = """
import json, os, sys
if len(sys.argv) < 2:
    import decimal
    os.execv(sys.executable, [sys.executable, __file__, "again"])
import http.server
"""
# Children that import, exec another program, or do neither.
FORKS = """
import json, os, sys
for n in range(4):
    pid = os.fork()
    if not pid:
        if n == 1:
            import decimal
        elif n == 2:
            os.execv(sys.executable, [sys.executable, "-c", "import csv"])
        elif n == 3:
            os.execv("/bin/true", ["true"])
        os._exit(0)
    os.waitpid(pid, 0)
import html.parser
"""
# A daemon: it ends twice before it does its work.
DAEMON = """
import json, os, time
for _ in range(2):
    if os.fork():
        os._exit(0)
    os.setsid()
import decimal, html.parser
time.sleep(0.2)
import csv
"""
# The last import never ends.
KILLED = """
import json, os, signal, sys
class Finder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name == "cs_never":
            import decimal
            os.kill(os.getpid(), signal.SIGKILL)
sys.meta_path.insert(0, Finder)
import cs_never
"""
# A module that LazyLoader found counts when it is used: what it took to find it, too.
LAZY = """
import importlib.machinery, importlib.util, sys, time
class Finder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        if name == "colorsys":
            time.sleep(0.05)
            spec.loader = importlib.util.LazyLoader(spec.loader)
        return spec
sys.meta_path.insert(0, Finder)
import colorsys
colorsys.rgb_to_yiq
import decimal
"""
ENDS = {"raises": "import json\nimport http.server\nraise ValueError\n",
        "leaves": "import json, sys\ntry:\n    import cs_absent\nfinally:\n    sys.exit(3)\n"}
PROGRAMS = {
    "execs": (None, EXECS), "forks": (None, FORKS), "daemon": (None, DAEMON), "killed": (None, KILLED),
    **{name: (None, text) for name, text in ENDS.items()},
    "pandas": ("pandas", "import pandas\n"), "django": ("django", None),
    "fails": (None, FAIL), "lazy": (None, LAZY), "build": (None, BUILD), "serve": (None, SERVE),
}


def django():
    sys.path.insert(0, os.path.join(lib.TESTS, "truth"))
    import real
    return real.django(lib.workdir())[1]


def capture(program):
    needs, text = program
    if needs:
        lib.needs_module(lib.system(), needs)
    argv = django() if text is None else [lib.SYSTEM, lib.write("cs_main.py", text)]
    path = os.path.join(lib.workdir(), "cs.cap")
    lib.trace(argv, opts=("-o", path))
    return path


def report(path, *opts, status=0):
    done = lib.run([lib.TOOL, "report", path, *opts])
    lib.check_equal(done.rc, status, "%s: %s; status" % (opts, done.err.decode()))
    return done.out.decode()


def one_line(text):
    """Sentences as they were before they were broken to the width."""
    return re.sub(r"\n +(?=\S)", " ", text)


def check_shares(view, text):
    for number, what in re.findall(r"\b(\d+)%( of [^,;\n]*)?", text):
        lib.check(int(number) <= 100, "%s: %s%%%s", view, number, what)


def check_folded(view, text, processes):
    """A heading for each group, not for each of its processes."""
    heads = re.findall(r"^\S[^\n]*\(pid (\d+)", text, re.M)
    groups = [p["group"] for p in processes if str(p["pid"]) in heads]
    lib.check_equal(len(groups), len(set(groups)), "%s: headings %s, groups %s" % (view, heads, groups))


def check_spread(text):
    """The figure of the headline lies within what is said of all for which it stands."""
    found = re.findall(r"(?:\+ |= |\()imports (%s)(?:(?!imports)[\s\S])*?Stands for \d+ processes[^:]*: "
                       r"imports (%s) to (%s)" % ((adds_up.TIME,) * 3), one_line(text))
    for imports, least, most in found:
        (ns, slack), low, high = [adds_up.printed(word) for word in (imports, least, most)]
        lib.check(low[0] - low[1] - slack <= ns <= high[0] + high[1] + slack, "%s is not in %s to %s",
                  imports, least, most)
    return len(found)


def check_segments(text):
    """What took the time until it was ready is what the headline says: own work, imports."""
    for own, table in re.findall(r"own work (%s)(?:(?!own work %s)[\s\S])*?\n  What took the time[^\n]*\n"
                                 r"[^\n]*\n((?:  +\S[^\n]*\n)+)" % (adds_up.TIME, adds_up.TIME), text):
        rows = [re.match(r" *(%s) " % adds_up.TIME, line).group(1) for line in table.splitlines()
                if line.endswith("  own work") or "  own work, " in line]
        parts = [adds_up.printed(row) for row in rows]
        want, slack = adds_up.printed(own)
        lib.check(sum(ns for ns, _ in parts) <= want + slack + sum(s for _, s in parts),
                  "own work of %s has the parts %s", own, rows)


def check_imports(view, text):
    """What the imports took is one figure, of which the shares are."""
    for imports, whole in re.findall(r"(?:\+ |= |\()imports (%s)(?:(?!imports %s)[\s\S])*?%% of the imports' "
                                     r"(%s) " % ((adds_up.TIME,) * 3), one_line(text)):
        lib.check_equal(whole, imports, "%s: imports" % view)


def check_counts(text, processes):
    """The headline's counts are those of the JSON."""
    by_pid = {str(p["pid"]): [] for p in processes} # an image each
    for process in processes:
        counts = process["counts"]
        by_pid[str(process["pid"])].append([counts[key] for key in ("loaded", "cached", "failed")])
    found = re.findall(r"\(pid (\d+)[^\n]*\).*?([\d,]+) modules? loaded, ([\d,]+) imports? found in "
                       r"sys.modules(?:, ([\d,]+) failed)?", one_line(text))
    lib.check(found, "no headline with counts in:\n%s", text[:2000])
    for pid, *words in found:
        counts = [int((word or "0").replace(",", "")) for word in words]
        lib.check(counts in by_pid[pid], "of %s: %s, not in %s", pid, counts, by_pid[pid])


def check_advice(processes):
    """No saving is more than all imports; a finding's place occurs once."""
    for process in processes:
        imports_ns = sum(i["self_ns"] or 0 for i in process["imports"])
        for found in process["findings"] or []:
            saving = found["saving_ns"]
            lib.check(saving is None or 0 <= saving <= imports_ns, "%s saves %s of %s", found["id"],
                      saving, imports_ns)


def check_pages(path, program=None, status=0):
    doc = json.loads(report(path, "--format", "json", status=status))
    processes = [p for p in doc["processes"] if p["is_python"]]
    if not doc["trace"]["cut"]: # what was lost stands at the end
        lib.report.check_invariants(doc)
    check_advice(processes)
    for view in VIEWS:
        text = report(path, "--view", view, status=status)
        if program == PROGRAMS["forks"] or program == PROGRAMS["execs"]:
            lib.check("ran on when tracing ended" not in text, "%s: all ended:\n%s", view, text)
        adds_up.check_headlines(text)
        check_shares(view, text)
        check_imports(view, text)
        check_folded(view, text, processes)
        spreads = check_spread(text)
        lib.check_equal(spreads, len(re.findall(r"Stands for [^:]*: imports", one_line(text))),
                        "%s: spreads" % view)
        lib.check(spreads or program not in (PROGRAMS["build"], PROGRAMS["serve"]) or
                  view == "workers", "%s: nothing is folded", view)
        if view != "workers":
            check_counts(text, processes)
        if view == "service":
            check_segments(text)
    text = report(path, status=status)
    lib.check_equal(adds_up.check_headlines(text) > 0, True, "headlines of the summary:\n" + text)


@lib.test(PROGRAMS)
def test_pages(program):
    check_pages(capture(program), program)


@lib.test()
def test_pages_of_what_is_cut():
    """A capture that ends in the midst says so, and its figures agree all the same."""
    path = capture(PROGRAMS["build"])
    os.truncate(path, os.path.getsize(path) * 2 // 3)
    check_pages(path, status=1)


OWN = """
import sc_settings, sc_views
try:
    import sc_absent
except ImportError:
    pass
sc_views.late()
"""
SCREENS = {
    "gunicorn": ("gunicorn", ["/usr/bin/gunicorn", "--check-config", "sc_app:app"]),
    "uvicorn": ("uvicorn", [lib.SYSTEM, "-m", "uvicorn", "--port", "0", "sc_app:asgi"]),
    "own": (None, [lib.SYSTEM, "sc_own.py"]),
    "mercurial": ("mercurial", ["/usr/bin/hg", "--version", "-q"]),
    "mypy": ("mypy", ["/usr/bin/mypy", "--version"]),
    "pytest": ("pytest", [lib.SYSTEM, "-m", "pytest", "--version"]),
}


@lib.test(SCREENS)
def test_screens(screen):
    """The default view of a program fits a terminal of 24 lines: 80 columns or more."""
    module, argv = screen
    if module:
        lib.needs_module(lib.system(), module)
    lib.write("sc_app.py", "import asyncio, json, os, signal, sqlite3\n"
              "def app(environ, start):\n    return []\n"
              "async def asgi(scope, receive, send):\n    await receive()\n"
              "    await send({'type': 'lifespan.startup.complete'})\n"
              "    asyncio.get_running_loop().call_later(0.5, os.kill, os.getpid(), signal.SIGTERM)\n"
              "    await receive()\n"
              "    await send({'type': 'lifespan.shutdown.complete'})\n")
    lib.write("sc_settings.py", "import configparser, decimal\nimport sc_views\n")
    lib.write("sc_views.py", "import sc_settings, html.parser\ndef late():\n    import http.server, sc_models\n")
    lib.write("sc_models.py", "import xml.dom.minidom, unittest.mock\n")
    lib.write("sc_own.py", OWN)
    path = os.path.join(lib.workdir(), "screen.cap")
    lib.run([lib.TOOL, "record", "-o", path, "--", *argv], cwd=lib.workdir())
    for width in ("80", "100"):
        # How long others were held depends on what runs beside.
        text = re.sub(r"^(?:Of other programs|[\d,]+ starts? w)[^\n]*\n(?: +[^\n]*\n)*", "",
                      report(path, "--width", width), flags=re.M)
        lib.check(text.count("\n") <= 24, "%d lines:\n%s", text.count("\n"), text)
        lib.check(max(map(len, text.splitlines())) <= int(width), "too wide:\n%s", text)
        lib.check("Next: --view" in text, "%s", text)


@lib.test()
def test_diff_of_one():
    """A run compared with itself differs in nothing."""
    path = capture(PROGRAMS["fails"])
    doc = json.loads(lib.run([lib.TOOL, "diff", "--format", "json", path, path]).out)
    pairs = [p for p in doc["pairs"] if p["modules"]]
    lib.check(pairs, "nothing was compared: %s", doc)
    for pair in pairs:
        lib.check_equal((pair["new"], pair["gone"]), ([], []), "came and went")
        lib.check_equal({m["change"] for m in pair["modules"]}, {"same"}, "changes")


if __name__ == "__main__":
    lib.main()
