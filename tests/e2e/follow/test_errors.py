#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Errors say what, on what, and what to do; the status is the contract's; doctor says it before."""
import functools
import os
import re
import resource
import shutil
import signal
import subprocess

import lib


def tool(*argv, **kwargs):
    done = subprocess.run([lib.TOOL, *argv], capture_output=True, env=lib.clean_env(),
                          timeout=lib.PATIENCE_S, stdin=subprocess.DEVNULL, **kwargs)
    return lib.Run(done.returncode, done.stdout.decode(errors="replace"),
                   done.stderr.decode(errors="replace"))


def check_says(run, rc, *words):
    lib.check_equal(run.rc, rc, "status; stderr: %s" % run.err)
    for word in words:
        lib.check(re.search(word, run.err, re.I), "no %r in: %s", word, run.err)


@lib.test()
def test_no_such_process():
    with open("/proc/sys/kernel/pid_max") as file:
        pid = int(file.read()) - 1
    check_says(tool("-p", str(pid)), 3, str(pid))


@lib.test()
def test_not_python():
    with lib.Target(["sleep", "1000"]) as target:
        check_says(tool("-p", str(target.pid)), 3, str(target.pid), "python")


@lib.test()
def test_name_of_two_lines():
    """A path with a newline does not make a line that looks like ours."""
    path = lib.workdir() + "/x\n%s" % lib.READY
    shutil.copy(shutil.which("sleep"), path)
    with lib.Target([path, "1000"]) as target:
        run = tool("-p", str(target.pid))
        check_says(run, 3, "not a Python program")
        lib.check(lib.READY not in run.err.splitlines(), "forged: %s", run.err)


@lib.test()
def test_kernel_thread():
    check_says(tool("-p", "2"), 3, r"\b2\b")


@lib.test()
def test_zombie():
    """A process that ended but was not collected."""
    proc = subprocess.Popen([lib.SYSTEM, "-c", "pass"])
    os.waitid(os.P_PID, proc.pid, os.WEXITED | os.WNOWAIT)
    try:
        check_says(tool("-p", str(proc.pid)), 3, str(proc.pid), "has ended")
    finally:
        proc.wait()


THREAD = """
import threading
tid = []
def work():
    tid.append(threading.get_native_id())
    print(tid[0], flush=True)
    print("up", flush=True)
    threading.Event().wait()
threading.Thread(target=work, daemon=True).start()
input()
"""


@lib.test()
def test_thread():
    """The id of a thread is refused, with that of its process."""
    with lib.Target([lib.SYSTEM, "-c", THREAD]) as target:
        tid = target.proc.stdout.readline().decode().strip()
        target.expect("up")
        check_says(tool("-p", tid), 3, "%s is a thread of process %d" % (tid, target.pid),
                   "-p %d" % target.pid)


@lib.test()
def test_pid_namespace():
    """Where processes have other numbers than the kernel's there would be nothing to see: said."""
    run = subprocess.run(["unshare", "--pid", "--fork", "--mount-proc", lib.TOOL, "--", lib.SYSTEM,
                          "-c", ""], capture_output=True, text=True, timeout=lib.PATIENCE_S)
    check_says(lib.Run(run.returncode, run.stdout, run.stderr), 3, "PID namespace", "try: .*--pid=host")


@lib.test()
def test_few_descriptors():
    limit = functools.partial(resource.setrlimit, resource.RLIMIT_NOFILE, (24, 24))
    check_says(tool("--", lib.SYSTEM, "-c", "", preexec_fn=limit), 3, "too many open files",
               "try: ulimit -n")


@lib.test()
def test_file_size_limit():
    """The capture does not fit: an error, and the command's report all the same."""
    limit = functools.partial(resource.setrlimit, resource.RLIMIT_FSIZE, (4096, 4096))
    run = tool("-o", lib.workdir() + "/big.cap", "--", lib.SYSTEM, "-c", "import json",
               preexec_fn=limit)
    check_says(run, 1, "big.cap.*File too large")
    lib.check(re.search("Complete|Lost", run.out), "no report: %s", run.out)


@lib.test(params={"option": ["--no-such-option"], "view": ["--view", "nothing"],
                  "format": ["--format", "nothing"], "pid": ["-p", "x"], "pid0": ["-p", "0"],
                  "ring": ["--ring", "3kb"], "duration": ["-d", "soon"],
                  "two targets": ["-p", "1", "-a"], "no command": ["--"],
                  "pid and command": ["-p", "1", "--", "true"],
                  "two outputs": ["-o", "-", "--report", "-", "--", "true"]})
def test_usage(argv):
    run = tool(*argv)
    check_says(run, 2)
    lib.check(run.err.strip() and not run.out, "said %r and %r", run.err, run.out)


@lib.test()
def test_unwritable_report():
    for path in ("/no/such/directory/r.json", "/proc/r.json", lib.workdir()):
        marker = lib.workdir() + "/ran"
        run = tool("--format", "json", "--report", path, "--", "touch", marker)
        lib.check(run.rc not in (0, 2), "status %d for %s", run.rc, path)
        lib.check(path in run.err, "the path is not named: %s", run.err)
        lib.check(not os.path.exists(marker), "the command ran all the same")


@lib.test()
def test_full_device():
    """A report that cannot be written is a failure of ours, said so."""
    run = tool("--format", "json", "--report", "/dev/full", "--", lib.SYSTEM, "-c", "pass")
    check_says(run, 1, "/dev/full")


@lib.test(params={"json": "json", "text": "text"})
def test_closed_pipe(fmt):
    """`pyimport-bpf … | head -1`: no crash, no signal, no hang."""
    with lib.Target([lib.SYSTEM, "-c", "print('up', flush=True); input()"]) as target:
        target.expect("up")
        proc = subprocess.Popen([lib.TOOL, "--format", fmt, "-p", str(target.pid)],
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                stdin=subprocess.DEVNULL, env=lib.clean_env())
        for line in proc.stderr:
            if lib.READY.encode() in line:
                break
        proc.stdout.close()
        proc.send_signal(signal.SIGINT)
        err = proc.stderr.read()
        rc = proc.wait(timeout=lib.PATIENCE_S)
    lib.check(rc in (0, 1, 141), "status %d, %r", rc, err)
    lib.check(b"Sanitizer" not in err and b"Traceback" not in err, "%r", err)


def unprivileged(*argv):
    lib.needs_command("setpriv")
    # The checkout may lie where nobody may look.
    copy = lib.workdir() + "/pyimport-bpf"
    if not os.path.exists(copy):
        subprocess.run(["cp", lib.TOOL, copy], check=True)
        os.chmod(copy, 0o755)
    done = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
                           "--bounding-set=-all", "--inh-caps=-all", copy, *argv],
                          capture_output=True, env=lib.clean_env(), cwd="/",
                          timeout=lib.PATIENCE_S, stdin=subprocess.DEVNULL)
    return lib.Run(done.returncode, done.stdout.decode(), done.stderr.decode())


@lib.test()
def test_unprivileged():
    """Which privilege is missing, and the command does not run untraced."""
    run = unprivileged("--", lib.SYSTEM, "-c", "print('ran')")
    check_says(run, 3, "CAP_|root|privilege", "sudo|CAP_")
    lib.check("ran" not in run.out, "the command ran")
    check_says(unprivileged("-a"), 3, "CAP_|root|privilege")


@lib.test()
def test_unprivileged_doctor():
    run = unprivileged("doctor")
    lib.check_equal(run.rc, 3, "status, %s" % run.err)
    lib.check("FAIL" in run.out and re.search("try:.*(sudo|CAP_)", run.out), "%s", run.out)


@lib.test()
def test_help_and_version():
    run = tool("--help")
    lib.check_equal(run.rc, 0, "status of --help")
    for word in ("-p", "--all", "--view", "--format", "--report", "--ring", "--perf-uprobes",
                 "--dry-run", "doctor", "Examples"):
        lib.check(word in run.out, "--help lacks %s", word)
    run = tool("--version")
    with open(lib.REPO + "/VERSION") as file:
        lib.check(file.read().strip() in run.out, "%s", run.out)


@lib.test()
def test_doctor():
    """Kernel, privileges, interpreters with their layers; status 0 where all is well."""
    run = tool("doctor")
    lib.check_equal(run.rc, 0, "status, %s%s" % (run.out, run.err))
    lib.check(os.uname().release in run.out, "no kernel: %s", run.out)
    lib.check(os.path.realpath(lib.SYSTEM) in run.out, "no system interpreter: %s", run.out)
    lib.check("\x1b" not in run.out, "colour without a terminal")


@lib.test(params=lib.all_interpreters)
def test_doctor_process(interp):
    """doctor -p of a running process names its interpreter and version."""
    interp.prepare()
    with lib.Target(interp.argv + ["-c", "print('up', flush=True); input()"]) as target:
        target.expect("up")
        run = tool("doctor", "-p", str(target.pid))
        lib.check_equal(run.rc, 0, "status, %s%s" % (run.out, run.err))
        lib.check(interp.facts["full"] in run.out, "no %s in: %s", interp.facts["full"], run.out)


@lib.test()
def test_doctor_not_python():
    with lib.Target(["sleep", "1000"]) as target:
        run = tool("doctor", "-p", str(target.pid))
        lib.check_equal(run.rc, 3, "status, %s" % run.out)
        lib.check(str(target.pid) in run.out, "%s", run.out)


@lib.test(params=lib.all_interpreters)
def test_dry_run(interp):
    """Every site with file, offset, instruction and reason; nothing is attached or run."""
    marker = lib.workdir() + "/ran"
    run = tool("--dry-run", "--", interp.host_path, "-c", "open(%r, 'w')" % marker)
    lib.check_equal(run.rc, 0, "status, %s" % run.err)
    lib.check(not os.path.exists(marker), "the command ran")
    lib.check(lib.READY not in run.err, "something was attached")
    lines = [line for line in run.out.splitlines() if re.search(r"0x[0-9a-f]+", line)]
    lib.check(len(lines) >= 5, "only %d sites: %s", len(lines), run.out)


@lib.test()
def test_hostile_elf():
    """Truncated and corrupted copies of an interpreter: refused or probed, never a crash."""
    with open(os.path.realpath(lib.SYSTEM), "rb") as file:
        data = file.read()
    for name, bad in (("half", data[:len(data) // 2]), ("head", data[:64]), ("empty", b""),
                      ("sections", data[:40] + b"\xff" * 24 + data[64:]),
                      ("phdrs", data[:64] + b"\xff" * 600 + data[664:])):
        path = lib.workdir() + "/" + name
        with open(path, "wb") as file:
            file.write(bad)
        os.chmod(path, 0o755)
        run = tool("--dry-run", "--", path)
        lib.check(0 <= run.rc <= 3 or run.rc in (126, 127), "%s: status %d, %s", name, run.rc, run.err)
        lib.check("Sanitizer" not in run.err, "%s: %s", name, run.err)


@lib.test()
def test_pypy():
    import shutil
    pypy = shutil.which("pypy3")
    if not pypy:
        raise lib.Skip("no PyPy on this machine")
    with lib.Target([pypy, "-c", "print('up', flush=True); input()"]) as target:
        target.expect("up")
        check_says(tool("-p", str(target.pid)), 3, "pypy")


@lib.test()
def test_python_below_38_by_name():
    """3.6 and 3.7: loads by name at least."""
    found = {n: i for n, i in lib.interpreters().items() if lib.minor_of(n) in (6, 7)}
    if not found:
        raise lib.Skip("no CPython 3.6 or 3.7 here")
    for interp in found.values():
        traced, doc = lib.trace_both(interp.argv + ["-c", "import json, colorsys; print(1)"])
        names = doc.python().names()
        lib.check({"json", "json.decoder", "colorsys", "encodings"} <= names, "%s: %s",
                  interp.name, names)


if __name__ == "__main__":
    lib.main()
