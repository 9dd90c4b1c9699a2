#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Programs that run already: -p and -a, attach inside an import, detach while imports run."""
import functools
import json
import os
import signal
import subprocess

import lib

MID = """
import sys
sys.path.insert(0, %(home)r)
print("started", flush=True)
import mid_a
import mid_after
print("done", flush=True)
"""


@lib.test(params=lib.core_interpreters)
def test_attach_inside_import(interp):
    """The import under way has no invented times; what comes after is exact."""
    interp.prepare()
    lib.write("mid/mid_a.py", "import mid_b\nimport mid_last\n")
    lib.write("mid/mid_b.py", "import sys\nprint('inside', flush=True)\nsys.stdin.readline()\n\n"
              "import mid_late\n")
    for name in ("mid_late", "mid_last", "mid_after"):
        lib.write("mid/%s.py" % name, "")
    script = lib.write("mid.py", MID % {"home": lib.workdir() + "/mid"})
    with lib.Target(interp.argv + [script]) as target:
        target.expect("inside")
        with lib.Tracer("-p", target.pid) as tracer:
            target.say()
            target.expect("done")
            run = target.finish()
            tracer.finish()
        doc = tracer.trace()
    lib.check_equal(run.rc, 0, "status of the target")
    lib.check_equal(tracer.rc, 0, "status of the tool, whose target ended")
    process = doc.pid(target.pid)
    lib.check(process["attached_late"] is True, "attached_late is %r", process["attached_late"])
    for name, line, file in (("mid_late", 5, "mid_b.py"), ("mid_last", 2, "mid_a.py"),
                             ("mid_after", 6, "mid.py")):
        load = process.one(name)
        lib.check_equal((load["result"], load["importer"]["line"],
                         os.path.basename(load["importer"]["file"])), ("loaded", line, file), name)
    for name in ("mid_a", "mid_b"):
        for load in process.named(name):
            lib.check(not load["exact"], "%s began before the attach, and is said to be exact",
                      name)


@lib.test()
def test_interrupt_of_a_script():
    """A shell starts `pyimport-bpf ... &` with SIGINT ignored; kill -INT ends the trace all the
    same, and the report is written."""
    script = lib.write("wait.py", "print('up', flush=True); input(); import colorsys\n"
                       "print('done', flush=True); input()")
    report = lib.workdir() + "/r.json"
    with lib.Target(lib.system().argv + [script]) as target:
        target.expect("up")
        ignore = functools.partial(signal.signal, signal.SIGINT, signal.SIG_IGN)
        with subprocess.Popen([lib.TOOL, "-p", str(target.pid), "--format", "json", "--report",
                               report], stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
                              preexec_fn=ignore) as tool:
            lib.check(any(lib.READY.encode() in line for line in tool.stderr), "never ready")
            target.say()
            target.expect("done")
            tool.send_signal(signal.SIGINT)
            lib.check_equal(tool.wait(lib.PATIENCE_S), 0, "status of the tool")
        target.say()
        target.finish()
    with open(report, "rb") as file:
        lib.Trace(json.load(file), "").pid(target.pid).one("colorsys")


SERVICE = """
import os, subprocess, sys, threading
sys.path.insert(0, %(home)r)
events = [threading.Event() for _ in range(4)]
def work(n):
    events[n].wait()
    __import__("sv_thread%%d" %% n)
threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
for t in threads: t.start()
print("ready", flush=True)
sys.stdin.readline()
for e in events: e.set()
for t in threads: t.join()
threading.Thread(target=lambda: __import__("sv_new_thread")).start()
pid = os.fork()
if pid == 0:
    import sv_forked
    os._exit(0)
os.waitpid(pid, 0)
subprocess.run([sys.executable, "-c", "import colorsys"], check=True)
print("done", flush=True)
"""


def service(interp, *opts):
    interp.prepare()
    names = ["sv_thread%d" % n for n in range(4)] + ["sv_new_thread", "sv_forked"]
    for name in names:
        lib.write("sv/%s.py" % name, "")
    script = lib.write("sv.py", SERVICE % {"home": lib.workdir() + "/sv"})
    with lib.Target(interp.argv + [script]) as target:
        target.expect("ready")
        with lib.Tracer(*opts, "-p", target.pid) as tracer:
            target.say()
            target.expect("done")
            target.finish()
            tracer.finish()
        doc = tracer.trace()
    doc.check_complete()
    process = doc.pid(target.pid)
    for name in names[:5]:
        lib.check_equal(process.one(name)["result"], "loaded", name)
    tids = {process.one(name)["tid"] for name in names[:5]}
    lib.check(len(tids) == 5, "threads: %s", tids)
    forked, = doc.having("sv_forked")
    lib.check_equal(forked["ppid"], target.pid, "parent of the forked child")
    execed, = doc.having("colorsys")
    lib.check("encodings" in execed.names(), "the start of the later child is not there")
    lib.check_equal(execed.one("__main__")["via"], "main", "via")


@lib.test(params=lib.core_interpreters)
def test_threads_and_later_children(interp):
    service(interp)


@lib.test()
def test_threads_and_later_children_perf():
    service(lib.system(), "--perf-uprobes")


@lib.test()
def test_several_processes():
    """-p A,B: both, and not a third."""
    body = lib.write("several.py", "import sys\nprint('up', flush=True)\nsys.stdin.readline()\n"
                     "import colorsys\nprint('done', flush=True)\n")
    targets = [lib.Target([lib.system().exe, body]) for _ in range(3)]
    try:
        for target in targets:
            target.expect("up")
        with lib.Tracer("-p", "%d,%d" % (targets[0].pid, targets[1].pid)) as tracer:
            for target in targets:
                target.say()
                target.expect("done")
                target.finish()
            tracer.finish()
        doc = tracer.trace()
        lib.check_equal({p.pid for p in doc.having("colorsys")},
                        {targets[0].pid, targets[1].pid}, "processes in the report")
        lib.check(targets[2].pid not in {p.pid for p in doc.processes}, "a third process is there")
    finally:
        for target in targets:
            target.__exit__()


LOOP = """
import importlib.machinery, os, sys
class Finder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name.startswith("lp_"):
            return importlib.machinery.ModuleSpec(name, Finder)
    @staticmethod
    def create_module(spec):
        return None
    @staticmethod
    def exec_module(module):
        name = module.__name__
        text = "VALUE = 1" if "deep" in name else "import lp_deep_%%s as deep" %% name[3:]
        exec(compile(text, "<made>", "exec"), module.__dict__)
sys.meta_path.insert(0, Finder)
progress = os.open(%(progress)r, os.O_WRONLY | os.O_CREAT)
print("up", flush=True)
n = total = 0
while not os.path.exists(%(stop)r):
    total += __import__("lp_%%d" %% n).deep.VALUE
    del sys.modules["lp_%%d" %% n], sys.modules["lp_deep_%%d" %% n]
    n += 1
    os.pwrite(progress, b"%%12d" %% n, 0)
print("right", total == n, flush=True)
"""


class Loop:
    """A target that imports all the time, until told to stop."""

    def __init__(self, interp):
        self.stop = lib.workdir() + "/stop"
        script = lib.write("lp.py", LOOP % {
            "stop": self.stop, "progress": self.stop + ".progress"})
        self.target = lib.Target(interp.argv + [script])
        self.target.expect("up")

    def done(self):
        with open(self.stop + ".progress", "rb") as file:
            return int(file.read() or 0)

    def progress(self, count=500):
        """Waits until it has imported that many more."""
        goal = self.done() + count
        lib.wait_until(lambda: self.done() >= goal or self.target.proc.poll() is not None,
                       "the target to go on")

    def finish(self):
        with open(self.stop, "w"):
            pass
        run = self.target.finish()
        lib.check_equal(run.rc, 0, "status of the target; stderr: %r" % run.err[-500:])
        lib.check_equal(run.out.split(b"\n")[-2], b"right True", "its last word")
        os.unlink(self.stop)


@lib.test(params={n + s: (i, o) for n, i in lib.core_interpreters().items()
                  for s, o in (("", ()), (",perf", ("--perf-uprobes",)))
                  if not o or n == "system"}, timeout_s=200)
def test_detach_while_imports_run(arg):
    """Attach and detach again and again under a program that imports all the time."""
    interp, opts = arg
    interp.prepare()
    loop = Loop(interp)
    with loop.target:
        for _ in range(4):
            with lib.Tracer(*opts, "-p", loop.target.pid) as tracer:
                loop.progress()
                tracer.stop()
            lib.check_equal(tracer.rc, 0, "status of the tool")
            loop.progress(50)
            doc = tracer.trace()
            lib.check_equal(lib.losses(doc.doc).get("ends_unobserved", 0), 0, "ends not seen")
            process = doc.pid(loop.target.pid)
            deep = [i for i in process.imports if (i["module"] or "").startswith("lp_deep_")]
            lib.check(len(deep) > 100, "only %d loads were seen", len(deep))
            lonely = 0
            for load in deep:
                parent = process.parent(load)
                if parent is None:
                    lonely += 1
                else:
                    lib.check_equal(parent["module"], "lp_" + load["module"][8:], "parent")
                lib.check_equal(load["importer"]["line"], 1, "line of " + load["module"])
            # Only the one that was under way when we came may lack its parent.
            lib.check(lonely <= 1, "%d of %d have no parent", lonely, len(deep))
        loop.finish()


@lib.test()
def test_tracer_killed():
    """SIGKILL for the tool in the middle of everything: the target goes on as if nothing was."""
    loop = Loop(lib.system())
    with loop.target:
        tracer = lib.Tracer("-p", loop.target.pid).__enter__()
        loop.progress()
        tracer.proc.kill()
        tracer.proc.wait()
        loop.progress()
        loop.finish()


def all_started_later():
    return {n: i for n, i in lib.all_interpreters().items()}


@lib.test(params=all_started_later)
def test_all_sees_what_starts_later(interp):
    """-a: an interpreter that starts later is seen from its first import on."""
    interp.prepare()
    code = "import json, sys; sys.stdout.write(json.__name__)"
    mark = " # %d" % os.getpid()
    plain = lib.run(interp.argv + ["-c", code])
    with lib.Tracer("-a") as tracer:
        traced = lib.run(interp.argv + ["-c", code + mark])
        tracer.stop()
    lib.check_same(plain, traced)
    mine = [p for p in tracer.trace().processes if p["cmdline"] and p["cmdline"][-1].endswith(mark)
            and p.imports]
    lib.check(len(mine) == 1, "%d processes of that command", len(mine))
    mine[0].one("encodings")
    lib.check_equal(mine[0].parent(mine[0].one("json"))["module"], "__main__", "parent of json")
    version = mine[0]["python"]["version"]
    lib.check_equal(version.rstrip("+").split(".")[:2], list(map(str, interp.version[:2])),
                    "version %s" % version)


@lib.test()
def test_all_until_terminated():
    """-a: every Python process, and SIGTERM ends the trace as Ctrl-C does."""
    with lib.Tracer("-a") as tracer:
        lib.run([lib.system().exe, "-c", "import colorsys # %d" % os.getpid()])
        tracer.stop(signal.SIGTERM)
    mine = [p for p in tracer.trace().having("colorsys")
            if p["cmdline"] and p["cmdline"][-1].endswith("# %d" % os.getpid())]
    lib.check_equal(len(mine), 1, "processes")


@lib.test()
def test_never_seen_interpreter():
    """A copy of the interpreter that no tool has ever looked at, started under -a."""
    copy = lib.workdir() + "/another-python"
    subprocess.run(["cp", os.path.realpath(lib.SYSTEM), copy], check=True)
    with lib.Tracer("-a") as tracer:
        run = lib.run([copy, "-c", "import colorsys # copy"], env={"PYTHONHOME": "/usr"})
        tracer.stop()
    lib.check_equal(run.rc, 0, "status")
    # A process that has ended before anybody looked has no exe; one of before us no command line.
    mine = [p for p in tracer.trace().having("colorsys")
            if copy in (p["exe"], *(p["cmdline"] or [])[:1])]
    lib.check_equal(len(mine), 1, "processes")
    mine[0].one("encodings")


@lib.test()
def test_deleted_interpreter():
    """A process whose interpreter file was replaced (an upgrade) can be attached to."""
    copy = lib.workdir() + "/old-python"
    subprocess.run(["cp", os.path.realpath(lib.SYSTEM), copy], check=True)
    script = lib.write("deleted.py", "import sys\nprint('up', flush=True)\nsys.stdin.readline()\n"
                       "import colorsys\nprint('done', flush=True)\n")
    with lib.Target([copy, script], env={"PYTHONHOME": "/usr"}) as target:
        target.expect("up")
        os.unlink(copy)
        with lib.Tracer("-p", target.pid) as tracer:
            target.say()
            target.expect("done")
            target.finish()
            tracer.finish()
        lib.check_equal(tracer.trace().pid(target.pid).one("colorsys")["importer"]["line"], 4,
                        "line")


@lib.test()
def test_duration():
    """-d ends the trace, not the target."""
    with lib.Target([lib.system().exe, "-c", "import sys; print('up', flush=True);"
                     "sys.stdin.readline(); print('fine')"]) as target:
        target.expect("up")
        with lib.Tracer("-p", target.pid, "-d", "300ms") as tracer:
            tracer.finish()
        lib.check_equal(tracer.rc, 0, "status of the tool")
        target.say()
        lib.check_equal(target.finish().rc, 0, "status of the target")


if __name__ == "__main__":
    lib.main()
