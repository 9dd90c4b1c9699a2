# SPDX-License-Identifier: BSD-2-Clause
"""What a program pays that is not traced while another cgroup is: for an import statement of the
same interpreter file, which hits our probe, for a system call, which passes our tracepoints, and
for being started, which passes our mark on the file system. The yardsticks are empty programs on
the same probe and the same tracepoints."""
import contextlib
import os
import random
import statistics
import subprocess

import lib

LOOP = """
import os, sys, time
def imports(n):
    for _ in range(n):
        import sys
def calls(n, call=os.getppid):
    for _ in range(n):
        call()
def looked_at(n, call=os.access):
    for _ in range(n):
        call("/", 0)
def switching():
    # On one CPU each byte through a pipe is a switch to the other process.
    os.sched_setaffinity(0, {0})
    there, back = os.pipe(), os.pipe()
    if not os.fork():
        os.close(there[1])
        while os.read(there[0], 1):
            os.write(back[1], b"x")
        os._exit(0)
    os.close(there[0])
    def switches(n, read=os.read, write=os.write):
        for _ in range(n // 2):
            write(there[1], b"x")
            read(back[0], 1)
    return [switches]
def best(what):
    least = 1e9
    for _ in range(5):
        begin = time.perf_counter_ns()
        what(20000)
        least = min(least, (time.perf_counter_ns() - begin) / 20000)
    return least
EVERY = switching() if len(sys.argv) > 1 else [imports, calls, looked_at]
[best(what) for what in EVERY]
print("up", flush=True)
for line in sys.stdin:
    print(*[best(what) for what in EVERY], flush=True)
"""


@contextlib.contextmanager
def followed_group(python):
    """A cgroup with one Python inside, so that the interpreter's file is probed."""
    root = next((line.split()[1] for line in open("/proc/self/mounts", encoding="utf-8")
                 if line.split()[2] == "cgroup2"), None)
    path = os.path.join(root or "", "pyi-bench-%d" % os.getpid())
    try:
        os.mkdir(path)
    except OSError as error:
        raise lib.Skip("cgroups cannot be made here: %s" % error) from None
    try:
        with lib.Target([python, "-c", "print('up', flush=True); input()"]) as inside:
            inside.expect("up")
            with open(path + "/cgroup.procs", "w", encoding="ascii") as file:
                file.write(str(inside.pid))
            yield path
    finally:
        os.rmdir(path)


def bench(pairs, python, row, empty):
    with followed_group(python) as group, lib.Target([python, "-c", LOOP]) as one, \
            lib.Target([python, "-c", LOOP, "switching"]) as other:
        one.expect("up")
        other.expect("up")

        def measure():
            words = []
            for target in (one, other):
                target.say("go")
                words += target.proc.stdout.readline().split()
            return [float(word) for word in words]
        no_calls = ("--no-files", "--no-net", "--no-phases")
        none = (*no_calls, "--no-cpu", "--no-memory")
        modes = {"default": (), " ".join(no_calls): no_calls, "imports alone": none}
        extra = {mode: [] for mode in ("empty programs'", *modes)}
        plain = []
        for _ in range(max(5, pairs // 2)):
            before = measure()
            with empty[0](), empty[1]():
                during = measure()
            extra["empty programs'"].append([d - b for d, b in zip(during, before)])
            for mode, opts in modes.items():
                before = measure()
                with lib.Tracer("--cgroup", group, *opts) as tracer:
                    during = measure()
                    tracer.stop()
                plain.append(before)
                extra[mode].append([d - b for d, b in zip(during, before)])
    for which, name in enumerate(("an import statement", "getppid", "access",
                                 "a byte through a pipe to another process")):
        row("bystander, %s, untraced" % name,
            "%.0f ns" % statistics.median(p[which] for p in plain))
        for mode, values in extra.items():
            row("bystander, %s, extra" % name,
                "%.0f ns" % statistics.median(v[which] for v in values), mode)


def bench_execs(pairs, python, row, execs):
    """One after the other, as fast as they go: a program of C that is nobody's business."""
    def measure():
        done = subprocess.run([execs, "1000", "/bin/true"], capture_output=True, check=True)
        return float(done.stdout) / 1000
    modes = {"-a": ("-a",), "-a --no-hold": ("-a", "--no-hold"), "--cgroup of others": None}
    extra, ratio = ({mode: [] for mode in modes} for _ in range(2))
    plain = []
    with followed_group(python) as group:
        for _ in range(max(5, pairs // 2)):
            for mode in random.sample(list(modes), len(modes)):
                before = measure()
                with lib.Tracer(*(modes[mode] or ("--cgroup", group))) as tracer:
                    during = measure()
                    tracer.stop()
                plain.append(before)
                extra[mode].append(during - before)
                ratio[mode].append(during / before)
    row("start of /bin/true, untraced", "%.0f us" % statistics.median(plain),
        "%.0f a second" % (1e6 / statistics.median(plain)))
    for mode in modes:
        row("start of /bin/true, extra", "%.0f us" % statistics.median(extra[mode]),
            "%s: %.2f of untraced" % (mode, statistics.median(ratio[mode])))
