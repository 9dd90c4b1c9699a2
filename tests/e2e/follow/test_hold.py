#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""First starts: whatever starts a Python nobody has seen is held until it is probed, and always
let go. `make check-starts` does the same with 1,000 starts. A thread has one tracer at most, so
that two of the tool would be in each other's way: these tests run alone."""
import concurrent.futures
import os
import random
import signal
import subprocess
import time

import lib
from lib.holds import (CODE, EXEC_LIMIT_NS, check_seen_or_told, fresh_library, fresh_python,
                       holder_of, late_program)

# How many first starts; a thousand take some minutes.
STARTS = int(os.environ.get("PYIMPORT_STARTS", "40"))
HOME = {"PYTHONHOME": "/usr"}
LATE_TRIES = 5


def check_first_import(process):
    process.one("encodings")
    lib.check_equal(process.parent(process.one("json"))["module"], "__main__", "parent of json")


def check_hold(doc, file, at):
    found = [h for h in doc["holds"] if h["file"] == file]
    lib.check(found, "holds of %s: %s", file, doc["holds"])
    lib.check_equal(found[0]["at"], at, "held at")
    lib.check(all(h["wall_ns"] > 0 for h in found), "holds: %s", found)
    # A second hold is the stop of one whose exec waited in vain.
    lib.check(len(found) == 1 or found[0]["wall_ns"] >= EXEC_LIMIT_NS, "holds: %s", found)


def state_of(pid):
    """State letter and TracerPid."""
    with open("/proc/%d/status" % pid) as file:
        lines = dict(line.split(":", 1) for line in file)
    return lines["State"].split()[0], int(lines["TracerPid"])


def run_late(target, library):
    """A Target waiting in late.c."""
    target.expect("up")
    target.say()
    return target.finish()


def trace_late(option, n):
    """(result, trace, pid if known, the library) of a program that opens a new libpython."""
    library = fresh_library(n)
    argv = [late_program(), library, "-c", CODE]
    if not option:
        run, doc = lib.trace(argv, stdin=b"\n")
        return run, doc, None, library
    with lib.Target(argv) as target:
        target.expect("up")
        with lib.Tracer(option) as tracer:
            target.say()
            run = target.finish()
            tracer.stop()
    doc = tracer.trace()
    return run, doc, target.pid, library


@lib.test(params={"launched": None, "all": "-a"}, exclusive=True)
def test_late_library(option):
    """A running program opens a libpython: its first import is in the tree. It is stopped by others
    while it runs, so on a busy machine it may be quicker: then the report is not complete."""
    for n in range(LATE_TRIES):
        run, doc, pid, library = trace_late(option, n)
        lib.check_equal((run.rc, run.out[-4:]), (0, b"fine"), "result")
        if not check_seen_or_told(doc):
            check_hold(doc, library, "mapping")
            check_first_import(doc.pid(pid) if pid else doc.python())
            return
    raise AssertionError("none of %d was stopped in time" % LATE_TRIES)


@lib.test()
def test_late_library_unheld():
    """--no-hold: nothing waits, and what was missed is said."""
    library = fresh_library()
    run, doc = lib.trace([late_program(), library, "-c", CODE], stdin=b"\n", opts=["--no-hold"])
    lib.check_equal((run.rc, run.out[-4:]), (0, b"fine"), "result")
    lib.check_equal(doc["holds"], [], "holds")
    check_seen_or_told(doc)


@lib.test()
def test_fresh_copy_unheld():
    """The same for an interpreter that is exec'ed by a wrapper."""
    program = fresh_python()
    run, doc = lib.trace(["/bin/sh", "-c", "%s -c \"$0\"; :" % program, CODE],
                         opts=["--no-hold"], env=HOME)
    lib.check_equal((run.rc, run.out), (0, b"fine"), "result")
    check_seen_or_told(doc)


def run_fresh(n, library=False):
    """One first start. Returns its marked command line's last word and result."""
    mark = "%s # start %d of %s" % (CODE, n, os.path.basename(lib.workdir()))
    if library:
        argv = [late_program(), fresh_library(n), "-c", mark]
    else:
        argv = [fresh_python(n), "-c", mark]
    try:
        done = subprocess.run(argv, input=b"\n", capture_output=True, env=lib.clean_env(HOME),
                              timeout=lib.PATIENCE_S)
    finally:
        os.unlink(argv[1] if library else argv[0])
    return mark, done.returncode, done.stdout[-4:]


def run_many(count, libraries):
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        return list(pool.map(lambda n: run_fresh(n, libraries), range(count)))


def trace_many(libraries):
    """(report, missed): a trace of first starts, and how many lack their first import."""
    with lib.Tracer("-a") as tracer:
        results = run_many(STARTS, libraries)
        tracer.stop()
    doc = tracer.trace()
    by_mark = {p["cmdline"][-1]: p for p in doc.processes if p["cmdline"] and p.imports}
    missed = 0
    for mark, rc, out in results:
        lib.check_equal((rc, out), (0, b"fine"), "result of " + mark)
        if mark in by_mark and by_mark[mark].named("encodings"):
            check_first_import(by_mark[mark])
        else:
            missed += 1
    told = doc["loss"]["late_starts"] + doc["loss"]["unknown_starts"]
    lib.check(missed <= told, "%d starts were missed, %d told", missed, told)
    lib.check(not (missed and doc["complete"]), "complete, with %d starts missed", missed)
    return doc, missed


@lib.test(params={"copies": False, "libraries": True}, timeout_s=max(120, STARTS),
          exclusive=True)
def test_first_starts(libraries):
    """Every first start of a fresh copy has its first import in the tree; one that has not is told."""
    program = late_program()
    doc, missed = trace_many(libraries)
    lib.check(not missed, "%d of %d starts were late", missed, STARTS)
    by_file = {} # on a busy machine an exec that waited in vain is stopped at the mapping as well
    for hold in doc["holds"]:
        if hold["file"].startswith(lib.workdir()) and hold["file"] != program:
            by_file[hold["file"]] = by_file.get(hold["file"], 0) + hold["wall_ns"]
    held = sorted(by_file.values())
    lib.check(len(held) == min(STARTS, 1000), "%d of %d starts were held", len(held), STARTS)
    print("held for %.1f ms (median), %.1f ms at most" % (held[len(held) // 2] / 1e6,
                                                          held[-1] / 1e6))


PARENT = """
import os, sys
pid = os.fork()
if not pid:
    os.execv(sys.argv[1], sys.argv[1:])
events = []
while True:
    _, status = os.waitpid(pid, os.WUNTRACED | os.WCONTINUED)
    events.append("stopped" if os.WIFSTOPPED(status) else
                  "continued" if os.WIFCONTINUED(status) else "ended")
    if events[-1] == "ended":
        break
print(events, os.waitstatus_to_exitcode(status), flush=True)
"""


@lib.test(params={"exec": False, "library": True}, exclusive=True)
def test_parent_sees_no_stop(library):
    """A parent that waits with WUNTRACED is told of the end and of nothing else."""
    script = lib.write("parent.py", PARENT)
    if library:
        argv = [late_program(), fresh_library(), "-c", CODE]
    else:
        argv = [fresh_python(), "-c", CODE]
    run, doc = lib.trace([lib.SYSTEM, script, *argv], stdin=b"\n", env=HOME)
    lib.check(b"['ended'] 0" in run.out, "the parent saw: %r %r", run.out, run.err)
    check_hold(doc, argv[1] if library else argv[0], "mapping" if library else "exec")


@lib.test(exclusive=True)
def test_nobody_else_is_stopped():
    """Large extension modules are no interpreters: whoever maps them is left alone. With a new
    libpython the same look at the tool's system calls does see the stop."""
    lib.needs_command("strace")
    stops = []
    for argv in ([lib.SYSTEM, "-c", "import numpy; print('fine')"],
                 [late_program(), fresh_library(), "-c", CODE]):
        log = lib.workdir() + "/ptrace.log"
        run = lib.run(["strace", "-f", "-qq", "-e", "trace=ptrace", "-o", log, lib.TOOL,
                       "--report", "/dev/null", "--", *argv], stdin=b"\n")
        lib.check(run.rc == 0 and b"fine" in run.out, "result: %r %r", run.out, run.err)
        with open(log, encoding="utf-8", errors="replace") as file:
            stops.append(file.read().count("PTRACE_SEIZE"))
    lib.check_equal(stops, [0, 1], "threads stopped, with numpy and with a new libpython")


@lib.test(exclusive=True)
def test_stopped_while_held():
    """SIGSTOP that comes while it is held stops it, SIGCONT lets it run, nothing is lost."""
    with lib.Tracer("-a") as tracer:
        for n in range(8):
            with lib.Target([late_program(), fresh_library(n), "-c", CODE]) as target:
                target.expect("up")
                target.say()
                time.sleep(random.random() * 0.05)
                os.kill(target.pid, signal.SIGSTOP)
                _, status = os.waitpid(target.pid, os.WUNTRACED)
                if os.WIFEXITED(status):
                    continue
                lib.check(os.WIFSTOPPED(status) and os.WSTOPSIG(status) == signal.SIGSTOP,
                          "the parent saw status %#x", status)
                lib.wait_until(lambda pid=target.pid: state_of(pid) == ("T", 0),
                               "the stopped target to be nobody's tracee")
                os.kill(target.pid, signal.SIGCONT)
                run = target.finish()
                lib.check_equal((run.rc, run.out[-4:]), (0, b"fine"), "result")
        tracer.stop()
    doc = tracer.trace()
    for process in doc.having("json"):
        if process["exe"] == late_program():
            check_first_import(process)


@lib.test(params={"%s, %s" % (who, what): (who, what) for who in ("tracer", "holder")
                  for what in ("copies", "libraries")}, timeout_s=200, exclusive=True)
def test_killed_while_holding(arg):
    """SIGKILL in the very moment something is held: it runs on as if nobody had been there."""
    who, what = arg
    late_program()
    for n in range(6):
        with lib.Tracer("-a") as tracer, concurrent.futures.ThreadPoolExecutor(1) as pool:
            victim = tracer.proc.pid if who == "tracer" else holder_of(tracer.proc.pid)
            start = pool.submit(run_fresh, n, what == "libraries")
            time.sleep(random.random() * 0.12)
            os.kill(victim, signal.SIGKILL)
            mark, rc, out = start.result(timeout=lib.PATIENCE_S)
            lib.check_equal((rc, out), (0, b"fine"), "result of " + mark)
            if who == "tracer":
                tracer.proc.wait()
            else:
                tracer.stop()
                lib.check_equal(tracer.rc, 0, "status")


# Programs that open the same library in the same moment.
TOGETHER = """
import subprocess, sys
all = [subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
       for _ in range(4)]
for one in all:
    one.stdout.readline()
for one in all:
    one.stdin.write(b"\\n")
    one.stdin.flush()
for one in all:
    one.wait()
"""


@lib.test(exclusive=True)
def test_stopped_together():
    """Each that was stopped until a library was probed is told, not only the first."""
    argv = [lib.SYSTEM, "-c", TOGETHER, late_program(), fresh_library(), "-c", CODE]
    _, doc = lib.trace(argv)
    stops = [h for h in doc["holds"] if h["at"] == "mapping"]
    lib.check(len({h["pid"] for h in stops}) > 1, "holds: %s", doc["holds"])
    lib.check_equal(max(h["wall_ns"] for h in stops), doc["held"]["stop_max_ns"], "the longest")


if __name__ == "__main__":
    lib.main()
