#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""--view advice and JSON "findings": what they say is what happens when one does it."""
import os
import re
import shutil
import subprocess

import lib


def findings(process, rule):
    return [f for f in process["findings"] if f["rule"] == rule]


def at(process, rule, file, line):
    """The finding of a rule at a place; None if there is none."""
    found = [f for f in findings(process, rule)
             if f["line"] == line and (f["file"] or "").endswith("/" + file)]
    lib.check(len(found) <= 1, "%d findings %s at %s:%d", len(found), rule, file, line)
    return found[0] if found else None


def need(process, rule, file, line):
    found = at(process, rule, file, line)
    lib.check(found, "no %s at %s:%d among %s", rule, file, line,
              [f["id"] for f in process["findings"]])
    return found


# --- predicted against measured ------------------------------------------------------------------

# The last line of a program: when it had started up. What a module costs when the interpreter takes
# it down again at exit is not part of that.
STARTED = "import time; print('started', time.monotonic_ns())\n"

def start_up(argv, opts=()):
    """Traces a run. Returns (nanoseconds to the program's last line, its process)."""
    done, trace = lib.trace(argv, opts=opts)
    lib.check_equal(done.rc, 0, "status, %r" % done.err[-500:])
    trace.check_complete()
    process = trace.python()
    ended = int(re.search(rb"^started (\d+)$", done.out, re.M).group(1))
    return ended - process["start_ns"], process


def deferred_copy(base, place):
    """A copy of the program in which the line file:line is a no-op, as if it stood in a function
    that this run does not call."""
    file, line = place
    to = os.path.join(lib.workdir(), "deferred-%s-%d" % (os.path.basename(file), line))
    shutil.copytree(base, to)
    path = os.path.join(to, os.path.relpath(file, base))
    with open(path, encoding="utf-8") as source:
        lines = source.read().splitlines(keepends=True)
    lines[line - 1] = re.match(r"\s*", lines[line - 1]).group(0) + "pass\n"
    with open(path, "w", encoding="utf-8") as source:
        source.writelines(lines)
    return to


def compile_all(interp, path):
    subprocess.run([interp.exe, "-m", "compileall", "-q", path], check=True)


def loaded(process):
    return {i["module"] for i in process.imports if i["result"] == "loaded"}


def resident(process):
    """What the process's memory grew by while it imported."""
    return sum(i["self_rss"]["anon"] + i["self_rss"]["file"] for i in process.imports
               if i["via"] != "main")


class Proof:
    """What was predicted for each place, and what a copy without that line really did."""

    def __init__(self, interp, base, places):
        self.interp, self.base, self.places = interp, base, places
        self.copies = {place: deferred_copy(base, place) for place in places}
        for path in (base, *self.copies.values()):
            compile_all(interp, path)

    def finding(self, process, place):
        return need(process, "deferrable-import", os.path.relpath(place[0], self.base), place[1])

    def check_modules(self):
        """As many modules are gone as was said. This does not depend on any clock. A few may stay:
        what import_module finds loaded, and some names behind `from package import`, is not seen. A
        few more may go: what packages import at exit is outside of any import, and taken to stay."""
        _, before = start_up([self.interp.exe, self.base + "/main.py"])
        for place in self.places:
            _, after = start_up([self.interp.exe, self.copies[place] + "/main.py"])
            gone, new = loaded(before) - loaded(after), loaded(after) - loaded(before)
            said = self.finding(before, place)["evidence"]["modules"]
            print("%s:%d: %d modules said to vanish, %d did" % (*place, said, len(gone)))
            bytes_said = self.finding(before, place)["saving_bytes"]
            bytes_did = resident(before) - resident(after)
            print("%s:%d: %.1f MB said to vanish, %.1f MB did" % (*place, bytes_said / 1e6,
                                                                  bytes_did / 1e6))
            lib.check(abs(bytes_said - bytes_did) <= max(0.15 * bytes_did, 2e6), "%d bytes said to "
                      "vanish without %s:%d, %d did", bytes_said, *place, bytes_did)
            lib.check(not new, "new modules: %s", new)
            lib.check(abs(said - len(gone)) <= 0.03 * said, "%d modules said to vanish without "
                      "%s:%d, %d did", said, *place, len(gone))


def tool(*files):
    """A command-line tool that imports all its commands at once."""
    base = os.path.join(lib.workdir(), "tool")
    for name, text in files:
        lib.write("tool/" + name, text)
    return base


def eager_tool():
    return tool(("main.py", "from app.cli import main\nmain()\n" + STARTED),
                ("app/__init__.py", ""),
                ("app/cli.py", "from app.commands import train, serve, store\n\n\ndef main():\n"
                 "    print('usage')\n"),
                ("app/commands/__init__.py", ""),
                ("app/commands/train.py", "import pandas\n\n\ndef run():\n    pandas.DataFrame()\n"),
                ("app/commands/serve.py", "import fastapi\nimport logging\n"),
                ("app/commands/store.py", "import numpy\nimport boto3\n"))


def eager_proof():
    interp = lib.system()
    lib.needs_module(interp, "pandas", "fastapi", "boto3")
    base = eager_tool()
    return Proof(interp, base, [(base + "/app/commands/train.py", 1),
                                (base + "/app/commands/serve.py", 1),
                                (base + "/app/commands/store.py", 2), (base + "/app/cli.py", 1)])


def django_proof():
    """A framework that imports much of itself through importlib.import_module."""
    interp = lib.system()
    lib.needs_module(interp, "django", "IPython")
    base = tool(("main.py", "import settings_of_it\nimport shell\n" + STARTED),
                ("settings_of_it.py", "import django\nfrom django.conf import settings\n"
                 "settings.configure(INSTALLED_APPS=['django.contrib.auth',"
                 " 'django.contrib.contenttypes'])\ndjango.setup()\n"),
                ("shell.py", "import json\nimport IPython\n"))
    return Proof(interp, base, [(base + "/shell.py", 2), (base + "/main.py", 1)])


@lib.test(params={"eager": eager_proof, "django": django_proof})
def test_what_vanishes(make):
    make().check_modules()


# What each module of known_program sleeps, in milliseconds.
SLEEPS = {"own": 40, "shared": 30, "other": 20, "deep": 50, "deeper": 60}


def known_program():
    """main -> a -> own, shared; main -> b -> shared, other; main:3 -> deep -> deeper."""
    def body(name, *lines):
        return "\n".join((*lines, "import time", "time.sleep(%f)" % (SLEEPS[name] / 1e3), ""))
    base = tool(("main.py", "import app.a\nimport app.b\nimport app.deep\n" + STARTED),
                ("app/__init__.py", ""), ("app/a.py", "import app.own\nimport app.shared\n"),
                ("app/b.py", "import app.shared\nimport app.other\n"),
                ("app/own.py", body("own")), ("app/shared.py", body("shared")),
                ("app/other.py", body("other")), ("app/deep.py", body("deep", "import app.deeper")),
                ("app/deeper.py", body("deeper")))
    return base


@lib.test()
def test_saving_is_known():
    """A saving is the self time of exactly what vanishes: what that slept is in it, and what the
    modules that stay slept is not. Both hold however slow the machine is."""
    base = known_program()
    # Places, and what sleeps there: `shared` is brought by two.
    places = {(base + "/app/a.py", 1): {"own"}, (base + "/app/b.py", 2): {"other"},
              (base + "/main.py", 3): {"deep", "deeper"}, (base + "/app/deep.py", 1): {"deeper"}}
    proof = Proof(lib.system(), base, list(places))
    _, before = start_up([proof.interp.exe, base + "/main.py"])
    all_ns = sum(lib.own_ns(i) for i in before.imports if i["via"] != "main")
    for place, sleepers in places.items():
        _, after = start_up([proof.interp.exe, proof.copies[place] + "/main.py"])
        gone = loaded(before) - loaded(after)
        found = proof.finding(before, place)
        slept_ns = sum(SLEEPS[name] for name in sleepers) * 1e6
        stays_ns = sum(SLEEPS.values()) * 1e6 - slept_ns
        lib.check(slept_ns <= found["saving_ns"] <= all_ns - stays_ns, "%s:%d: %d ns, slept %d, "
                  "what stays %d of %d", *place, found["saving_ns"], slept_ns, stays_ns, all_ns)
        self_ns = sum(lib.own_ns(i) for i in before.imports if i["module"] in gone)
        lib.check_equal(found["saving_ns"], self_ns, "%s:%d: self times of %s" % (*place, gone))


# --- the first page ------------------------------------------------------------------------------

def first_page(*argv):
    report = os.path.join(lib.workdir(), "page.txt")
    subprocess.run([lib.TOOL, "--width", "200", "--report", report, "--", *argv],
                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=lib.clean_env(), check=False)
    with open(report, encoding="utf-8") as page:
        return page.read()


@lib.test()
def test_used_is_no_saving():
    """A program that calls what it imports saves nothing by importing that later."""
    exe = lib.system().exe
    program = lib.write("used.py", "import multiprocessing\n"
                        "with multiprocessing.Pool(1) as pool:\n    pool.map(len, ['a'])\n")
    lines = first_page(exe, program).splitlines()
    rows = [at for at, line in enumerate(lines) if "used.py:1 imports multiprocessing" in line]
    lib.check_equal(len(rows), 1, "rows for it")
    lib.check("(used at " in lines[rows[0]], "%s", lines[rows[0]])
    above = [line for line in lines[:rows[0]] if line.startswith("  What deferring")][-1]
    lib.check("would only move" in above, "stands below %r", above)


@lib.test()
def test_nothing_to_defer():
    """The first page says so where imports take long and no statement would save any of it."""
    lib.write("nd_slow.py", "import time\ntime.sleep(0.1)\n")
    lib.write("nd_one.py", "import nd_slow\n")
    lib.write("nd_two.py", "def two():\n    import nd_slow\n")
    program = lib.write("nothing.py", "import nd_one\nimport nd_two\nnd_two.two()\n")
    for opts, has_sentence in (((program,), False), (("-S", "-c", "import nd_slow"), True)):
        page = first_page(lib.system().exe, *opts)
        lib.check_equal("No import statement was found" in page, has_sentence, page)


@lib.test()
def test_no_such_script():
    """Of a script that is not there nothing can be deferred; that of .pth files is not its author's."""
    page = first_page(lib.system().exe, os.path.join(lib.workdir(), "nosuch.py"))
    lib.check("Ended with status 2" in page, "%s", page)
    lib.check("deferring" not in page, "%s", page)


if __name__ == "__main__":
    lib.main()
