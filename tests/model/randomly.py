#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Random programs, seen by the tracer and by a spy inside: randomly.py [-n N] [-s SEED] [-v] [INTERP…]

N programs (default 30) from SEED (default 1) on, on each interpreter whose name contains one of
INTERP (default: all). Prints each class of difference with how often it was and an example; -v
prints every difference. Seeds whose programs differed are added to .output/random_seeds.
Status 1 if there was a class that tests/model/known does not have."""
import ast
import getopt
import os
import shlex
import sys

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True
sys.path[:0] = [TESTS, os.path.join(TESTS, "model")]
import compare  # noqa: E402
import generate  # noqa: E402
import lib  # noqa: E402

BATCH = 25 # programs in one trace: attaching costs more than any of them
SPY = os.path.join(TESTS, "model", "spy.py")
KNOWN = os.path.join(TESTS, "model", "known")


def known():
    """Classes that differ for a reason that docs/limits.md tells, as (interpreter, class)."""
    with open(KNOWN) as file:
        return [tuple(line.split("\t")[:2]) for line in file.read().splitlines()
                if line and not line.startswith("#")]


def is_known(interp, name):
    return any(i in ("*", interp.name) or interp.name.endswith(i) for i, n in known() if n == name)


def write_programs(seeds):
    """{seed: script}"""
    base = lib.workdir() + "/programs"
    scripts = {}
    for seed in seeds:
        home = "%s/%d" % (base, seed)
        scripts[seed] = os.path.join(home, "main.py")
        if not os.path.exists(scripts[seed]):
            os.makedirs(home)
            generate.program(seed, home)
    return scripts


def spy_on(interp, script):
    out = os.path.join(os.path.dirname(script), "spied")
    with open(lib.workdir() + "/spy.py", "w") as copy, open(SPY) as file:
        copy.write(file.read())
    if os.path.exists(out):
        os.unlink(out)
    run = lib.run(interp.argv + [lib.workdir() + "/spy.py", out, script])
    lib.check(os.path.exists(out), "the spy failed: %s", run.err.decode(errors="replace")[-2000:])
    with open(out) as file:
        return ast.literal_eval(file.read()), run.rc


def check_batch(interp, seeds):
    """[(seed, Difference)]"""
    scripts = write_programs(seeds)
    spied = {seed: spy_on(interp, script) for seed, script in scripts.items()}
    script = lib.write("batch.sh", "".join("%s\n" % shlex.join(interp.argv + [s])
                                           for s in scripts.values()))
    _, doc = lib.trace(["sh", script])
    found = []
    if not doc["complete"]:
        found.append((seeds[0], compare.Difference("incomplete", "batch", repr(lib.losses(doc.doc)))))
    for seed, script in scripts.items():
        processes = [p for p in doc.processes if (p["cmdline"] or [""])[-1] == script
                     and p["is_python"]]
        lib.check(len(processes) == 1, "%d processes of %s", len(processes), script)
        found += [(seed, d) for d in compare.compare(spied[seed][0], processes[0])]
        if (processes[0]["exit"] or {}).get("code") != spied[seed][1]:
            found.append((seed, compare.Difference("exit", "", "%r, expected %r" % (
                processes[0]["exit"], spied[seed][1]))))
    return found


def check(interp, seeds):
    interp.prepare()
    found = []
    for at in range(0, len(seeds), BATCH):
        found += check_batch(interp, seeds[at:at + BATCH])
    return found


def tell(interp, seeds, found, is_long=False):
    """Prints the classes; those that are not known."""
    classes = {}
    for seed, difference in found:
        classes.setdefault(difference.name, []).append((seed, difference.text))
    print("%s: %d programs, %d of them differ, %d classes" % (
        interp, len(seeds), len({s for s, _ in found}), len(classes)))
    for name, examples in sorted(classes.items(), key=lambda c: -len(c[1])):
        print("  %s%s  x %d" % ("(known) " if is_known(interp, name) else "", name, len(examples)))
        for seed, text in examples if is_long else examples[:1]:
            print("      seed %d: %s" % (seed, text))
    sys.stdout.flush()
    return [name for name in classes if not is_known(interp, name)]


def main():
    options, names = getopt.getopt(sys.argv[1:], "n:s:vh")
    options = dict(options)
    if "-h" in options:
        sys.exit(__doc__)
    first = int(options.get("-s", 1))
    seeds = list(range(first, first + int(options.get("-n", 30))))
    # Roots need mounts of their own.
    if os.environ.get("PYIMPORT_TEST_MNTNS") != "1":
        os.environ.update(PYIMPORT_TEST_MNTNS="1", PYTHONDONTWRITEBYTECODE="1")
        os.execvp("unshare", ["unshare", "--mount", "--propagation", "private", sys.executable,
                              *sys.argv])
    chosen = {n: i for n, i in lib.all_interpreters().items()
              if not names or any(part in n for part in names)}
    bad, total = {}, 0
    for interp in chosen.values():
        found = check(interp, seeds)
        unknown = tell(interp, seeds, found, "-v" in options)
        total += len(seeds)
        for seed in {s for s, d in found if d.name in unknown}:
            bad.setdefault(seed, []).append(interp.name)
    if bad:
        os.makedirs(os.path.join(lib.REPO, ".output"), exist_ok=True)
        with open(os.path.join(lib.REPO, ".output", "random_seeds"), "a") as file:
            file.writelines("%d\t%s\n" % (s, " ".join(n)) for s, n in sorted(bad.items()))
    print("%d programs on %d interpreters; %d differ in a class that is not known" % (
        total, len(chosen), len(bad)))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
