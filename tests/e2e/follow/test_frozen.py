#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Who is frozen or stopped keeps nobody else waiting: neither the tracer's end nor a target."""
import contextlib
import os
import shutil
import signal
import subprocess
import time

import lib

HOME = {"PYTHONHOME": "/usr"}
CODE = "import json, sys; sys.stdout.write('fine')"
FREEZERS = ("/sys/fs/cgroup/freezer", "/sys/fs/cgroup/unified", "/sys/fs/cgroup")
LIMIT_NS = 500_000_000  # docs/design.md: no exec waits longer, whatever happens to the tracer


class Freezer:
    """A cgroup of our own that can be frozen; thawed and removed at the end."""

    def __init__(self):
        for base in FREEZERS:
            self.path = "%s/pyimport-test-%d" % (base, os.getpid())
            with contextlib.suppress(OSError):
                os.mkdir(self.path)
                break
        else:
            raise lib.Skip("no cgroup that can be frozen")
        self.is_v1 = os.path.exists(self.path + "/freezer.state")
        if not self.is_v1 and not os.path.exists(self.path + "/cgroup.freeze"):
            os.rmdir(self.path)
            raise lib.Skip("no cgroup that can be frozen")
        self.procs = self.path + "/cgroup.procs"

    def _write(self, v1, v2):
        with open(self.path + ("/freezer.state" if self.is_v1 else "/cgroup.freeze"), "w") as file:
            file.write(v1 if self.is_v1 else v2)

    def freeze(self):
        self._write("FROZEN", "1")

    def is_frozen(self):
        if self.is_v1:
            with open(self.path + "/freezer.state") as file:
                return file.read().strip() == "FROZEN"
        with open(self.path + "/cgroup.events") as file:
            return "frozen 1" in file.read()

    def thaw(self):
        self._write("THAWED", "0")

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.thaw()
        lib.wait_until(lambda: not open(self.procs).read().strip(), "the cgroup to be empty")
        os.rmdir(self.path)


def fresh_python(name):
    path = lib.workdir() + "/" + name
    shutil.copy(os.path.realpath(lib.SYSTEM), path)
    return path


def start_inside(freezer, program):
    """A shell inside, which becomes the program at its first line of input."""
    shell = subprocess.Popen(["sh", "-c", 'echo $$ > "$0"; read line; exec "$@"', freezer.procs,
                              program, "-c", CODE], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                             env=lib.clean_env(HOME))
    lib.wait_until(lambda: open(freezer.procs).read().strip(), "the shell to be inside")
    return shell


def waits_for_answer(pid):
    with open("/proc/%d/wchan" % pid) as file:
        return "fanotify" in file.read()


@lib.test(exclusive=True)
def test_frozen_while_held():
    """A program's cgroup is frozen in the moment its exec is held. The tracer ends all the same,
    with its report, and the program runs when it is thawed."""
    program = fresh_python("frozen")
    with Freezer() as freezer, lib.Tracer("-a") as tracer:
        child = start_inside(freezer, program)
        tracer.proc.send_signal(signal.SIGSTOP)  # so that the exec waits as long as it may
        try:
            child.stdin.write(b"go\n")
            child.stdin.flush()
            lib.wait_until(lambda: waits_for_answer(child.pid), "the exec to be held")
            freezer.freeze()
            tracer.proc.send_signal(signal.SIGCONT)
            lib.wait_until(freezer.is_frozen, "the cgroup to freeze")
            tracer.stop()
            lib.check_equal((tracer.rc, freezer.is_frozen(), child.poll()), (0, True, None),
                            "status of the tool, frozen, status of the program")
            beside = lib.run([fresh_python("beside"), "-c", CODE], env=HOME)
            lib.check_equal((beside.rc, beside.out), (0, b"fine"), "a program beside it")
            freezer.thaw()
            out, _ = child.communicate(timeout=lib.PATIENCE_S)
            lib.check_equal((child.returncode, out), (0, b"fine"), "result when it is thawed")
        finally:
            tracer.proc.send_signal(signal.SIGCONT)
            freezer.thaw()
            child.kill()
            child.communicate()
    print("detaching took %s" % [m for m in tracer.err.decode().splitlines() if "detach" in m])


@lib.test(exclusive=True)
def test_stopped_tracer():
    """The tracer is stopped by SIGSTOP while unknown programs start: by the report none of them
    waited longer than the limit, and all of them ran."""
    with lib.Tracer("-a") as tracer:
        tracer.proc.send_signal(signal.SIGSTOP)
        try:
            took = []
            for n in range(4):
                began = time.monotonic()
                done = lib.run([fresh_python("stopped%d" % n), "-c", CODE], env=HOME)
                took.append(time.monotonic() - began)
                lib.check_equal((done.rc, done.out), (0, b"fine"), "result")
        finally:
            tracer.proc.send_signal(signal.SIGCONT)
        tracer.stop()
    lib.check_equal(tracer.rc, 0, "status of the tool")
    doc = tracer.trace()
    print("from fork to end %.0f ms at most; held for %.0f ms at most" %
          (max(took) * 1e3, doc["held"]["exec_max_ns"] / 1e6))
    lib.check(0 < doc["held"]["exec_max_ns"] <= LIMIT_NS, "an exec waited %d ns",
              doc["held"]["exec_max_ns"])
    lib.check_equal(doc["complete"], False, "complete, with four Pythons not probed in time")


if __name__ == "__main__":
    lib.main()
