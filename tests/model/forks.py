# SPDX-License-Identifier: BSD-2-Clause
"""Many programs of one interpreter, which starts once: forks.py LIST runs each script of LIST in a
child of its own, as `python SCRIPT` would, and prints a line with the child's pid and wait status.
Starting an interpreter takes longer than most random programs. Runs on CPython 3.6 and later."""
import builtins
import importlib # noqa: F401: what every program imports is loaded once
import os
import sys
import threading # noqa: F401


def child_of_each(entries):
    """Returns in each child with its entry; in the parent when all have ended."""
    for entry in entries:
        pid = os.fork()
        if not pid:
            return entry
        # Not by print(): what is in its buffer at a fork is written twice.
        os.write(1, b"%d %d\n" % (pid, os.waitpid(pid, 0)[1]))
    return None


def run(script):
    """The script as the main program."""
    with open(script) as file:
        code = compile(file.read(), script, "exec")
    program = type(sys)("__main__")
    space = program.__dict__
    space["__builtins__"] = builtins
    sys.rnd_first = sys.modules["__main__"] # the names of what calls us must stay
    sys.modules["__main__"] = program
    sys.path[0] = script.rpartition("/")[0]
    sys.argv[:] = [script]
    space["__file__"] = script
    exec(code, space)


def entries_of(path):
    with open(path) as file:
        return file.read().splitlines()


if __name__ == "__main__":
    chosen = child_of_each(entries_of(sys.argv[1]))
    if chosen:
        run(chosen)
