#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What the process that holds did not hear of in time: told, if it was of what is traced."""
import os
import shutil
import signal
import time

import lib
from lib.holds import CODE, EXEC_LIMIT_NS, check_seen_or_told, fresh_library, holder_of, late_program

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
    argv = [lib.SYSTEM, "-c", EXECS, late_program(), fresh_library(), "-c", code]
    with lib.Target(argv) as target, lib.Target([lib.SYSTEM, "-c", EXECS, "/bin/true"]) as other:
        target.expect("ready")
        other.expect("ready") # so that the trace does not end with the first
        with lib.Tracer("-vv", "-p", target.pid, "-p", other.pid) as tracer:
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
            other.say()
            other.finish()
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
        with lib.Tracer("-vv", "-p", target.pid) as tracer:
            os.kill(tracer.proc.pid, signal.SIGSTOP)
            target.say()
            lib.wait_until(lambda: comm_of(target.pid) == "cat", "the second exec")
            time.sleep(0.1) # the holder has asked, and waits no longer
            os.kill(tracer.proc.pid, signal.SIGCONT)
            target.finish()
            tracer.stop()
        doc = tracer.trace()
        lib.check(doc["complete"], "%s\n%s", lib.losses(doc), doc.messages)
        lib.check(doc["held"]["total_ns"] < 2 * EXEC_LIMIT_NS, "two programs waited for each of "
                  "their files: %s", doc["held"])


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


def comm_of(pid):
    with open("/proc/%d/comm" % pid) as file:
        return file.read().strip()


if __name__ == "__main__":
    lib.main()
