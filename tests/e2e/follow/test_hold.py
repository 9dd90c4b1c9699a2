#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""First starts: whatever starts a Python nobody has seen is held until it is probed, and always
let go. `make check-starts` does the same with 1,000 starts. A thread has one tracer at most, so
that two of the tool would be in each other's way: these tests run alone."""
import concurrent.futures
import glob
import os
import random
import shutil
import signal
import subprocess
import time

import lib

# How many first starts; a thousand take some minutes.
STARTS = int(os.environ.get("PYIMPORT_STARTS", "40"))
CODE = "import json, sys; sys.stdout.write('fine')"
HOME = {"PYTHONHOME": "/usr"}
LATE_TRIES = 5
EXEC_LIMIT_NS = 400000000 # see docs/design.md


def late_program():
    """A program that opens a libpython when it is told to."""
    out = lib.workdir() + "/late"
    if not os.path.exists(out):
        done = subprocess.run(["cc", "-O1", "-o", out, lib.TARGETS + "/late.c"],
                              capture_output=True, text=True)
        lib.check(done.returncode == 0, "cannot build: %s", done.stderr)
    return out


def fresh_library(n=0):
    """A libpython nobody knows, whose name says nothing."""
    found = glob.glob("/usr/lib/*/libpython3.*.so.1.0")
    if not found:
        raise lib.Skip("no shared libpython: libpython3-dev is not installed")
    path = "%s/libplugin%d.so" % (lib.workdir(), n)
    shutil.copy(found[0], path)
    return path


def fresh_python(n=0):
    path = "%s/interp%d" % (lib.workdir(), n)
    shutil.copy(os.path.realpath(lib.SYSTEM), path)
    return path


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


def check_seen_or_told(doc):
    """The probes may be in time by chance; if not, the report is not complete."""
    missed = doc["loss"]["late_starts"] + doc["loss"]["unknown_starts"]
    lib.check(missed or any(p.named("encodings") for p in doc.processes),
              "a missed start was not told: %s", doc["loss"])
    lib.check(not (missed and doc["complete"]), "complete, with a start missing")


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
        check_seen_or_told(doc)
        if not doc["loss"]["late_starts"]:
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


@lib.test(params={"copies": False, "libraries": True}, timeout_s=max(120, STARTS),
          exclusive=True)
def test_first_starts(libraries):
    """Every first start of a fresh copy has its first import in the tree."""
    late_program()
    with lib.Tracer("-a") as tracer:
        results = run_many(STARTS, libraries)
        tracer.stop()
    doc = tracer.trace()
    by_mark = {p["cmdline"][-1]: p for p in doc.processes if p["cmdline"] and p.imports}
    for mark, rc, out in results:
        lib.check_equal((rc, out), (0, b"fine"), "result of " + mark)
        lib.check(mark in by_mark, "%s is not in the report (late: %d)", mark,
                  doc["loss"]["late_starts"])
        check_first_import(by_mark[mark])
    by_file = {} # on a busy machine an exec that waited in vain is stopped at the mapping as well
    for hold in doc["holds"]:
        if hold["file"].startswith(lib.workdir()):
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


def holder_of(tracer):
    """The process that answers, a child of the tracer, once it has its name."""
    lib.wait_until(lambda: find_holder(tracer), "the holder")
    return find_holder(tracer)


def find_holder(tracer):
    with open("/proc/%d/task/%d/children" % (tracer, tracer)) as file:
        for pid in map(int, file.read().split()):
            with open("/proc/%d/comm" % pid) as comm:
                if comm.read().strip() == "pyimport-hold":
                    return pid
    return None


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


# More mappings, on each processor, than the kernel's buffers for them have room for.
FLOOD = """
import mmap, os, sys
with open(sys.argv[1], "rb") as file:
    for cpu in os.sched_getaffinity(0):
        os.sched_setaffinity(0, {cpu})
        for n in range(6000):
            mmap.mmap(file.fileno(), 1 << 20, mmap.MAP_PRIVATE, mmap.PROT_READ | mmap.PROT_EXEC)
"""
EXECS = "import os, sys\nprint('ready', flush=True)\nsys.stdin.readline()\n" \
        "os.execv(sys.argv[1], sys.argv[1:])"


def lose_mappings(tracer, meanwhile):
    """The buffers run over, with the programs of others alone or with `meanwhile` as well."""
    holder = holder_of(tracer.proc.pid)
    os.kill(holder, signal.SIGSTOP)
    done = lib.run([lib.SYSTEM, "-c", FLOOD, os.path.realpath(lib.SYSTEM)])
    lib.check_equal((done.rc, done.err), (0, b""), "the flood")
    meanwhile()
    os.kill(holder, signal.SIGCONT)
    tracer.wait_for("mappings were lost")


@lib.test(exclusive=True)
def test_lost_mappings_of_others():
    """Mappings of others that the kernel had no room to tell of are no loss of this trace."""
    with lib.Target([lib.SYSTEM, "-c", EXECS, lib.SYSTEM, "-c", CODE]) as target:
        target.expect("ready")
        with lib.Tracer("-vv", "-p", target.pid) as tracer:
            lose_mappings(tracer, lambda: None)
            target.say()
            target.finish()
            tracer.stop()
        tracer.trace().check_complete()


@lib.test(params={"runs": "; sys.stdin.readline()", "ended": ""}, exclusive=True)
def test_lost_mappings_of_ours(then):
    """The same, while a program that is traced opens a libpython: told, whether it runs still."""
    code = "import json, sys; print('fine', flush=True)" + then
    with lib.Target([lib.SYSTEM, "-c", EXECS, late_program(), fresh_library(), "-c",
                     code]) as target:
        target.expect("ready")
        with lib.Tracer("-vv", "-p", target.pid) as tracer:
            target.say()
            target.expect("up")

            def start():
                target.say()
                target.expect("fine")
                if not then:
                    os.waitid(os.P_PID, target.pid, os.WEXITED | os.WNOWAIT)
            lose_mappings(tracer, start)
            target.finish()
            tracer.stop()
        doc = tracer.trace()
        lost = lib.losses(doc)
        lib.check("late_starts" in lost if then else "unknown_starts" in lost, "losses: %s", lost)


@lib.test(exclusive=True)
def test_gone_before_the_look():
    """What a program had mapped before an exec is known by its name when the look comes late."""
    program = lib.workdir() + "/shell"
    shutil.copy("/bin/bash", program) # no Python, and large enough to be one
    with lib.Target([lib.SYSTEM, "-c", EXECS, program, "-c", "exec cat"]) as target:
        target.expect("ready")
        with lib.Tracer("-p", target.pid) as tracer:
            os.kill(tracer.proc.pid, signal.SIGSTOP)
            target.say()
            lib.wait_until(lambda: comm_of(target.pid) == "cat", "the second exec")
            time.sleep(0.1) # the holder has asked, and waits no longer
            os.kill(tracer.proc.pid, signal.SIGCONT)
            target.finish()
            tracer.stop()
        tracer.trace().check_complete()


@lib.test(exclusive=True)
def test_ended_before_the_look():
    """One that opened a libpython and has ended when the holder hears of it was not seen."""
    argv = [lib.SYSTEM, "-c", EXECS, late_program(), fresh_library(), "-c", CODE]
    with lib.Target(argv) as target:
        target.expect("ready")
        with lib.Tracer("-p", target.pid) as tracer:
            target.say()
            target.expect("up")
            holder = holder_of(tracer.proc.pid)
            os.kill(holder, signal.SIGSTOP)
            target.say()
            target.finish()
            os.kill(holder, signal.SIGCONT)
            tracer.stop()
        doc = tracer.trace()
        lib.check(not doc.having("json"), "the probes were there by chance")
        check_seen_or_told(doc)


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


def comm_of(pid):
    with open("/proc/%d/comm" % pid) as file:
        return file.read().strip()


if __name__ == "__main__":
    lib.main()
