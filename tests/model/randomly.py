#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Random programs, seen by the tracer and by a spy inside: randomly.py [OPTION…] [INTERP…]

  -n N     programs on each interpreter (default 30)
  -s SEED  of the first (default 1)
  -f       forked from one interpreter, not started one by one
  -v       print every difference, not one of each class
INTERP: those whose name contains one of these (default: all). Prints each class of difference with
how often it was. Seeds whose programs differed are added to .output/random_seeds. Status 1 if there
was a class that tests/model/known does not have."""
import getopt
import marshal
import os
import shlex
import shutil
import sys

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True
sys.path[:0] = [TESTS, os.path.join(TESTS, "model")]
import compare  # noqa: E402
import generate  # noqa: E402
import lib  # noqa: E402

BATCH, BATCH_OF_FORKS = 25, 100 # programs in one trace: attaching costs more than any of them
BYTECODE = {"PYTHONDONTWRITEBYTECODE": None} # to compile costs half of a program that is forked
KNOWN = os.path.join(TESTS, "model", "known")


def known():
    """Classes that differ for a reason that docs/limits.md tells, as (interpreter, class)."""
    with open(KNOWN) as file:
        return [tuple(line.split("\t")[:2]) for line in file.read().splitlines()
                if line and not line.startswith("#")]


def is_known(interp, name):
    return any(i in ("*", interp.name) or interp.name.endswith(i) for i, n in known() if n == name)


def write_programs(seeds):
    """Their scripts."""
    scripts = []
    for seed in seeds:
        home = "%s/programs/%d" % (lib.workdir(), seed)
        scripts.append(os.path.join(home, "main.py"))
        if not os.path.exists(scripts[-1]):
            os.makedirs(home)
            generate.program(seed, home)
    return scripts


def argv_of(interp, program, scripts):
    """forks.py or spy.py with these scripts, where every root finds them."""
    home = lib.workdir()
    for name in ("forks.py", "spy.py"):
        shutil.copy(os.path.join(TESTS, "model", name), home)
    listed = lib.write("scripts", "".join("%s\n" % s for s in scripts))
    return [*interp.argv, "%s/%s" % (home, program), listed]


def ended(run, scripts):
    """[(pid, exit status)] of each script, as forks.py prints them."""
    lines = [tuple(map(int, line.split())) for line in run.out.splitlines()]
    lib.check(len(lines) == len(scripts), "%d of %d ended: %s", len(lines), len(scripts),
              run.err.decode(errors="replace")[-2000:])
    return [(pid, os.waitstatus_to_exitcode(status)) for pid, status in lines]


def spy_on(interp, scripts, env):
    """[(what the spy saw, exit status)]"""
    run, found = lib.run(argv_of(interp, "spy.py", scripts), env=env), []
    for script, (_, status) in zip(scripts, ended(run, scripts)):
        with open(script + ".spied", "rb") as file:
            found.append((marshal.load(file), status))
        os.unlink(script + ".spied")
    return found


def trace_forks(interp, scripts):
    """(the trace, [the processes of each script])"""
    run, doc = lib.trace(argv_of(interp, "forks.py", scripts), env=BYTECODE)
    return doc, [[p for p in doc.processes if p.pid == pid] for pid, _ in ended(run, scripts)]


def trace_execs(interp, scripts):
    script = lib.write("batch.sh", "".join("%s\n" % shlex.join(interp.argv + [s]) for s in scripts))
    _, doc = lib.trace(["sh", script])
    return doc, [[p for p in doc.processes if (p["cmdline"] or [""])[-1] == s and p["is_python"]]
                 for s in scripts]


def check_batch(interp, seeds, trace):
    """[(seed, Difference)]"""
    scripts = write_programs(seeds)
    spied = spy_on(interp, scripts, BYTECODE if trace is trace_forks else None)
    doc, processes = trace(interp, scripts)
    found = []
    if not doc["complete"]:
        found.append((seeds[0], compare.Difference("incomplete", "batch", repr(lib.losses(doc.doc)))))
    for seed, script, (seen, status), same in zip(seeds, scripts, spied, processes):
        lib.check(len(same) == 1, "%d processes of %s", len(same), script)
        found += [(seed, d) for d in compare.compare(seen, same[0])]
        if (same[0]["exit"] or {}).get("code") != status:
            found.append((seed, compare.Difference("exit", "", "%r, expected %r" % (
                same[0]["exit"], status))))
    return found


def check(interp, seeds, is_forked=False):
    interp.prepare()
    found, size = [], BATCH_OF_FORKS if is_forked else BATCH
    for at in range(0, len(seeds), size):
        found += check_batch(interp, seeds[at:at + size], trace_forks if is_forked else trace_execs)
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
    options, names = getopt.getopt(sys.argv[1:], "n:s:fvh")
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
        found = check(interp, seeds, "-f" in options)
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
