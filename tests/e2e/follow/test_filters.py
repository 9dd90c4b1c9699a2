#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""--cgroup on v2 and on v1: who is inside by exec, by birth and by being moved, who is not, cgroups
that are still to come and that vanish, and names that are wrong."""
import contextlib
import json
import os
import signal
import subprocess

import lib

FIRST = "encodings"
# What it reads is a module to import; it says when it has.
OBEDIENT = "import sys\nprint('up', flush=True)\nfor line in sys.stdin:\n" \
           "    __import__(line.strip())\n    print('done', flush=True)"


def hierarchies():
    """Mount points by kind: "v2" and the name of one v1 controller."""
    found = {}
    with open("/proc/self/mounts", encoding="utf-8") as file:
        for line in file:
            _, where, kind, options = line.split()[:4]
            if kind == "cgroup2":
                found.setdefault("v2", where)
            elif kind == "cgroup" and {"pids", "memory"} & set(options.split(",")):
                found.setdefault("v1", where)
    return found


def kinds():
    """v1 is there on hosts that have it."""
    return {kind: kind for kind in ("v2", "v1")}


def root_of(kind):
    root = hierarchies().get(kind)
    if not root:
        raise lib.Skip("no %s hierarchy of cgroups is mounted" % kind)
    return root


class Group:
    """A cgroup of this test, with one below it, both gone at the end."""

    def __init__(self, kind, name="a"):
        self.name = "pyi-%d-%s" % (os.getpid(), name)
        self.path = os.path.join(root_of(kind), self.name)
        self.inner = os.path.join(self.path, "inner")

    def make(self):
        try:
            os.makedirs(self.inner)
        except OSError as error:
            raise lib.Skip("cgroups cannot be made here: %s" % error) from None
        return self

    def run(self, argv, where=None):
        """Runs a command that is inside from its exec on."""
        def enter():
            with open((where or self.path) + "/cgroup.procs", "w", encoding="ascii") as file:
                file.write("0")
        return subprocess.run(argv, preexec_fn=enter, check=True, env=lib.clean_env(),
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)

    def move(self, pid):
        with open(self.inner + "/cgroup.procs", "w", encoding="ascii") as file:
            file.write(str(pid))

    def remove(self):
        for path in (self.inner, self.path):
            with contextlib.suppress(FileNotFoundError):
                lib.wait_until(lambda p=path: not self.pids(p), "an empty cgroup")
                os.rmdir(path)

    @staticmethod
    def pids(path):
        with open(path + "/cgroup.procs", encoding="ascii") as file:
            return file.read().split()

    def __enter__(self):
        return self.make()

    def __exit__(self, *exc):
        self.remove()


def by_code(trace, code):
    """The process that ran `python -c code`, as an image of its own."""
    return [p for p in trace["processes"] if p["is_python"] and (p["cmdline"] or [])[-1:] == [code]]


def modules(process):
    return [i["module"] for i in process["imports"]]


def refused(*args):
    done = subprocess.run([lib.TOOL, *args], stderr=subprocess.PIPE, env=lib.tool_env(),
                          stdin=subprocess.DEVNULL, timeout=lib.PATIENCE_S)
    return done.returncode, done.stderr.decode()


@lib.test(kinds)
def test_inside_and_outside(kind):
    """What execs in it or below is traced from its first import; nothing else on the machine is."""
    with Group(kind) as group, Group(kind, "b") as other:
        with lib.Tracer("--cgroup", group.path) as tracer:
            group.run([lib.SYSTEM, "-c", "import json"])
            group.run([lib.SYSTEM, "-c", "import csv"], group.inner)
            other.run([lib.SYSTEM, "-c", "import decimal"])
            lib.run([lib.SYSTEM, "-c", "import fractions"])
            tracer.stop()
        trace = tracer.trace()
        lib.check_equal(trace["complete"], True, "complete")
        lib.check_equal([by_code(trace, "import decimal"), by_code(trace, "import fractions")],
                        [[], []], "processes outside")
        for code, place in (("import json", ""), ("import csv", "/inner")):
            process, = by_code(trace, code)
            lib.check(FIRST in modules(process), "the first import is missing")
            lib.check(code.split()[1] in modules(process), "%s is missing", code)
            lib.check(not process["attached_late"], "not from its start")
            lib.check_equal(process["cgroup"], "/" + group.name + place, "cgroup")
            lib.check_equal(process["container"], None, "container")


@lib.test(kinds)
def test_children_and_moved(kind):
    """Children of one inside are followed; one that is moved in is, from then on."""
    with Group(kind) as group:
        with lib.Target([lib.SYSTEM, "-uc", OBEDIENT]) as target:
            target.expect("up")
            with lib.Tracer("--cgroup", group.path, "-v") as tracer:
                target.say("colorsys")
                target.expect("done")
                group.move(target.pid)
                tracer.wait_for("probed ")
                target.say("sched")
                target.expect("done")
                group.run(["/bin/sh", "-c", lib.SYSTEM + " -c 'import json'; true"])
                tracer.stop()
        trace = tracer.trace()
        moved, = [p for p in trace["processes"] if p["pid"] == target.pid]
        lib.check("sched" in modules(moved), "what it imported inside is missing")
        lib.check("colorsys" not in modules(moved), "what it imported outside was traced")
        child, = by_code(trace, "import json")
        lib.check(FIRST in modules(child), "the first import of a child is missing")


# Two greenlets that take turns in the middle of module bodies, once they are told to.
SWITCHING = """
import greenlet, sys
sys.path.insert(0, %r)
print('up', flush=True)
input()
main = sys.main = greenlet.getcurrent()
gs = [greenlet.greenlet(lambda i=i: __import__('sw%%d' %% i)) for i in range(2)]
while not all(g.dead for g in gs):
    for g in gs:
        if not g.dead: g.switch()
print('done', flush=True)
input()
"""


@lib.test()
def test_moved_while_switching():
    """One moved in that has mapped greenlet already: nesting does not rest on its C stack."""
    lib.needs_module(lib.system(), "greenlet")
    switch = "import sys\nsys.main.switch()\n"
    for n in range(2):
        lib.write("switching/sw%d.py" % n, "%simport sw%d_in\n%s" % (switch, n, switch))
        lib.write("switching/sw%d_in.py" % n, switch)
    with Group("v2") as group:
        code = SWITCHING % (lib.workdir() + "/switching")
        with lib.Target([lib.SYSTEM, "-c", code]) as target:
            target.expect("up")
            with lib.Tracer("--cgroup", group.path, "-v") as tracer:
                group.move(target.pid)
                tracer.wait_for("probed ")
                target.say()
                target.expect("done")
                tracer.stop()
    process = tracer.trace().pid(target.pid)
    lib.check_equal(process["switches_stacks"], True, "switches_stacks")
    for n in range(2):
        inner = process.one("sw%d_in" % n)
        parent = process.parent(inner)
        lib.check(not inner["exact"] or (parent and parent["module"] == "sw%d" % n),
                  "%s is said to be exactly below %s", inner["module"], parent)


@lib.test(kinds)
def test_already_inside(kind):
    with Group(kind) as group:
        with lib.Target([lib.SYSTEM, "-uc", OBEDIENT]) as target:
            target.expect("up")
            group.move(target.pid)
            with lib.Tracer("--cgroup", "/" + group.name if kind == "v2" else group.path) as tracer:
                target.say("sched")
                target.expect("done")
                tracer.stop()
            process, = [p for p in tracer.trace()["processes"] if p["pid"] == target.pid]
            lib.check(process["attached_late"] and "sched" in modules(process), "%s", process)
            lib.check_equal(process["cgroup"], "/" + group.name + "/inner", "cgroup")


@lib.test()
def test_wait():
    """A cgroup that is made later, used, removed (which ends the trace)."""
    group = Group("v2")
    with lib.Tracer("--cgroup", group.path, "--wait") as tracer:
        with group:
            group.run([lib.SYSTEM, "-c", "import json"])
        tracer.finish()
    lib.check_equal(tracer.rc, 0, "status")
    process, = by_code(tracer.trace(), "import json")
    lib.check(FIRST in modules(process) and "json" in modules(process), "%s", modules(process))


@lib.test()
def test_no_hold():
    """Without holding, an interpreter is found once it runs: later imports are there."""
    with Group("v2") as group:
        with lib.Tracer("--cgroup", group.path, "--no-hold", "-v") as tracer:
            enter = "echo 0 > %s/cgroup.procs; exec \"$@\"" % group.path
            with lib.Target(["/bin/sh", "-c", enter, "sh", lib.SYSTEM, "-uc", OBEDIENT]) as target:
                target.expect("up")
                tracer.wait_for("probed ")
                target.say("sched")
                target.expect("done")
            tracer.stop()
        process, = [p for p in tracer.trace()["processes"] if p["pid"] == target.pid
                    and p["is_python"]]
        lib.check("sched" in modules(process), "%s", modules(process))


@lib.test()
def test_vanishes():
    """The cgroup goes away under the tracer: that is the end, and what was seen is reported."""
    with Group("v2") as group:
        with lib.Tracer("--cgroup", group.path) as tracer:
            group.run([lib.SYSTEM, "-c", "import json"], group.inner)
            group.remove()
            tracer.finish()
        lib.check_equal(tracer.rc, 0, "status")
        process, = by_code(tracer.trace(), "import json")
        lib.check_equal(process["cgroup"], "/%s/inner" % group.name, "cgroup")


@lib.test(timeout_s=300)
def test_short_lives():
    """A hundred processes, each in a cgroup of its own that is gone before anybody can look."""
    base = Group("v2")
    with base:
        with lib.Tracer("--cgroup", base.path) as tracer:
            for i in range(100):
                path = "%s/n%d" % (base.path, i)
                os.mkdir(path)
                base.run([lib.SYSTEM, "-S", "-E", "-c", "number = %d" % i], path)
                os.rmdir(path)
            tracer.stop()
        trace = tracer.trace()
        # The test's own forks are inside for a moment, before they exec.
        got = {code: p["cgroup"] for p in trace["processes"] if p["is_python"]
               for code in (p["cmdline"] or [])[-1:] if code.startswith("number")}
        lib.check_equal(got, {"number = %d" % i: "/%s/n%d" % (base.name, i) for i in range(100)},
                        "cgroups")


@lib.test()
def test_whole_host():
    """-a names the cgroup too, of one that is gone before the tracer gets to read the exec."""
    with Group("v2") as group, lib.Tracer("-a") as tracer:
        tracer.proc.send_signal(signal.SIGSTOP)
        group.run([lib.SYSTEM, "-c", "import json # " + group.name], group.inner)
        group.remove()
        tracer.proc.send_signal(signal.SIGCONT)
        tracer.stop()
        found = [p["cgroup"] for p in by_code(tracer.trace(), "import json # " + group.name)]
    lib.check_equal(found, ["/%s/inner" % group.name], "cgroup")


@lib.test()
def test_unit():
    """The service a path names, as systemd makes them."""
    with Group("v2", "x.slice") as group:
        service = group.path + "/web@1.service"
        os.mkdir(service)
        try:
            with lib.Tracer("--cgroup", group.path, fmt="json") as tracer:
                group.run([lib.SYSTEM, "-c", "import json"], service)
                tracer.stop()
        finally:
            os.rmdir(service)
        process, = by_code(tracer.trace(), "import json")
        lib.check_equal(process["unit"], "web@1.service", "unit")


@lib.test()
def test_container_paths():
    """Containers of runtimes that are not here, by the cgroups they would make."""
    number = "0123456789abcdef" * 4
    with Group("v2") as group:
        place = "%s/kubepods-pod1.slice/cri-containerd-%s.scope" % (group.path, number)
        os.makedirs(place)
        try:
            with lib.Tracer("--container", number[:12], "--wait") as tracer:
                group.run([lib.SYSTEM, "-c", "import json"], place)
                tracer.stop()
        finally:
            os.removedirs(place)
            os.makedirs(group.inner, exist_ok=True)
        process, = by_code(tracer.trace(), "import json")
        lib.check_equal(process["container"], {"id": number, "name": None, "runtime": "containerd", "image": None},
                        "container")
        lib.check(FIRST in modules(process), "the first import is missing")


@lib.test()
def test_wrong_names():
    rc, err = refused("--cgroup", "/no/such/group")
    lib.check_equal(rc, 3, "status")
    lib.check("/no/such/group: no such cgroup" in err and "--wait" in err, "%s", err)
    with Group("v2") as group:
        for path in (group.path + "/cgroup.procs", "/etc", "../../etc", "/" + "x" * 300):
            rc, err = refused("--cgroup", path)
            lib.check_equal((rc, "no such cgroup" in err or "too long" in err), (3, True),
                            path[:40] + ": " + err[:300])
    rc, err = refused("--container", "\033[31mx")
    lib.check_equal((rc, "\033" in err), (3, False), repr(err))
    for args in (("--cgroup", ""), ("--wait",), ("--cgroup", "/a", "--container", "b"),
                 ("--container", "x", "-p", "1")):
        rc, err = refused(*args)
        lib.check_equal(rc, 2, "status of %r" % (args,))


@lib.test()
def test_named_hierarchy():
    """A v1 hierarchy without a controller cannot be told from a task: one line that says so."""
    place = lib.workdir() + "/named"
    os.mkdir(place)
    lib.private_mounts()
    made = subprocess.run(["mount", "-t", "cgroup", "-o", "none,name=pyi%d" % os.getpid(), "none",
                           place], capture_output=True, text=True)
    if made.returncode:
        raise lib.Skip("no v1 hierarchy can be made here: %s" % made.stderr.strip())
    try:
        os.mkdir(place + "/inner")
        for path in (place, place + "/inner"):
            rc, err = refused("--cgroup", path)
            lib.check_equal((rc, "no controller" in err, err.count("  try: ")), (3, True, 1), err)
        os.rmdir(place + "/inner")
    finally:
        subprocess.run(["umount", place], check=True)


@lib.test()
def test_vanishes_under_others():
    """One of two cgroups goes away in the middle: what is in the other is traced on."""
    with Group("v2") as group:
        second = group.path + "/second"
        os.mkdir(second)
        with lib.Tracer("--cgroup", group.path) as tracer:
            group.run([lib.SYSTEM, "-c", "import json"], second)
            os.rmdir(second)
            group.run([lib.SYSTEM, "-c", "import csv"])
            tracer.stop()
    trace = tracer.trace()
    lib.check_equal(tracer.rc, 0, "status")
    for code, place in (("import json", "/second"), ("import csv", "")):
        process, = by_code(trace, code)
        lib.check(FIRST in modules(process), "the first import is missing")
        lib.check_equal(process["cgroup"], "/" + group.name + place, "cgroup")


@lib.test()
def test_not_itself():
    """The tool is inside what it follows, with its own helpers, and in nobody's report."""
    with Group("v2") as group:
        enter = "echo 0 > %s/cgroup.procs; exec \"$@\"" % group.path
        report = lib.workdir() + "/report.json"
        with lib.Target(["/bin/sh", "-c", enter, "sh", lib.TOOL, "--cgroup", group.path,
                         "--format", "json", "--report", report]) as tool:
            lib.wait_until(lambda: lib.READY.encode() in (tool.proc.stderr.readline() or b""),
                           "the tool")
            group.run([lib.SYSTEM, "-c", "import json"])
            own = [tool.pid] + [int(pid) for pid in group.pids(group.path)]
            tool.proc.terminate()
            lib.check_equal(tool.finish().rc, 0, "status")
        with open(report, encoding="utf-8") as file:
            trace = lib.Trace(json.load(file))
    process, = by_code(trace, "import json")
    lib.check(FIRST in modules(process), "the first import is missing")
    lib.check_equal([p.pid for p in trace.processes if p.pid in own], [], "processes of ours")
    trace.check_complete()


if __name__ == "__main__":
    lib.main()
