#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Many processes in one trace, and numbers that are used twice."""
from lib.groups import check_groups, check_inherited, children_of, own
import lib


@lib.test(timeout_s=300, exclusive=True)
def test_two_thousand():
    """2,000 short-lived processes, each with an import of its own; none is lost or mixed up."""
    for name in ("wk_even", "wk_odd"):
        lib.write("many/%s.py" % name, "")
    script = lib.write("many/main.py", """
import os
alive = 0
for n in range(2000):
    if os.fork() == 0:
        __import__("wk_odd" if n % 2 else "wk_even")
        os._exit(0)
    alive += 1
    if alive == 20:
        os.wait()
        alive -= 1
while alive:
    os.wait()
    alive -= 1
print("done")
""")
    run, doc = lib.trace([lib.system().exe, script])
    lib.check_equal((run.rc, run.out), (0, b"done\n"), "the target")
    doc.check_complete()
    check_groups(doc)
    children = children_of(doc, doc.processes[0])
    lib.check_equal(len(children), 2000, "children")
    lib.check_equal(sorted(g["count"] for g in doc["groups"]), [1, 1000, 1000], "groups")
    for child in children:
        names = child.names()
        lib.check(names in ({"wk_even"}, {"wk_odd"}), "child %d loaded %s", child.pid, names)
        lib.check_equal(child["exit"], {"code": 0, "signal": None}, "ending")
        check_inherited(doc, child)


@lib.test(timeout_s=300)
def test_many_interpreters():
    """200 interpreters one after another: one row, each complete."""
    script = lib.write("loop.sh", "n=0\nwhile [ $n -lt 200 ]; do n=$((n+1)); "
                       "%s -IS -c 'import colorsys'; done\n" % lib.system().exe)
    _, doc = lib.trace(["sh", script])
    doc.check_complete()
    check_groups(doc)
    runs = doc.having("colorsys")
    lib.check_equal(len(runs), 200, "interpreters")
    lib.check_equal({frozenset(own(p)) for p in runs}, {frozenset(own(runs[0]))}, "names")
    lib.check_equal(len({p["group"] for p in runs}), 1, "groups")
    lib.check(all("encodings" in p.names() for p in runs), "first imports are missing")


@lib.test()
def test_pid_used_twice():
    """clone3() with a chosen number gives a second process the first one's."""
    for name in ("tw_one", "tw_two", "tw_three"):
        lib.write("twice/%s.py" % name, "")
    script = lib.write("twice/main.py", """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
def fork_as(pid):
    wanted = ctypes.c_int(pid)
    args = (ctypes.c_uint64 * 10)(0, 0, 0, 0, 17, 0, 0, 0, ctypes.addressof(wanted), 1)
    got = libc.syscall(435, args, ctypes.sizeof(args))
    if got < 0:
        raise OSError(ctypes.get_errno(), "clone3")
    return got
pid = os.fork()
if pid == 0:
    import tw_one
    os._exit(0)
os.waitpid(pid, 0)
for name in ("tw_two", "tw_three"):
    if fork_as(pid) == 0:
        __import__(name)
        os._exit(3)
    os.waitpid(pid, 0)
print(pid)
""")
    run, doc = lib.trace([lib.system().exe, script])
    if b"PermissionError" in run.err or b"clone3" in run.err:
        raise lib.Skip("no process may choose its number here: %r" % run.err[-100:])
    lib.check_equal(run.rc, 0, "status: %r" % run.err)
    doc.check_complete()
    check_groups(doc)
    twice = [p for p in doc.processes if p.pid == int(run.out)]
    lib.check_equal([p.names() for p in twice], [{"tw_one"}, {"tw_two"}, {"tw_three"}], "modules")
    lib.check_equal([p["exit"]["code"] for p in twice], [0, 3, 3], "endings")
    lib.check_equal(len({p["serial"] for p in twice}), 3, "serials")
    for child in twice:
        lib.check_equal(child["parent_serial"], doc.processes[0]["serial"], "parent")
        check_inherited(doc, child)


if __name__ == "__main__":
    lib.main()
