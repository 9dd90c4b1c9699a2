#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The tracer's terminal is closed, or its memory is used up: nothing is left held, attached or
running."""
import contextlib
import fcntl
import os
import pty
import signal
import subprocess
import termios
import time

import lib

LOOP = "import sys, time\nprint('up', flush=True)\n" \
       "for name in ('json', 'decimal', 'argparse', 'http.client'):\n" \
       "    __import__(name)\n    time.sleep(0.05)\n" \
       "sys.stdin.readline()\nimport csv\nprint('fine', flush=True)\n"


def children(pid):
    with contextlib.suppress(FileNotFoundError):
        with open("/proc/%d/task/%d/children" % (pid, pid)) as file:
            return list(map(int, file.read().split()))
    return []


def is_gone(pid):
    with contextlib.suppress(FileNotFoundError):
        with open("/proc/%d/stat" % pid) as file:
            return file.read().rsplit(")", 1)[1].split()[0] in "ZX"
    return True


def tracer_of(pid):
    with open("/proc/%d/status" % pid) as file:
        return [line.split()[1] for line in file if line.startswith("TracerPid")]


def on_terminal(*args):
    """The tool as a shell on a terminal has it: leader of the session that owns it."""
    lead, follow = pty.openpty()

    def own():
        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    proc = subprocess.Popen([lib.TOOL, *args], stdin=follow, stdout=follow, stderr=follow,
                            cwd=lib.workdir(), env=lib.clean_env({"TERM": "xterm"}),
                            preexec_fn=own)
    os.close(follow)
    return proc, lead


def read_until(lead, text):
    seen = b""
    deadline = time.monotonic() + lib.PATIENCE_S
    while text not in seen and time.monotonic() < deadline:
        seen += os.read(lead, 65536)
    lib.check(text in seen, "the terminal shows %r", seen[-500:])


@lib.test(params={"trace": ([], b"modules"), "record": (["record"], b"modules"),
                  "top": (["top"], b"q quits")})
def test_terminal_closed(arg):
    """SIGHUP, and nothing can be written to it any more, while a process is traced."""
    command, ready = arg
    cap = lib.workdir() + "/closed.cap"
    with lib.Target([lib.system().exe, "-c", LOOP]) as target:
        target.expect("up")
        opts = ["-o", cap] if command == ["record"] else []
        proc, lead = on_terminal(*command, *opts, "-p", str(target.pid))
        try:
            read_until(lead, ready)
            left = children(proc.pid)
            os.close(lead)
            status = proc.wait(timeout=lib.PATIENCE_S)
        finally:
            proc.kill()
            proc.wait()
        for pid in left:
            lib.wait_until(lambda pid=pid: is_gone(pid), "process %d to be gone" % pid)
        lib.check_equal(tracer_of(target.pid), ["0"], "who traces the target")
        target.say()
        target.expect("fine")
        lib.check_equal(target.finish().rc, 0, "status of the target")
    lib.check(status in (0, 1), "status %d", status)
    if command == ["record"]:
        told = subprocess.run([lib.TOOL, "report", cap], capture_output=True, check=False)
        lib.check_equal((told.returncode, b"ends before the trace" in told.stdout), (0, False),
                        "status of the report, is the capture cut")


class MemoryLimit:
    """A memory cgroup of our own."""

    def __init__(self):
        for base, usage, limit in (
                ("/sys/fs/cgroup/memory", "memory.usage_in_bytes", "memory.limit_in_bytes"),
                ("/sys/fs/cgroup", "memory.current", "memory.max")):
            self.path = "%s/pyimport-test-%d" % (base, os.getpid())
            with contextlib.suppress(OSError):
                os.mkdir(self.path)
            if os.path.exists(self.path + "/" + limit):
                break
            with contextlib.suppress(OSError):
                os.rmdir(self.path)
        else:
            raise lib.Skip("no memory cgroup")
        self.usage, self.limit = self.path + "/" + usage, self.path + "/" + limit

    def take_in(self, pid):
        with open(self.path + "/cgroup.procs", "w") as file:
            file.write(str(pid))

    def leave_room(self, size):
        """So much more than is used; False: the kernel does not take it."""
        with open(self.usage) as file:
            used = int(file.read())
        with contextlib.suppress(OSError):
            with open(self.limit, "w") as file:
                file.write(str(used + size))
            return True
        return False

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        with open(self.limit, "w") as file:
            file.write("-1" if "limit_in_bytes" in self.limit else "max")
        lib.wait_until(lambda: not open(self.path + "/cgroup.procs").read().strip(),
                       "the cgroup to be empty")
        os.rmdir(self.path)


@lib.test(exclusive=True)
def test_out_of_memory():
    """Its cgroup has no memory left while everything is traced: killed or not, what runs is not
    held up, all of it has its result, and nothing of the tracer is left."""
    script = lib.write("many.py", "import json, decimal, argparse, http.client, unittest, xml.dom\n"
                                  "print('fine')\n")
    with MemoryLimit() as limit, lib.Tracer("-a") as tracer:
        limit.take_in(tracer.proc.pid)
        left = children(tracer.proc.pid)
        # What it already had stays with the cgroup it was taken in: from now on there is nothing.
        lib.check(limit.leave_room(64 << 10), "no limit can be set")
        for _ in range(6):
            done = lib.run([lib.SYSTEM, script])
            lib.check_equal((done.rc, done.out), (0, b"fine\n"), "result of a target")
        with contextlib.suppress(ProcessLookupError):
            tracer.proc.send_signal(signal.SIGINT)
        status = tracer.proc.wait(timeout=lib.PATIENCE_S)
        for pid in left:
            lib.wait_until(lambda pid=pid: is_gone(pid), "process %d to be gone" % pid)
        done = lib.run([lib.SYSTEM, script])
        lib.check_equal((done.rc, done.out), (0, b"fine\n"), "result of one afterwards")
    print("status of the tool: %d" % status)
    lib.check(status in (0, 1, -signal.SIGKILL), "status of the tool: %d", status)


@lib.test(params={s.name: s for s in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)})
def test_before_start(number):
    """A signal while probes are set: the command never runs, and the status is the signal's."""
    ran = os.path.join(lib.workdir(), "ran")
    reader, writer = os.pipe()
    filler = b"x" * fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    os.write(writer, filler)  # "tracing", said before the command is let go, has to wait
    proc = subprocess.Popen([lib.TOOL, "--", "/usr/bin/touch", ran], stdout=subprocess.DEVNULL,
                            stderr=writer, env=lib.clean_env(), start_new_session=True,
                            preexec_fn=lambda: signal.signal(number, signal.SIG_DFL))
    os.close(writer)

    def is_taken():
        with open("/proc/%d/status" % proc.pid) as file:
            return any(int(line.split()[1], 16) >> (number - 1) & 1 for line in file
                       if line.startswith("SigCgt"))

    lib.wait_until(is_taken, "the tool to take signals")
    proc.send_signal(number)
    with open(reader, "rb") as file:
        said = file.read()[len(filler):]
    lib.check_equal(proc.wait(), 128 + number, "status, %r" % said)
    lib.check(said.endswith(b"pyimport-bpf: interrupted before the command was started\n") and
              b"error" not in said, "%r", said)
    lib.check(not os.path.exists(ran), "the command ran")


@lib.test()
def test_timeout():
    """timeout(1) signals the tool and then its group: the report comes all the same. (SIGINT stops
    a trace at once, and the tool when it comes again.)"""
    # One long sleep could begin between the signal and Python's look at it.
    script = lib.write("nap.py", "import colorsys, time\nprint('up', flush=True)\n"
                       "while True:\n    time.sleep(.05)\n")
    report = os.path.join(lib.workdir(), "report.txt") # so that stdout is the command's
    proc = subprocess.Popen([lib.TOOL, "--report", report, "--", lib.SYSTEM, script],
                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=lib.clean_env(),
                            start_new_session=True,
                            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    lib.check_equal(proc.stdout.readline(), b"up\n", "the command")
    for _ in range(2):
        proc.send_signal(signal.SIGINT)
        time.sleep(0.01)
    proc.communicate(timeout=lib.PATIENCE_S)
    with open(report, encoding="utf-8") as file:
        text = file.read()
    lib.check("start-up" in text and "nap.py" in text, "status %d: %s", proc.returncode, text)


if __name__ == "__main__":
    lib.main()
