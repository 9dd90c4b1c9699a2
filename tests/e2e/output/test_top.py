#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""`top`: lines without a terminal, a screen with one."""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time

import lib


def program():
    lib.write("tp_slow.py", "import time\ntime.sleep(0.6)\n")
    return lib.write("tp\x1b[31m\u202e\u2066\x9b2J.py", "import tp_slow, json\nimport time\ntime.sleep(1.5)\n")


@lib.test()
def test_lines():
    script = program()
    done = subprocess.run([lib.TOOL, "top", "--", lib.system().exe, script], capture_output=True,
                          stdin=subprocess.DEVNULL, cwd=lib.workdir(), env=lib.clean_env())
    lib.check_equal(done.returncode, 0, "status, %r" % done.stderr)
    lines = done.stdout.decode().splitlines()
    lib.check(len(lines) == 1, "one line for one program: %r", lines)
    lib.check(re.search(r"\(pid \d+\): .*, \d+ modules, slowest tp_slow \d", lines[0]), lines[0])
    lib.check(not set("\x1b\u202e\u2066\x9b") & set(lines[0]),
              "a name reached the terminal as it is: %r", lines[0])


def read_for(fd, seconds, until):
    data, deadline = b"", time.monotonic() + seconds
    while until not in data and time.monotonic() < deadline:
        if select.select([fd], [], [], 0.1)[0]:
            try:
                data += os.read(fd, 65536)
            except OSError:
                break
    return data


@lib.test()
def test_screen():
    script = program()
    lead, follow = pty.openpty()
    fcntl.ioctl(follow, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 160, 0, 0))
    proc = subprocess.Popen([lib.TOOL, "top", "-a"], stdin=follow, stdout=follow, stderr=follow,
                            start_new_session=True, env=lib.clean_env({"TERM": "xterm"}))
    os.close(follow)
    try:
        seen = read_for(lead, 60, b"q quits")
        lib.check(b"Python processes" in seen, "no screen: %r", seen[-300:])
        target = subprocess.Popen([lib.system().exe, script], env=lib.clean_env())
        seen = read_for(lead, 30, b"tp_slow")
        lib.check(b"tp_slow" in seen, "the module that loads is not shown: %r", seen[-1000:])
        for harm in (b"\x1b[31m.py", b"\x1b[31m\xe2", b"\xe2\x80\xae", b"\xe2\x81\xa6", b"\xc2\x9b"):
            lib.check(harm not in seen, "%r reached the terminal: %r", harm, seen[-1000:])
        target.wait()
        os.write(lead, b"h")
        seen = read_for(lead, 30, b"with a summary")
        lib.check(b"sort by" in seen, "no help: %r", seen[-500:])
        os.write(lead, b"hm")
        seen = b""
        for n in range(20): # only a screen of another size is drawn as a whole
            fcntl.ioctl(lead, termios.TIOCSWINSZ, struct.pack("HHHH", 31 + n % 2, 160, 0, 0))
            proc.send_signal(signal.SIGWINCH)
            seen += read_for(lead, 1.5, b"by modules")
            if b"by modules" in seen:
                break
        lib.check(b"by modules" in seen, "not sorted by modules: %r", seen[-500:])
        os.write(lead, b"q")
        seen = read_for(lead, 60, b"loaded modules")
        seen += read_for(lead, 2, b"more\r\n")
        lib.check(proc.wait(timeout=60) == 0, "status %s", proc.returncode)
        gone, _, after = seen.partition(b"\x1b[?1049l")
        lib.check(after, "the terminal was not given back: %r", seen[-200:])
        told = re.search(rb"(\d+) Python process(es)? loaded modules", after)
        lib.check(told, "no summary: %r", after)
        lib.check_equal(len(re.findall(rb"\(pid \d+\): .* modules", after)),
                        min(10, int(told.group(1))), "rows of the summary")
    finally:
        if proc.poll() is None:
            proc.send_signal(signal.SIGKILL)
        proc.wait()
        os.close(lead)


if __name__ == "__main__":
    lib.main()
