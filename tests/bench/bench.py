#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""`make bench`: what tracing costs, as one table. Never a test: machines differ, so everything is
a ratio of runs made in pairs, in turn and in random order, and the medians of those ratios.
  bench.py [-n PAIRS] [ROW…]     rows: price (the README's table) startup cached many attach memory
        bystander corrected execs"""
import contextlib
import getopt
import json
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import bystander  # noqa: E402
import corrected  # noqa: E402
import lib  # noqa: E402
import peers  # noqa: E402
import price  # noqa: E402
from peers import nothing  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.join(lib.REPO, ".output", "bench")
PYTHON = os.path.realpath(lib.SYSTEM)
PAIRS = 15
ENV = lib.clean_env()
rows = []


def row(what, value, note="", goal=""):
    rows.append((what, value, goal, note))
    print("  %-52s %-24s %s" % (what, value, note), flush=True)


def quartiles(values):
    q = statistics.quantiles(values, n=4) if len(values) > 1 else [values[0]] * 3
    return "%.3f (%.3f to %.3f)" % (statistics.median(values), q[0], q[2])


def check_traced(loads_min):
    """What was measured was tracing: the launched program's report is complete and has its loads."""
    with open(lib.workdir() + "/r.json") as file:
        doc = json.load(file)
    # What others start and end meanwhile is no part of it.
    lost = {k: v for k, v in doc["loss"].items() if v and k != "unknown_starts"}
    loads = max(len(process["imports"]) for process in doc["processes"])
    if lost or loads < loads_min:
        sys.exit("bench: lost %s, %d loads" % (lost, loads))


def timed(argv, before=(), after=(), loads_min=50):
    """(wall, CPU) time of a command as our timer sees it, which stands between a tracer (before)
    and the command (after it, say strace)."""
    path = lib.workdir() + "/time"
    done = subprocess.run([*before, BUILD + "/timer", path, *after, *argv],
                          stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL, env=ENV)
    if done.returncode:
        sys.exit("bench: %s ended with %d" % (done.args, done.returncode))
    if before:
        check_traced(loads_min)
    with open(path) as file:
        wall, cpu = map(int, file.read().split())
    os.unlink(path)
    return wall / 1e9, cpu / 1e9


def build():
    os.makedirs(BUILD, exist_ok=True)
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", "libbpf"], capture_output=True,
                           check=True).stdout.decode().split()
    arch = "-I/usr/include/%s-linux-gnu" % os.uname().machine
    subprocess.run(["clang", "-O2", "-g", "-target", "bpf", arch, "-c", HERE + "/empty.bpf.c",
                    "-o", BUILD + "/empty.bpf.o"], check=True)
    for name in ("attach_empty", "timer", "execs"):
        subprocess.run(["cc", "-O2", "-D_GNU_SOURCE", "%s/%s.c" % (HERE, name), "-o",
                        "%s/%s" % (BUILD, name), *flags], check=True)


# --- a whole start-up ----------------------------------------------------------------------------

def workload():
    """A program of at least 300 ms; the first that is here and long enough."""
    best = None
    for code in ("import pandas", "import pandas, IPython", "import pandas, django.db.models, "
                 "IPython, boto3", "import json, asyncio, unittest, http.server, email.message, "
                 "sqlite3, xml.dom.minidom, concurrent.futures, multiprocessing, ctypes"):
        argv = [PYTHON, "-B", "-c", code]
        if subprocess.run(argv, stderr=subprocess.DEVNULL, env=ENV).returncode:
            continue
        took = min(timed(argv)[0] for _ in range(3))
        if best is None or took > best[1]:
            best = (argv, took, code)
        if took >= 0.3:
            return best
    return best


@contextlib.contextmanager
def traced(*opts):
    """The tool on every process, as somebody would run it beside a service."""
    with lib.Tracer("-a", *opts) as tracer:
        yield
        tracer.stop()


def launching(*opts):
    """The command is our timer, which is no Python: one that runs first sees to it that the measured
    one is not held while it is probed, as it would not be were it the command."""
    return [lib.TOOL, *opts, "--format", "json", "--report", lib.workdir() + "/r.json", "--",
            "sh", "-c", "%s -S -c pass; exec \"$@\"" % PYTHON, "sh"]


NO_CAUSES = ("--no-cpu", "--no-memory", "--no-files", "--no-net")


# name: (what runs meanwhile, command, what stands before the timer, before the command, goal)

def profiles(argv):
    return {
        "untraced against itself": (nothing, argv, (), (), ""),
        "pyimport-bpf --profile full": (nothing, argv, launching("--profile", "full"), (), "<= 1.06"),
        "pyimport-bpf --profile standard": (nothing, argv, launching("--profile", "standard"), (),
                                            "<= 1.03"),
        "pyimport-bpf --profile loads": (nothing, argv, launching("--profile", "loads"), (),
                                         "<= 1.01"),
        "an empty program on the same sites": (lambda: empty_program(PYTHON, *sites()), argv, (),
                                               (), ""),
    }


def bench_price(pairs):
    """What the README says."""
    argv = [PYTHON, "-B", "-c", price.CODE]
    if subprocess.run(argv, stderr=subprocess.DEVNULL, env=ENV).returncode:
        print("import pandas: not here (python3-pandas)")
        return
    price.bench(PYTHON, row)
    print("%s, %.0f ms untraced, %d pairs each" % (price.CODE, timed(argv)[0] * 1000, pairs))
    pairs_of({**profiles(argv), **peers.peers(PYTHON, argv)}, argv, pairs)


def bench_startup(pairs):
    argv, took, code = workload()
    print("start-up: %s, %.0f ms untraced, %d pairs each" % (code, took * 1000, pairs))
    modes = {
        **profiles(argv),
        "pyimport-bpf, imports alone": (nothing, argv, launching(*NO_CAUSES), (), ""),
        "pyimport-bpf --no-cpu -- COMMAND": (nothing, argv, launching("--no-cpu"), (), ""),
        "pyimport-bpf --no-memory -- COMMAND": (nothing, argv, launching("--no-memory"), (), ""),
        "pyimport-bpf --no-files -- COMMAND": (nothing, argv, launching("--no-files"), (), ""),
        "pyimport-bpf --perf-uprobes -- COMMAND": (nothing, argv, launching("--perf-uprobes"), (),
                                                   ""),
        "pyimport-bpf -a": (traced, argv, (), (), ""),
    }
    modes.update(peers.peers(PYTHON, argv))
    pairs_of(modes, argv, pairs)
    heavy = [PYTHON, "-B", "-c", "import torch"]
    if subprocess.run(heavy, stderr=subprocess.DEVNULL, env=ENV).returncode:
        print("import torch: not here (python3-torch)")
        return
    print("start-up: import torch, %.0f ms untraced" % (timed(heavy)[0] * 1000))
    pairs_of({
        "import torch, everything": (nothing, heavy, launching(), (), "<= 1.05"),
        "import torch, imports alone": (nothing, heavy, launching(*NO_CAUSES), (), "<= 1.03"),
        "import torch, -X importtime": (nothing, heavy[:1] + ["-X", "importtime"] + heavy[1:], (),
                                        (), ""),
    }, heavy, pairs)


def pairs_of(modes, argv, pairs):
    """A row per mode: runs of its command against runs of `argv` by itself."""
    wall, cpu = ({mode: [] for mode in modes} for _ in range(2))
    for _ in range(pairs):
        # All modes in every round, so that a slow minute hits them all.
        for mode in random.sample(list(modes), len(modes)):
            context, command, before, after, _ = modes[mode]
            is_first = random.random() < 0.5
            try:
                plain = timed(argv) if is_first else None
                with context():
                    other = timed(command, before, after)
                plain = plain or timed(argv)
            except lib.Skip as skip:
                print("  %s: %s" % (mode, skip))
                continue
            wall[mode].append(other[0] / plain[0])
            cpu[mode].append(other[1] / plain[1])
    for mode, (_, _, _, _, goal) in modes.items():
        if wall[mode]:
            row(mode + ", wall / untraced", quartiles(wall[mode]),
                "CPU %.3f" % statistics.median(cpu[mode]), goal)


# --- one cached import ---------------------------------------------------------------------------

LOOP = """
import sys, time
def loop(n):
    for _ in range(n):
        import sys
def measure():
    best = 1e9
    for _ in range(5):
        begin = time.perf_counter_ns()
        loop(20000)
        best = min(best, (time.perf_counter_ns() - begin) / 20000)
    return best
loop(1000)
print("up", flush=True)
for line in sys.stdin:
    print(measure(), flush=True)
"""


def sites(kind=r"[a-z ]+"):
    """File offsets of the interpreter's probe sites, of one kind or all, from --dry-run."""
    out = subprocess.run([lib.TOOL, "--dry-run", "--", PYTHON, "-c", "pass"], capture_output=True,
                         env=ENV, check=True).stdout.decode()
    return re.findall(r"^  %s +(0x[0-9a-f]+) " % kind, out, re.M)


@contextlib.contextmanager
def empty_program(*where):
    """Where: a file and offsets in it, or "syscalls"."""
    proc = subprocess.Popen([BUILD + "/attach_empty", BUILD + "/empty.bpf.o", *where],
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    if b"attached" not in proc.stdout.readline():
        raise lib.Skip("the empty program cannot be attached")
    try:
        yield
    finally:
        proc.communicate()


def bench_cached(pairs):
    entry = sites("import")
    print("cached `import sys`: %s at %s" % (PYTHON, ", ".join(entry)))
    target = lib.Target([PYTHON, "-c", LOOP])
    target.expect("up")

    def measure():
        target.say("go")
        return float(target.proc.stdout.readline())

    seen = {"untraced": [], "empty": [], "traced": [], "no edges": []}
    for _ in range(max(5, pairs // 2)):
        seen["untraced"].append(measure())
        with empty_program(PYTHON, *entry):
            seen["empty"].append(measure())
        with lib.Tracer("-p", target.pid) as tracer:
            seen["traced"].append(measure())
            tracer.stop()
        with lib.Tracer("--no-edges", "-p", target.pid) as tracer:
            seen["no edges"].append(measure())
            tracer.stop()
    target.proc.stdin.close()
    target.proc.wait()
    for name, values in seen.items():
        row("cached import, " + name, "%.0f ns" % statistics.median(values))
    extra = [(t - u) / (e - u) for u, e, t in zip(seen["untraced"], seen["empty"], seen["traced"])]
    row("cached import, extra cost / empty program's", quartiles(extra), "", "<= 1.3")


# --- many at once, attach, memory ----------------------------------------------------------------

def bench_many(_):
    print("64 interpreters at once")
    argv = [PYTHON, "-c", "import json, email.message, asyncio"]
    with lib.Tracer("-a") as tracer:
        all_of_them = [subprocess.Popen(argv, env=ENV) for _ in range(64)]
        for proc in all_of_them:
            proc.wait()
        tracer.stop()
    doc = tracer.trace(invariants=False)
    seen = len(doc.having("email.message"))
    loads = sum(len(p.imports) for p in doc.processes)
    row("64 interpreters at once, lost", str(sum(doc["loss"].values())),
        "%d processes, %d loads, complete: %s" % (seen, loads, doc["complete"]), "0")


def bench_attach(pairs):
    print("attach to a running process, and detach")
    attach, detach = [], []
    with lib.Target([PYTHON, "-c", "print('up', flush=True); input()"]) as target:
        target.expect("up")
        for _ in range(max(5, pairs // 2)):
            tracer = lib.Tracer("-p", target.pid)
            begin = time.perf_counter()
            tracer.__enter__()
            attach.append((time.perf_counter() - begin) * 1000)
            begin = time.perf_counter()
            tracer.stop()
            detach.append((time.perf_counter() - begin) * 1000)
    row("attach, from exec to ready", "%.0f ms" % statistics.median(attach),
        "at most %.0f" % max(attach), "<= 300 ms")
    row("detach, from Ctrl-C to our end", "%.0f ms" % statistics.median(detach),
        "at most %.0f, with the report" % max(detach), "<= 500 ms")


def bench_memory(_):
    print("resident memory of the tool")
    for count in (20000, 40000):
        home = tempfile.mkdtemp(dir=lib.workdir())
        for n in range(count):
            with open("%s/mem_%d.py" % (home, n), "w") as file:
                file.write("V = 1\n")
        code = ("import sys; sys.path.insert(0, %r); print('up', flush=True); input()\n"
                "for n in range(%d): __import__('mem_%%d' %% n)" % (home, count))
        for what, opts in ((", everything", ()), (", imports alone", NO_CAUSES)):
            with lib.Target([PYTHON, "-B", "-c", code]) as target:
                target.expect("up")
                with lib.Tracer(*opts, "-p", target.pid, fmt="text") as tracer:
                    target.say()
                    target.finish()
                    # Its own high-water mark, not that of what it waited for.
                    _, status, usage = os.wait4(tracer.proc.pid, 0)
                    tracer.proc.returncode = os.waitstatus_to_exitcode(status)
            row("memory at %d modules%s" % (count, what), "%.1f MB" % (usage.ru_maxrss / 1024), "",
                "<= 40 MB" if count == 20000 else "linear")
        shutil.rmtree(home)


def machine():
    """The constants of this machine, so that two machines' ratios can be compared."""
    out = subprocess.run([lib.TOOL, "doctor"], capture_output=True).stdout.decode()
    price = re.search(r"price +(.*)", out)
    return "%s, %d CPUs, load %.1f: %s" % (os.uname().release, os.cpu_count(), os.getloadavg()[0],
                                           price[1] if price else "prices unknown")


def main():
    options, names = getopt.getopt(sys.argv[1:], "n:")
    pairs = int(dict(options).get("-n", PAIRS))
    if os.geteuid() != 0:
        sys.exit("bench: needs root")
    benches = {"price": bench_price, "startup": bench_startup, "cached": bench_cached, "many": bench_many,
               "attach": bench_attach, "memory": bench_memory,
               "bystander": lambda n: bystander.bench(
                   n, PYTHON, row, (lambda: empty_program(PYTHON, *sites("import")),
                                    lambda: empty_program("syscalls"))),
               "corrected": lambda n: corrected.bench(n, PYTHON, row, timed, launching),
               "execs": lambda n: bystander.bench_execs(n, PYTHON, row, BUILD + "/execs")}
    build()
    print(machine())
    for name in names or benches:
        benches[name](pairs)
    print("\n" + machine())
    print("%-54s %-26s %-10s %s" % ("what", "median (quartiles)", "goal", ""))
    for what, value, goal, note in rows:
        print("%-54s %-26s %-10s %s" % (what, value, goal, note))
    shutil.rmtree(lib.workdir(), ignore_errors=True)


if __name__ == "__main__":
    main()
