#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Programs that switch C stacks inside an import: they must survive, and what is reported must be
right or marked approximate. A return probe on the import function kills the first of them."""
import lib

F1 = """
import greenlet, sys, importlib.abc, importlib.machinery
class F(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, n, p, t=None):
        if n.startswith('gmod'): return importlib.machinery.ModuleSpec(n, self)
    def create_module(self, s): return None
    def exec_module(self, m): main.switch()
sys.meta_path.insert(0, F())
main = greenlet.getcurrent()
gs = [greenlet.greenlet(lambda i=i: __import__('gmod%d' % i)) for i in range(3)]
for g in gs: g.switch()
for g in gs: g.switch()
print("survived", sum(g.dead for g in gs))
"""


def with_greenlet():
    return {n: i for n, i in lib.interpreters().items() if n == "system" or i.root}


def right_or_approximate(process, load, parent_name):
    """An exact nesting must be the true one. A greenlet's stack has nothing of the program that
    started it: what it imports first may as well be a root."""
    parent = process.parent(load)
    name = parent["module"] if parent else None
    truth = (None, "__main__") if parent_name == "__main__" else (parent_name,)
    lib.check(not load["exact"] or name in truth,
              "%s is said to be exactly below %s, and is below %s", load["module"], name,
              parent_name)


def f1(interp, opts):
    lib.needs_module(interp.prepare(), "greenlet")
    script = lib.write("f1.py", F1)
    for _ in range(3):
        traced, doc = lib.trace_both(interp.argv + [script], opts=opts)
        lib.check_equal(traced.out, b"survived 3\n", "output")
        process = doc.python()
        for n in range(3):
            load = process.one("gmod%d" % n)
            lib.check_equal(load["result"], "loaded", "result of gmod%d" % n)
            right_or_approximate(process, load, "__main__")


@lib.test(params=with_greenlet)
def test_suspended_imports(interp):
    f1(interp, ())


@lib.test()
def test_suspended_imports_perf():
    f1(lib.system(), ("--perf-uprobes",))


NESTED = """
import greenlet, sys
sys.path.insert(0, %(home)r)
main = sys.main = greenlet.getcurrent()
gs = [greenlet.greenlet(lambda i=i: __import__('gn%%d_a' %% i)) for i in range(%(width)d)]
order = [0, 2, 1, 3]
while not all(g.dead for g in gs):
    for n in order:
        if not gs[n].dead: gs[n].switch()
    order = order[1:] + order[:1]
print(sorted(m for m in sys.modules if m.startswith('gn')))
"""


@lib.test(params=with_greenlet)
def test_interleaved_chains(interp):
    """Four greenlets, each a chain of three imports, that take turns in the middle of bodies."""
    lib.needs_module(interp.prepare(), "greenlet")
    for n in range(4):
        switch = "import sys\nsys.main.switch()\n"
        lib.write("nested/gn%d_a.py" % n, "%simport gn%d_b\n%s" % (switch, n, switch))
        lib.write("nested/gn%d_b.py" % n, "%simport gn%d_c\n%s" % (switch, n, switch))
        lib.write("nested/gn%d_c.py" % n, switch)
    script = lib.write("nested.py", NESTED % {"home": lib.workdir() + "/nested", "width": 4})
    _, doc = lib.trace_both(interp.argv + [script])
    process = doc.python()
    for n in range(4):
        for name, parent in (("a", "__main__"), ("b", "gn%d_a" % n), ("c", "gn%d_b" % n)):
            load = process.one("gn%d_%s" % (n, name))
            lib.check_equal(load["result"], "loaded", "result of " + load["module"])
            right_or_approximate(process, load, parent)


GEVENT = """
import sys
sys.path.insert(0, %(home)r)
import gevent
def work(n):
    for k in range(%(each)d):
        __import__("gv%%d_%%d" %% (n, k))
jobs = [gevent.spawn(work, n) for n in range(%(width)d)]
gevent.joinall(jobs, raise_error=True)
print(len([m for m in sys.modules if m.startswith("gv")]))
"""


@lib.test()
def test_gevent():
    """8 greenlets x 40 modules that sleep before and after a nested import."""
    interp = lib.system()
    lib.needs_module(interp, "gevent")
    width, each = 8, 40
    sleep = "import gevent\ngevent.sleep(0)\n"
    for n in range(width):
        for k in range(each):
            lib.write("gv/gv%d_%d.py" % (n, k), "%simport gv%d_%d_in\n%s" % (sleep, n, k, sleep))
            lib.write("gv/gv%d_%d_in.py" % (n, k), sleep)
    script = lib.write("gv.py", GEVENT % {"home": lib.workdir() + "/gv", "each": each,
                                          "width": width})
    traced, doc = lib.trace_both(interp.argv + [script])
    lib.check_equal(traced.out, b"%d\n" % (2 * width * each), "modules")
    process = doc.python()
    for n in range(width):
        for k in range(each):
            outer, inner = process.one("gv%d_%d" % (n, k)), process.one("gv%d_%d_in" % (n, k))
            lib.check_equal((outer["result"], inner["result"]), ("loaded", "loaded"), "results")
            right_or_approximate(process, inner, outer["module"])


EVENTLET = """
import sys
sys.path.insert(0, %(home)r)
import eventlet
pool = eventlet.GreenPool()
for n in range(8):
    pool.spawn(lambda n=n: [__import__("ev%%d_%%d" %% (n, k)) for k in range(10)])
pool.waitall()
print(len([m for m in sys.modules if m.startswith("ev") and m[2].isdigit()]))
"""


@lib.test()
def test_eventlet():
    interp = lib.system()
    lib.needs_module(interp, "eventlet")
    sleep = "import eventlet\neventlet.sleep(0)\n"
    for n in range(8):
        for k in range(10):
            lib.write("ev/ev%d_%d.py" % (n, k), "%simport ev%d_%d_in\n%s" % (sleep, n, k, sleep))
            lib.write("ev/ev%d_%d_in.py" % (n, k), sleep)
    script = lib.write("ev.py", EVENTLET % {"home": lib.workdir() + "/ev"})
    traced, doc = lib.trace_both(interp.argv + [script])
    lib.check_equal(traced.out, b"160\n", "modules")
    process = doc.python()
    for n in range(8):
        for k in range(10):
            right_or_approximate(process, process.one("ev%d_%d_in" % (n, k)), "ev%d_%d" % (n, k))


MONKEY = """
from gevent import monkey
monkey.patch_all()
import sys, threading
sys.path.insert(0, %(home)r)
threads = [threading.Thread(target=lambda n=n: (__import__("mk_shared"), __import__("mk%%d" %% n)))
           for n in range(8)]
for t in threads: t.start()
for t in threads: t.join()
print(len([m for m in sys.modules if m.startswith("mk")]), sys.modules["mk_shared"].VALUE)
"""


@lib.test()
def test_monkey_patched_threads():
    """Threads that are greenlets, importing one module that sleeps in its body."""
    interp = lib.system()
    lib.needs_module(interp, "gevent")
    lib.write("mk/mk_shared.py", "import time\ntime.sleep(0.01)\nVALUE = 1\n")
    for n in range(8):
        lib.write("mk/mk%d.py" % n, "import time\ntime.sleep(0.001)\nimport mk_shared\n")
    script = lib.write("mk.py", MONKEY % {"home": lib.workdir() + "/mk"})
    for _ in range(3):
        traced, doc = lib.trace_both(interp.argv + [script])
        lib.check_equal(traced.out, b"9 1\n", "output")
        process = doc.python()
        for n in range(8):
            lib.check_equal(process.one("mk%d" % n)["result"], "loaded", "result")
        shared = [i for i in process.named("mk_shared") if i["result"] == "loaded"]
        lib.check(len(shared) == 1 or not all(i["exact"] for i in shared),
                  "%d exact loads of the shared module", len(shared))


if __name__ == "__main__":
    lib.main()
