#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Causes where the kernel has no uprobe_multi: the same figures, charged to the same imports."""
import os
import subprocess

import lib

MS = 1_000_000
SPIN = "import time\n_until = time.thread_time() + 0.1\nwhile time.thread_time() < _until: pass\n"
MAIN = """
import sys, time
sys.path.insert(0, %r)
began = time.thread_time_ns()
import m_sleep
print(time.thread_time_ns() - began)
import m_read, m_memory
"""


def near(got, truth, what):
    lib.check(got is not None and abs(got - truth) <= max(truth * 0.05, 2 * MS), "%s: %s, truth %d",
              what, got, truth)


@lib.test(exclusive=True)
@lib.two_clocks
def test_perf_uprobes():
    """Causes are charged to the same imports when each probe is a perf event."""
    lib.write("mods/m_read.py", "with open(__file__, 'rb') as file:\n    data = file.read()\n")
    lib.write("mods/m_memory.py", "data = bytearray(50 << 20)\n")
    lib.write("mods/m_spin.py", SPIN)
    lib.write("mods/m_sleep.py", "import time, m_spin\ntime.sleep(0.1)\n")
    capture = lib.workdir() + "/a.cap"
    script = lib.write("main.py", MAIN % (lib.workdir() + "/mods"))
    done, doc = lib.trace([*lib.system().argv, script], opts=["--perf-uprobes", "-o", capture])
    lib.check_equal(done.rc, 0, "status; stderr:\n%s\n" % done.err.decode())
    doc.check_complete()
    process = doc.python()
    sleep, spin = process.one("m_sleep"), process.one("m_spin")
    near(sleep["self_wait_ns"]["sleep"], 100 * MS, "sleep of m_sleep")
    lib.check_equal(spin["self_wait_ns"]["sleep"], 0, "sleep of m_spin")
    near(sleep["cpu_ns"], int(done.out), "CPU of m_sleep")
    near(spin["self_cpu_ns"], 100 * MS, "CPU of m_spin")
    size = os.path.getsize(lib.workdir() + "/mods/m_read.py")
    read = [f for f in process["files"] if (f["path"] or "").endswith("/m_read.py")]
    # Its source is read to be compiled, then by itself.
    lib.check_equal(sum(f["bytes_read"] for f in read), 2 * size, "bytes of m_read.py")
    lib.check_equal({f["import"] for f in read if f["bytes_read"]}, {process.one("m_read")["id"]},
                    "who read it")
    anon = process.one("m_memory")["self_rss"]["anon"]
    lib.check(abs(anon - (50 << 20)) <= 1 << 20, "memory of m_memory: %d", anon)
    for view in ("causes", "files", "libs", "net"):
        text = subprocess.run([lib.TOOL, "report", "--view", view, capture], check=True,
                              stdout=subprocess.PIPE, encoding="utf-8").stdout
        lib.check("Not measured" not in text and "main.py" in text, "%s:\n%s", view, text)


if __name__ == "__main__":
    lib.main()
