#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Least privilege: which capabilities which use takes, what is dropped when tracing has begun, and
that a launched command gets none of it."""
import json
import os
import shutil
import subprocess

import lib

# As `man capabilities` numbers them.
NUMBERS = {"kill": 5, "dac_read_search": 2, "sys_ptrace": 19, "sys_admin": 21, "perfmon": 38,
           "bpf": 39, "checkpoint_restore": 40}
OWN = ("bpf", "perfmon")
OTHERS = OWN + ("sys_ptrace",)
FILES = OTHERS + ("dac_read_search",)
CODE = "import json, sys; sys.stdout.write('fine')"
STATUS = "print([l.split()[1] for l in open('/proc/self/status') if l.startswith('Cap')])"


def tool():
    """A copy that everybody may run."""
    copy = lib.workdir() + "/tool"
    if not os.path.exists(copy):
        shutil.copy(lib.TOOL, copy)
        os.chmod(lib.workdir(), 0o755)
    return copy


def as_nobody(caps, argv):
    if not shutil.which("setpriv"):
        raise lib.Skip("no setpriv")
    names = "".join(",+" + name for name in caps)
    return ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups",
            "--inh-caps=-all" + names, "--ambient-caps=-all" + names,
            "--bounding-set=-all" + names, *argv]


def run(caps, *argv, report=None):
    opts = ["--format", "json", "--report", report] if report else []
    done = subprocess.run(as_nobody(caps, [tool(), *opts, *argv]), capture_output=True, cwd="/",
                          env=lib.clean_env(), timeout=lib.PATIENCE_S, stdin=subprocess.DEVNULL)
    return lib.Run(done.returncode, done.stdout, done.stderr.decode(errors="replace"))


def report_file():
    """A file that nobody may write to."""
    path = lib.write("report.json", "")
    os.chmod(path, 0o666)
    return path


def launch(caps, *argv):
    path = report_file()
    result = run(caps, "--", *argv, report=path)
    with open(path) as file:
        text = file.read()
    lib.check(text, "no report; status %d: %s", result.rc, result.err)
    return result, lib.Trace(json.loads(text), result.err)


@lib.test(params={"none": ((), "CAP_BPF"), "bpf": (("bpf",), "CAP_PERFMON"),
                  "perfmon": (("perfmon",), "CAP_BPF")})
def test_too_few(arg):
    """Without the two nothing works, and the missing one is named."""
    caps, missing = arg
    result = run(caps, "--", lib.SYSTEM, "-c", CODE)
    lib.check_equal((result.rc, result.out), (3, b""), "status and output")
    lib.check(missing in result.err, "%s is not named: %s", missing, result.err)


@lib.test(params={"+".join(caps): caps for caps in
                  (OWN, OTHERS, FILES, FILES + ("sys_admin",))})
def test_own_command(caps):
    """CAP_BPF and CAP_PERFMON are enough for one's own command."""
    result, doc = launch(caps, lib.SYSTEM, "-c", CODE)
    lib.check_equal((result.rc, result.out), (0, b"fine"), "result")
    doc.check_complete()
    doc.python().one("encodings")


@lib.test(params={"+".join(caps): caps for caps in (OWN, FILES + ("sys_admin",))})
def test_command_inherits_nothing(caps):
    """Neither ambient nor inheritable nor any other capability of ours."""
    result, _ = launch(caps, lib.SYSTEM, "-c", STATUS)
    sets = eval(result.out)  # noqa: S307: our own program's list
    # Inheritable, permitted, effective, bounding, ambient: the bounding set is the caller's.
    lib.check_equal([int(s, 16) for s in sets[:3] + sets[4:]], [0, 0, 0, 0], "capabilities")


@lib.test()
def test_roots_command_is_roots():
    """Of root's command nothing is taken away: it is as if it had been run without the tool."""
    plain = lib.run([lib.SYSTEM, "-c", STATUS])
    traced, _ = lib.trace([lib.SYSTEM, "-c", STATUS])
    lib.check_equal(traced.out, plain.out, "capabilities")


def caps_of(pid):
    """Effective, permitted and inheritable capabilities of each thread, and whether it can get
    no new ones."""
    found = []
    for tid in os.listdir("/proc/%d/task" % pid):
        with open("/proc/%d/task/%s/status" % (pid, tid)) as file:
            lines = dict(line.split(":", 1) for line in file)
        found.append((*(int(lines[key], 16) for key in ("CapEff", "CapPrm", "CapInh")),
                      lines["NoNewPrivs"].strip() == "1"))
    return found


def mask(names):
    return sum(1 << NUMBERS[name] for name in names)


@lib.test(params={"uprobe_multi": ((), ()), "perf": (("--perf-uprobes",), ("sys_admin",))})
def test_dropped_after_attaching(arg):
    """When it says that it is ready, root has given up all but the list in the manual. That is
    enough to probe an interpreter never seen."""
    opts, more = arg
    most = mask(FILES + ("checkpoint_restore", "kill") + more)
    with lib.Tracer("-a", *opts) as tracer:
        lib.wait_until(lambda: all(not sets[0] & ~most and sets[3]
                                   for sets in caps_of(tracer.proc.pid)),
                       "every thread to drop what it does not need")
        threads = caps_of(tracer.proc.pid)
        lib.check(len(threads) == 3, "%d threads", len(threads))
        for sets in threads:
            lib.check(not sets[0] & ~most and not sets[1] & ~most and not sets[2],
                      "the tracer kept %x %x %x", *sets[:3])
        with open("/proc/%d/task/%d/children" % (tracer.proc.pid, tracer.proc.pid)) as file:
            holder, = map(int, file.read().split())
        lib.wait_until(lambda: all(not sets[0] & ~mask(("bpf", "sys_ptrace")) and sets[3]
                                   for sets in caps_of(holder)),
                       "the holder to drop what it does not need")
        copy = lib.workdir() + "/fresh"
        shutil.copy(os.path.realpath(lib.SYSTEM), copy)
        for _ in range(2): # on a slow machine the first may be let go before its probes are there
            done = lib.run([copy, "-c", CODE], env={"PYTHONHOME": "/usr"})
            lib.check_equal((done.rc, done.out), (0, b"fine"), "result")
        tracer.stop()
    doc = tracer.trace()
    seen = [p for p in doc.having("json") if p["exe"] == copy]
    lib.check(seen, "not one of two starts was probed: %s", lib.losses(doc.doc))
    lib.check(len(seen) == 2 or not doc["complete"], "complete, with a start missing")
    for process in seen:
        process.one("encodings")


@lib.test(params={"with": OTHERS, "without": OWN})
def test_others_process(caps):
    """A process of another user takes CAP_SYS_PTRACE."""
    report = report_file()
    code = "print('up', flush=True); input(); import colorsys"
    with lib.Target([lib.SYSTEM, "-c", code]) as target:
        target.expect("up")
        argv = as_nobody(caps, [tool(), "--format", "json", "--report", report, "-p",
                                str(target.pid)])
        with subprocess.Popen(argv, stderr=subprocess.PIPE, cwd="/", env=lib.clean_env()) as proc:
            said = b""
            while line := proc.stderr.readline():
                said += line
                if lib.READY.encode() in line:
                    target.say()
            rc = proc.wait(timeout=lib.PATIENCE_S)
        if "sys_ptrace" not in caps:
            lib.check_equal(rc, 3, "status; stderr: %r" % said)
            lib.check(b"CAP_SYS_PTRACE" in said, "stderr: %r", said)
            return
        lib.check_equal(target.finish().rc, 0, "status of the target")
    lib.check_equal(rc, 0, "status; stderr: %r" % said)
    with open(report) as file:
        lib.Trace(json.load(file)).pid(target.pid).one("colorsys")


@lib.test(params={"with": FILES + ("sys_admin",), "without": OTHERS + ("sys_admin",)})
def test_others_file(caps):
    """An interpreter that only its owner may read takes CAP_DAC_READ_SEARCH."""
    copy = lib.workdir() + "/private"
    shutil.copy(os.path.realpath(lib.SYSTEM), copy)
    os.chmod(copy, 0o711)
    result, doc = launch(caps, "/bin/sh", "-c", "%s -c \"$0\"; :" % copy, CODE)
    lib.check_equal(result.rc, 0, "status: %s" % result.err)
    if "dac_read_search" in caps:
        doc.python().one("encodings")
        doc.check_complete()
    else:
        lib.check(doc["complete"] is False or doc.having("encodings"),
                  "complete, and nothing was seen: %s", doc["loss"])


@lib.test(params={"exec": FILES + ("sys_admin",), "mapping": FILES}, exclusive=True)
def test_held(caps):
    """CAP_SYS_ADMIN holds execs; without it the interpreter is stopped just after its start, and
    a start that was missed is told."""
    copy = lib.workdir() + "/fresh"
    shutil.copy(os.path.realpath(lib.SYSTEM), copy)
    result, doc = launch(caps, "/bin/sh", "-c", "PYTHONHOME=/usr %s -c \"$0\"; :" % copy, CODE)
    lib.check_equal((result.rc, result.out), (0, b"fine"), "result")
    at = [h["at"] for h in doc["holds"] if h["file"] == copy]
    lib.check_equal(at, ["exec" if "sys_admin" in caps else "mapping"], "held at")
    lib.check(doc.having("encodings") or doc["loss"]["late_starts"], "a missed start: %s",
              doc["loss"])


if __name__ == "__main__":
    lib.main()
