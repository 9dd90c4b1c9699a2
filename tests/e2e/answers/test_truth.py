#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Savings against the truth: for each of the first findings of a program, its statements are taken
out of a copy, which runs untraced; what is gone from sys.modules must be what the finding says. The
modules sleep, so that a saving has bounds that hold however slow the machine is."""
import json
import os
import re
import sys

import lib

sys.path.insert(0, os.path.join(lib.TESTS, "truth"))

import programs  # noqa: E402
import truth  # noqa: E402

FINDINGS = 5


def deferrals(process, base):
    """The first of those that can be tried: nothing but files of the program."""
    found = [f for f in process["findings"]
             if f["rule"] in ("deferrable-import", "deferrable-together") and
             all(file.startswith(base + "/") for file, _, _ in truth.places_of(f))]
    return found[:FINDINGS]


def slept_ns(files, modules):
    total = 0
    for path, text in files.items():
        name = path.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
        if name in modules:
            total += sum(float(s) * 1e9 for s in re.findall(r"time\.sleep\(([\d.]+)\)", text))
    return total


def check_saving(files, process, finding, gone):
    """What it slept is in it, and what stays slept is not."""
    all_ns = sum(lib.own_ns(i) for i in process.imports if i["via"] != "main")
    names = {i["module"] for i in process.imports}
    least_ns, rest_ns = slept_ns(files, gone), slept_ns(files, names - gone)
    lib.check(least_ns <= finding["saving_ns"] <= all_ns - rest_ns, "%s: %d ns, of which %d slept; %d of "
              "%d slept by what stays", finding["id"], finding["saving_ns"], least_ns, rest_ns, all_ns)


def check_program(name, files, least):
    base = truth.make(name, files)
    interp = lib.system()
    done, trace = lib.trace([interp.exe, base + "/main.py"], cwd=base)
    process = trace.python()
    lib.check_equal(done.rc, 0, "status, %r" % done.err[-300:])
    found = deferrals(process, base)
    lib.check(len(found) >= least, "%d findings, at least %d are true", len(found), least)
    for finding in found:
        places = truth.places_of(finding)
        gone = truth.vanished(lambda at: [interp.exe, at + "/main.py"], base, places)
        told = truth.told(process, finding)
        where = "%s (%s)" % ([(os.path.relpath(f, base), n, asked) for f, n, asked in places],
                             finding["message"])
        if finding["confidence"] == "high":
            lib.check_equal(sorted(told), sorted(gone), "what vanishes without " + where)
            check_saving(files, process, finding, gone)
        else: # what was not seen may change it, and it says how much
            least, most = truth.bounds(process, finding)
            lib.check(least <= gone <= most, "without %s: %s do not vanish, %s do", where, least - gone,
                      gone - most)
            self_ns = sum(lib.own_ns(i) for i in process.imports if i["module"] in gone)
            lib.check(finding["evidence"]["least_saving_ns"] <= self_ns <=
                      finding["evidence"]["most_saving_ns"], "%d ns are saved without %s", self_ns, where)
        print("%s: %.1f ms, %d modules" % (finding["message"], finding["saving_ns"] / 1e6, len(gone)))


@lib.test(params={name: name for name in programs.KNOWN})
def test_known(name):
    check_program(name, programs.KNOWN[name], least=1)


@lib.test(params={str(seed): seed for seed in range(12)})
def test_random(seed):
    check_program("random%d" % seed, programs.at_random(seed), least=0)


@lib.test()
def test_use():
    """What the run used after importing it is told with the place and the function it came to."""
    base = truth.make("use", programs.KNOWN["function"])
    capture = os.path.join(lib.workdir(), "use.cap")
    lib.run([lib.TOOL, "record", "-o", capture, "--", lib.SYSTEM, base + "/main.py"])
    text = lib.run([lib.TOOL, "report", capture, "--view", "advice", "--width", "300"]).out.decode()
    lib.check("this run used it at use/main.py:2 (which came to use/heavy.py:2 in f0)" in text, text)
    doc = json.loads(lib.run([lib.TOOL, "report", capture, "--format", "json"]).out)
    process = next(p for p in doc["processes"] if p["findings"])
    used = next(f for f in process["findings"] if f["file"].endswith("main.py"))["evidence"]["used"]
    lib.check_equal((os.path.basename(used["file"]), used["line"], used["function"]),
                    ("heavy.py", 2, "f0"), "the place of use")
    lib.check_equal((os.path.basename(used["caller"]["file"]), used["caller"]["line"]), ("main.py", 2), "its caller")


KILLED = {"main.py": "import done\nimport cut\n", "done.py": programs.body(),
          "cut.py": programs.body("import below", "import os", "os.kill(os.getpid(), 9)"),
          "below.py": programs.body()}


@lib.test()
def test_killed():
    """Of an import that the process did not live to end the time is not known: the saving is told as
    what is sure, others are as ever."""
    base = truth.make("killed", KILLED)
    _, trace = lib.trace([lib.SYSTEM, base + "/main.py"])
    process = trace.python()
    lib.check(process.one("cut")["self_ns"] is None, "the time of what did not end")
    found = {truth.places_of(f)[0][2]: f for f in deferrals(process, base)}
    lib.check_equal(sorted(found), ["below", "cut", "done"], "findings")
    for name, confidence in (("done", "high"), ("cut", "medium"), ("below", "high")):
        evidence = found[name]["evidence"]
        lib.check_equal((found[name]["confidence"], evidence["most_saving_ns"] is None),
                        (confidence, name == "cut"), "confidence, and whether there may be more, of " + name)
    lib.check(found["cut"]["saving_ns"] >= 20e6, "below slept %d ns", found["cut"]["saving_ns"])


# What only code objects, instructions and names tell apart: each statement brings one module.
ONE_LINE = {"main.py": "import one, two\ncalls = lambda: __import__('three'), lambda: __import__('four')\n"
            "for call in calls:\n    call()\n",
            **{name + ".py": programs.body() for name in ("one", "two", "three", "four")}}


@lib.test(params=lib.core_interpreters)
def test_statements_of_one_line(interp):
    interp.prepare()
    base = truth.make("one_line", ONE_LINE)
    _, trace = lib.trace([*interp.argv, base + "/main.py"])
    process = trace.python()
    found = {truth.places_of(f)[0]: truth.told(process, f) for f in deferrals(process, base)}
    want = {(1, "one"): {"one"}, (1, "two"): {"two"}, (2, "three"): {"three"}, (2, "four"): {"four"}}
    if interp.version < (3, 11): # code says nothing of columns
        want[2, "three"] |= want.pop((2, "four"))
    lib.check_equal(found, {(base + "/main.py", *key): names for key, names in want.items()},
                    "statements and what they bring")


if __name__ == "__main__":
    lib.main()
