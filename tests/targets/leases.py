# SPDX-License-Identifier: BSD-2-Clause
"""An ordinary user who executes files of his own while he holds leases on them and does not give
them back: python3 leases.py FILE…. Says "leased", executes them all at a line of stdin, says
"running" once that is under way, and at the next line how many have not begun yet."""
import fcntl
import os
import signal
import sys


def begin(path):
    """A child that executes it, and a pipe that is closed when the exec succeeds or fails."""
    read_end, write_end = os.pipe()
    pid = os.fork()
    if not pid:
        os.close(read_end)
        try:
            os.execv(path, [path])
        except OSError:
            os._exit(1)
    os.close(write_end)
    os.set_blocking(read_end, False)
    return pid, read_end


def is_waiting(read_end):
    try:
        return os.read(read_end, 1) != b""
    except BlockingIOError:
        return True


def main():
    signal.signal(signal.SIGIO, signal.SIG_IGN)
    held = [os.open(path, os.O_RDONLY) for path in sys.argv[1:]]
    for fd in held:
        fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_WRLCK)
    print("leased", flush=True)
    sys.stdin.readline()
    started = [begin(path) for path in sys.argv[1:]]
    print("running", flush=True)
    sys.stdin.readline()
    print(sum(is_waiting(read_end) for _, read_end in started), flush=True)
    sys.stdin.readline()
    for fd in held:
        os.close(fd)
    for pid, _ in started:
        os.waitpid(pid, 0)


if __name__ == "__main__":
    main()
