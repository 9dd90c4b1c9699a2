#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""CPU quotas of cgroups: the report says how often the kernel stopped a start-up, as cpu.stat does."""
import contextlib
import json
import os
import subprocess

import lib

MS = 1_000_000
SPIN = "import time\n_until = time.thread_time() + %s\nwhile time.thread_time() < _until: pass\n"
V1, V2 = "/sys/fs/cgroup/cpu", "/sys/fs/cgroup"


def write_quota(path, quota_us, period_us):
    if os.path.exists(path + "/cpu.max"):
        values = {"cpu.max": "%d %d" % (quota_us, period_us)}
    else:
        values = {"cpu.cfs_period_us": period_us, "cpu.cfs_quota_us": quota_us}
    for name, value in values.items():
        with open("%s/%s" % (path, name), "w") as file:
            file.write(str(value))


@contextlib.contextmanager
def group(*names):
    """Nested cgroups where CPUs are handed out; yields the directory of the innermost."""
    base = V1 if os.path.isdir(V1) else V2
    made = [base]
    try:
        for name in names:
            made.append("%s/%s" % (made[-1], name))
            try:
                os.mkdir(made[-1])
            except OSError as error:
                made.pop()
                raise lib.Skip("no cgroup can be made here: %s" % error) from error
        if not any(os.path.exists(made[-1] + "/" + f) for f in ("cpu.max", "cpu.cfs_quota_us")):
            raise lib.Skip("no CPU controller for cgroups here")
        yield made[-1]
    finally:
        for path in reversed(made[1:]):
            os.rmdir(path)


def throttled(path):
    """(times, nanoseconds) by the kernel's own count."""
    with open(path + "/cpu.stat") as file:
        stat = dict(line.split() for line in file)
    ns = int(stat["throttled_time"]) if "throttled_time" in stat else int(stat["throttled_usec"]) * 1000
    return int(stat["nr_throttled"]), ns


def run_inside(path, script, opts=()):
    done, doc = lib.trace(["sh", "-c", 'echo $$ > "$0/cgroup.procs" && exec "$@"', path,
                           *lib.system().argv, script], opts=opts)
    lib.check_equal(done.rc, 0, "status; stderr:\n%s\n" % done.err.decode())
    return doc.python()


def check_same(process, path, name):
    """A spinner on one CPU: the report has the kernel's counts, all of them during start-up."""
    cnt, ns = throttled(path)
    lib.check(cnt >= 3 and ns >= 100 * MS, "the quota did not bite: %d times, %d ns", cnt, ns)
    got = process["causes"]["throttled"]
    lib.check(got is not None and got["cgroup"].endswith(name), "throttled: %s", got)
    # What happened before the first look, milliseconds after the exec, is not the process's.
    lib.check(cnt - 1 <= got["count"] <= cnt, "%s, the kernel counts %d", got, cnt)
    lib.check(abs(got["wall_ns"] - ns) <= 0.05 * ns or got["count"] < cnt, "%s, kernel %d ns", got, ns)
    lib.check(0 <= got["startup_count"] <= got["count"] and
              0 <= got["startup_ns"] <= got["wall_ns"], "start-up is more than all: %s", got)
    waited = process.one("m_spin")["self_wait_ns"]["runqueue"]
    lib.check(waited >= 0.9 * got["startup_ns"], "waited %d ns for a CPU, %s", waited, got)
    return got


@lib.test(exclusive=True)
@lib.two_clocks
def test_half_a_cpu():
    lib.write("m_spin.py", SPIN % 0.2)
    script = lib.write("main.py", "import m_spin\n")
    name = "pyimport-test-%d" % os.getpid()
    with group(name) as path:
        write_quota(path, 20000, 100000)
        capture = lib.workdir() + "/a.cap"
        process = run_inside(path, script, opts=["-o", capture])
        got = check_same(process, path, "/" + name)
        lib.check_equal((got["quota_us"], got["period_us"]), (20000, 100000), "quota")
        lib.check(got["startup_ns"] >= 0.9 * got["wall_ns"], "all of it was start-up: %s", got)
    # The capture has it too, and people are told without asking.
    text = subprocess.run([lib.TOOL, "report", capture], stdout=subprocess.PIPE, check=True,
                          encoding="utf-8").stdout
    lib.check("The CPU quota of cgroup" in text and "(0.20 CPUs)" in text, "summary:\n%s", text)
    again = subprocess.run([lib.TOOL, "report", "--format", "json", capture],
                           stdout=subprocess.PIPE, check=True).stdout
    again = [p for p in json.loads(again)["processes"] if p["pid"] == process.pid][-1]
    lib.check_equal(again["causes"]["throttled"], got, "replayed")


@lib.test(exclusive=True)
@lib.two_clocks
def test_quota_above():
    """A slice's quota stops its services' processes, whose own cgroups count nothing."""
    lib.write("m_spin.py", SPIN % 0.2)
    script = lib.write("main.py", "import m_spin\n")
    outer = "pyimport-test-%d" % os.getpid()
    with group(outer, "inner") as path:
        above = os.path.dirname(path)
        write_quota(above, 20000, 100000)
        process = run_inside(path, script)
        lib.check_equal(throttled(path)[0], 0, "times the inner cgroup was stopped itself")
        check_same(process, above, "/" + outer)


@lib.test(exclusive=True)
def test_quota_not_hit():
    """A quota that is large enough, and none at all: zero is known, not guessed."""
    script = lib.write("main.py", "import json\n")
    with group("pyimport-test-%d" % os.getpid()) as path:
        write_quota(path, 1_000_000, 100000)
        got = run_inside(path, script)["causes"]["throttled"]
        lib.check(got and got["cgroup"], "a quota is not seen: %s", got)
        lib.check_equal((got["count"], got["wall_ns"]), (0, 0), "stops")
    got = lib.trace([*lib.system().argv, script])[1].python()["causes"]["throttled"]
    if got is None or not got["cgroup"]:
        lib.check_equal(got, {"cgroup": None, "quota_us": None, "period_us": None, "count": 0,
                              "wall_ns": 0, "startup_count": 0, "startup_ns": 0}, "no quota")


if __name__ == "__main__":
    lib.main()
