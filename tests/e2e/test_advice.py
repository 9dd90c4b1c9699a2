#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""--view advice and JSON "findings": what they say is what happens when one does it."""
import os
import re
import shutil
import statistics
import subprocess

import lib

ROUNDS = 6
NOISE_MAX = 0.10


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
# A processor of its own, as far as one can have it: what else runs on this machine is no part of
# the question.
ALONE = ["chrt", "-f", "10"]


def start_up(argv):
    """Traces a run. Returns (nanoseconds to the program's last line, its process)."""
    # Our reader is no real-time process: the ring must hold all of it.
    done, trace = lib.trace(ALONE + argv, opts=["--ring", "64mb"])
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

    def check_times(self):
        """Predicted against measured, both traced: times include what the probes cost. Minima over
        rounds that take turns, since what else this machine does only ever adds."""
        before, after = [], {place: [] for place in self.places}
        predicted = {place: [] for place in self.places}
        for _ in range(ROUNDS):
            took, process = start_up([self.interp.exe, self.base + "/main.py"])
            before.append(took)
            for place in self.places:
                predicted[place].append(self.finding(process, place)["saving_ns"])
                after[place].append(start_up([self.interp.exe,
                                              self.copies[place] + "/main.py"])[0])
        noise = statistics.median(before) / min(before) - 1
        print("start-up %.1f ms, noise %.0f%%" % (min(before) / 1e6, noise * 100))
        results = [(place, min(predicted[place]), min(before) - min(after[place]))
                   for place in self.places]
        for place, said, did in results:
            print("%s:%d: predicted %.1f ms, measured %.1f ms" % (*place, said / 1e6, did / 1e6))
        if noise > NOISE_MAX:
            raise lib.Skip("this machine is too busy to measure 10%%: its median start-up is %.0f%% "
                           "above its best" % (noise * 100))
        for place, said, did in results:
            lib.check(abs(said - did) <= max(0.10 * did, 5e6), "%s:%d: predicted %.1f ms, measured "
                      "%.1f ms", *place, said / 1e6, did / 1e6)


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
    lib.needs_command("chrt")
    base = eager_tool()
    return Proof(interp, base, [(base + "/app/commands/train.py", 1),
                                (base + "/app/commands/serve.py", 1),
                                (base + "/app/commands/store.py", 2), (base + "/app/cli.py", 1)])


def django_proof():
    """A framework that imports much of itself through importlib.import_module."""
    interp = lib.system()
    lib.needs_module(interp, "django", "IPython")
    lib.needs_command("chrt")
    base = tool(("main.py", "import settings_of_it\nimport shell\n" + STARTED),
                ("settings_of_it.py", "import django\nfrom django.conf import settings\n"
                 "settings.configure(INSTALLED_APPS=['django.contrib.auth',"
                 " 'django.contrib.contenttypes'])\ndjango.setup()\n"),
                ("shell.py", "import json\nimport IPython\n"))
    return Proof(interp, base, [(base + "/shell.py", 2), (base + "/main.py", 1)])


@lib.test(params={"eager": eager_proof, "django": django_proof})
def test_what_vanishes(make):
    make().check_modules()


@lib.test(params={"eager": eager_proof, "django": django_proof}, exclusive=True, timeout_s=600)
def test_saving_is_real(make):
    make().check_times()


if __name__ == "__main__":
    lib.main()
