#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Figures against the truth: what the tool shows of a program, and what untraced runs say, of the same
program and of copies in which the statements of a finding are really gone. Runs take turns in an order
that changes, each first in line for a processor, and the best third of them counts. Where that does not
tell yet, there are more rounds, of which all count.

usage: check.py [-n ROUNDS] [NAME…]   NAME: any part of a program's name"""
import argparse
import contextlib
import os
import random
import statistics
import sys

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)),
                os.path.dirname(os.path.dirname(os.path.abspath(__file__)))]

import lib  # noqa: E402
import programs  # noqa: E402
import real  # noqa: E402
import surgery  # noqa: E402
import truth  # noqa: E402
from untraced import Place  # noqa: E402

FINDINGS, TRIES, BOUTS = 5, 20, 3
NS_MAX = 10e6
STARTUP_SHARE, SAVING_SHARE = 0.05, 0.10
OPTS = ["--ring", "64mb"]
FIRST = ["chrt", "-f", "10"]
SPY = {"atexit"} # what the spy itself imports
RANDOM_SEEDS = range(10)


def ms(ns):
    return "-" if ns is None else "%.1f ms" % (ns / 1e6)


def low(values):
    """What else runs on a machine makes a run longer, never shorter: the mean of the best third."""
    best = sorted(values)[:max(1, (len(values) + 2) // 3)]
    return statistics.mean(best)


class Finding:
    """One of the first findings: what is shown of it in each round, and what is true."""

    def __init__(self, name, number, doc):
        self.name, self.number = name, number
        self.key = (doc["rule"], tuple(truth.places_of(doc)))
        self.confidence, self.places = doc["confidence"], truth.places_of(doc)
        self.shown, self.least, self.most, self.true = [], [], [], []
        self.told = self.gone = self.bounds = None
        self.place, self.fault = None, None

    def title(self, base):
        return ", ".join("%s:%s" % (os.path.relpath(f, base) if f and f.startswith(base + "/")
                                    else f, n) for f, n, _ in self.places)


class Tally:
    """All rows: those out of bounds, and how often each level of confidence was right."""

    def __init__(self):
        self.bad, self.rows, self.levels, self.untried, self.noisy = [], 0, {}, 0, 0
        self.shown = 3 # names of modules

    def row(self, name, what, shown, true, verdict, note=""):
        self.rows += 1
        line = "%-14s %-34s %11s %11s  %-5s %s" % (name, what, shown, true, verdict, note)
        print(line.rstrip(), flush=True)
        self.noisy += verdict == "noise"
        if verdict == "OUT":
            self.bad.append(line)

    def level(self, confidence, is_set_right, word):
        level = self.levels.setdefault(confidence, [0, 0, 0, 0])
        level[0] += 1
        level[1] += is_set_right
        level[2] += word != "noise"
        level[3] += word == "ok"

    def end(self):
        print("\n%d rows, %d out of bounds, %d in which the runs differ by more than that, "
              "%d findings could not be tried" % (self.rows, len(self.bad), self.noisy, self.untried))
        for confidence, (all_, sets, judged, right) in sorted(self.levels.items()):
            print("confidence %s: %d of %d sets equal, %d of %d savings within bounds" % (
                confidence, sets, all_, right, judged))
        for line in self.bad:
            print(line)


def spread(values):
    """Two halves of the runs, told apart: what they differ by is no more than chance."""
    return abs(low(values[::2]) - low(values[1::2])) if len(values) > 1 else 0


def startup_ns(process):
    """(start-up, imports) as text reports show them: what tracing took is taken off. The body of `-m`
    has own work, too, in which tracing took something."""
    startup, mains = process["startup"], {i["id"] for i in process.imports if i["via"] == "main"}
    inside = sum(i["overhead_total_ns"] or 0 for i in process.imports if i["id"] not in mains and
                 i["tid"] == process.pid and (i["parent"] is None or i["parent"] in mains) and
                 startup["run_ns"] <= i["start_ns"] <= startup["end_ns"])
    return (startup["wall_ns"] - (startup["overhead_ns"] or 0), startup["imports_ns"] - inside)


def within(shown, true, share):
    return abs(shown - true) <= max(share * abs(true), NS_MAX)


def verdict(shown, true, share, chance):
    """`noise`: out of bounds, but so are the runs among themselves."""
    if within(shown, true, share):
        return "ok"
    return "noise" if chance > max(share * abs(true), NS_MAX) else "OUT"


class Check:
    def __init__(self, name, argv, base, tally):
        self.name, self.argv, self.base, self.tally = name, argv, base, tally
        self.startup, self.imports, self.whole = ([], []), ([], []), []
        self.before = self.process = self.losses = None
        self.full = Place(argv, base, [])
        self.findings = []

    def trace(self):
        for _ in range(TRIES): # a start that came while the tracer looked elsewhere, say
            done, doc = lib.trace(FIRST + self.argv, opts=OPTS, cwd=self.base)
            if doc["complete"] and any(p.imports for p in doc.processes):
                break
        if self.before and done.rc != self.before.rc:
            raise AssertionError("status %d traced, %d untraced" % (done.rc, self.before.rc))
        self.losses = self.losses or lib.losses(doc.doc)
        return doc.python()

    def choose(self):
        found = [f for f in self.process["findings"]
                 if f["rule"] in ("deferrable-import", "deferrable-together")]
        for doc in found:
            finding = Finding(self.name, len(self.findings) + 1, doc)
            try:
                pairs = surgery.changed(finding.places, "%s/%s.%d" % (
                    lib.workdir(), self.name, len(self.findings)))
            except (surgery.Cannot, SyntaxError) as error:
                finding.fault = str(error)
            else:
                finding.place = Place(self.argv, self.base, pairs)
                self.try_first(finding)
            self.findings.append(finding)
            if len(self.findings) == FINDINGS:
                break

    def try_first(self, finding):
        run = finding.place.run()
        if run.rc != self.before.rc:
            finding.fault = "it ends with status %d: %s" % (run.rc, finding.place.why())
        elif not run.modules:
            finding.fault = "it ends without its exit handlers"
        elif set(run.modules) - set(self.before.modules):
            finding.fault = "it takes another way: " + " ".join(sorted(
                set(run.modules) - set(self.before.modules))[:3])

    def untraced(self, seed):
        """One run of each place. The first one behind a trace starts slower, and does not count."""
        places = [self.full] + [f.place for f in self.findings if not f.fault]
        random.Random(seed).shuffle(places)
        self.full.run()
        return {place: place.run() for place in places}

    def round(self, process, seed):
        runs = self.untraced(seed)
        run = runs[self.full]
        self.whole.append(run.whole_ns)
        startup = process["startup"]
        if self.tally.shown > 3:
            print("    " + ", ".join("%s %.1f" % (k.removesuffix("_ns"), startup[k] / 1e6) for k in (
                "wall_ns", "earlier_images_ns", "interpreter_ns", "site_ns", "imports_ns",
                "own_ns", "held_ns", "overhead_ns") if startup[k] is not None))
        shown_ns = startup_ns(process)
        for pair, shown, true in ((self.startup, shown_ns[0], run.startup_ns),
                                  (self.imports, shown_ns[1], run.imports_ns)):
            pair[0].append(shown)
            pair[1].append(true)
        docs = {(f["rule"], tuple(truth.places_of(f))): f for f in process["findings"]
                if f["rule"].startswith("deferrable")}
        for finding in self.findings:
            doc = docs.get(finding.key)
            if finding.fault or not doc:
                continue
            gone = runs[finding.place]
            finding.shown.append(doc["saving_ns"])
            finding.least.append(doc["evidence"]["least_saving_ns"])
            finding.most.append(doc["evidence"]["most_saving_ns"])
            finding.true.append(gone.whole_ns)
            finding.told = truth.told(process, doc) - SPY
            finding.bounds = truth.bounds(process, doc)
            known = {i["module"] for i in process.imports if i["result"] == "loaded"} - SPY
            finding.gone = (set(run.modules) - set(gone.modules)) & known

    def is_clear(self):
        """Did the runs tell of all times whether they are right?"""
        return (all(self.judge_startup(pair) == "ok" for pair in (self.startup, self.imports)) and
                all(self.judge_saving(f)[0] == "ok" for f in self.findings if f.true))

    @staticmethod
    def judge_startup(pair):
        return verdict(*map(low, pair), STARTUP_SHARE, max(map(spread, pair)))

    def judge_saving(self, finding):
        """(verdict, shown, true, least and most that it says itself)"""
        shown, true = low(finding.shown), low(self.whole) - low(finding.true)
        least_ns, most_ns = shown, shown
        if finding.confidence != "high": # it says itself that the figure may be another
            least_ns = low(finding.least)
            most_ns = max(true, shown) if None in finding.most else low(finding.most)
        chance = spread(self.whole) + spread(finding.true) + spread(finding.shown)
        word = verdict(min(max(true, least_ns), most_ns), true, SAVING_SHARE, chance)
        return word, shown, true, least_ns, most_ns

    def report(self):
        if self.losses:
            self.tally.row(self.name, "lost while tracing", str(self.losses), "", "OUT")
        for what, pair in (("start-up", self.startup), ("imports", self.imports)):
            self.tally.row(self.name, what, *map(ms, map(low, pair)), self.judge_startup(pair))
        for finding in self.findings:
            self.report_one(finding)

    def report_one(self, finding):
        what = "saving %d %s" % (finding.number, finding.title(self.base))
        if finding.fault or not finding.true:
            self.tally.untried += 1
            print("%-14s %s: not tried: %s" % (self.name, what, finding.fault or "it was told once"))
            return
        word, shown, true, least_ns, most_ns = self.judge_saving(finding)
        # At high confidence it says of no module that it may be otherwise.
        sure, most = (finding.told,) * 2 if finding.confidence == "high" else finding.bounds
        more, less = sure - SPY - finding.gone, finding.gone - most
        note = "%s, %d modules" % (finding.confidence, len(finding.gone))
        if finding.confidence != "high":
            note += ", %s to %s" % (ms(least_ns), ms(most_ns))
        if finding.told != finding.gone and not more and not less:
            note += " (%d said not to be sure)" % len(finding.told ^ finding.gone)
        for sign, names in (("+", more), ("-", less)):
            if names:
                note += " %s%d %s" % (sign, len(names), " ".join(sorted(names)[:self.tally.shown]))
        word = "OUT" if more or less else word
        self.tally.level(finding.confidence, finding.told == finding.gone, word)
        self.tally.row(self.name, what[-60:], ms(shown), ms(true), word, note)

    def measure(self, rounds):
        self.before = self.full.run()
        self.process = self.trace()
        self.choose()
        for n in range(BOUTS * rounds):
            if n and not n % rounds and self.is_clear():
                break
            self.round(self.process if not n else self.trace(), n)
        self.report()

    def close(self):
        for place in [self.full] + [f.place for f in self.findings if f.place]:
            place.close()


def all_programs():
    """Name → make(), which returns (argv, directory) or raises lib.Skip."""
    interp = lib.system()

    def of_real(name, make):
        base = os.path.join(lib.workdir(), name)
        os.makedirs(base, exist_ok=True)
        needs, argv = make(base)
        lib.needs_module(interp, *needs)
        return argv, base

    def of_files(name, files):
        base = truth.make(name, files)
        return [interp.exe, base + "/main.py"], base

    found = {name: lambda n=name, m=make: of_real(n, m) for name, make in real.PROGRAMS.items()}
    files = dict(programs.KNOWN)
    files.update({"random%d" % seed: programs.at_random(seed) for seed in RANDOM_SEEDS})
    found.update({name: lambda n=name, f=text: of_files(n, f) for name, text in files.items()})
    return found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("-n", type=int, default=5, help="rounds")
    parser.add_argument("-v", action="store_true", help="all modules that differ")
    parser.add_argument("names", nargs="*")
    args = parser.parse_args()
    tally, done = Tally(), 0
    tally.shown = 1000 if args.v else 3
    print("%-14s %-34s %11s %11s  verdict" % ("program", "figure", "shown", "truth"))
    for name, make in all_programs().items():
        if args.names and not any(part in name for part in args.names):
            continue
        try:
            argv, base = make()
        except lib.Skip as skip:
            print("%-14s skipped: %s" % (name, skip))
            continue
        with contextlib.closing(Check(name, argv, base, tally)) as check:
            check.measure(args.n)
        done += 1
    print("%d programs, %d rounds each" % (done, args.n))
    tally.end()
    sys.exit(bool(tally.bad))


if __name__ == "__main__":
    main()
