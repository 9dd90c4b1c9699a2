#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Processes that fork, exec, exit and die in the middle of an import."""
import os
import signal

import lib


def modules(sources):
    for name, source in sources.items():
        lib.write("mods/%s.py" % name, source)
    return lib.workdir() + "/mods"


def script(body):
    return lib.write("mods/main.py", body)


@lib.test(params=lib.core_interpreters)
def test_fork_inside_import(interp):
    """The child of a fork inside an import has its own loads, the parent's are not copied."""
    interp.prepare()
    modules({"fm_a": "import fm_b\n",
             "fm_b": "import os, sys\nsys.stdout.flush()\npid = os.fork()\n"
                     "if pid == 0:\n    import fm_child\n    os._exit(7)\n"
                     "status = os.waitpid(pid, 0)[1]\nimport fm_parent\n",
             "fm_child": "import fm_grand\n", "fm_grand": "", "fm_parent": ""})
    _, doc = lib.trace_both(interp.argv + [script("import fm_a\nprint(fm_a.fm_b.status)\n")])
    parent, = doc.having("fm_parent")
    child, = doc.having("fm_child")
    lib.check(parent.pid != child.pid, "one process")
    lib.check_equal(child["ppid"], parent.pid, "parent of the child")
    lib.check(not parent.named("fm_child") and not child.named("fm_parent"), "loads mixed up")
    lib.check_equal(parent.parent(parent.one("fm_parent"))["module"], "fm_b", "parent of fm_parent")
    lib.check_equal(parent.one("fm_a")["result"], "loaded", "fm_a in the parent")
    load = child.one("fm_child")
    lib.check_equal((load["result"], load["importer"]["line"]), ("loaded", 5), "fm_child")
    lib.check_equal(child.parent(child.one("fm_grand"))["module"], "fm_child", "nesting in child")
    lib.check_equal(child["exit"]["code"], 7, "the child's exit code")
    finished = [i["module"] for i in child.imports if i["module"] in ("fm_a", "fm_b")
                and i["result"] != "unfinished"]
    lib.check(not finished, "the child never finished %s", finished)


@lib.test(params=lib.core_interpreters)
def test_child_finishes_the_import(interp):
    """Forked in a body, and both go on through its end."""
    interp.prepare()
    modules({"fb": "import os\npid = os.fork()\n"})
    body = ("import os, sys\nimport fb\nif fb.pid == 0:\n    import after_child\n"
            "    sys.exit(4)\nimport after_parent\nprint(os.waitpid(fb.pid, 0)[1])\n")
    modules({"after_child": "", "after_parent": ""})
    _, doc = lib.trace_both(interp.argv + [script(body)])
    parent, = doc.having("after_parent")
    child, = doc.having("after_child")
    lib.check_equal(parent.one("fb")["result"], "loaded", "fb in the parent")
    lib.check_equal(child.one("after_child")["importer"]["line"], 4, "line in the child")
    # The import of fb ended before after_child began: it cannot be its parent.
    above = [i["module"] for i in child.ancestors(child.one("after_child"))]
    lib.check("fb" not in above, "after_child is below fb, which had ended: %s", above)


@lib.test(params=lib.core_interpreters)
def test_exec_inside_import(interp):
    """The first image's loads are unfinished, the second has its own."""
    interp.prepare()
    modules({"ex_a": "import ex_b\n", "ex_b": "import os, sys\n"
             "os.execv(sys.executable, [sys.executable, '-c', 'import json; print(json.__name__)'])\n"})
    _, doc = lib.trace_both(interp.argv + [script("import ex_a\n")])
    before, = doc.having("ex_a")
    after, = doc.having("json")
    lib.check_equal(before.pid, after.pid, "process ids")
    lib.check(before is not after, "two images in one process of the report")
    for name in ("__main__", "ex_a", "ex_b"):
        lib.check_equal(before.one(name)["result"], "unfinished", name)
        lib.check_equal(before.one(name)["error"], None, name + "'s error")
    lib.check_equal(after.parent(after.one("json"))["module"], "__main__", "parent of json")
    lib.check(all(i["result"] != "unfinished" for i in after.imports), "unfinished after the exec")


ENDS = {
    "_exit": ("import os\nos._exit(9)\n", "unfinished"),
    "sigkill": ("import os\nos.kill(os.getpid(), 9)\n", "unfinished"),
    "sigsegv": ("import os\nos.kill(os.getpid(), 11)\n", "unfinished"),
    "abort": ("import os\nos.abort()\n", "unfinished"),
    "sys_exit": ("import sys\nsys.exit(3)\n", "failed"),
    "exception": ("raise LookupError('x')\n", "failed"),
    "sigterm": ("import os, signal\nos.kill(os.getpid(), signal.SIGTERM)\n", "unfinished"),
}


def end_cases():
    return {"%s,%s" % (end, name): (end, interp) for end in ENDS
            for name, interp in lib.core_interpreters().items()}


@lib.test(params=end_cases)
def test_end_inside_import(arg):
    end, interp = arg
    interp.prepare()
    body, result = ENDS[end]
    modules({"end_a": "import end_done\nimport end_b\n", "end_b": body, "end_done": ""})
    traced, doc = lib.trace_both(interp.argv + [script("import end_a\n")])
    process = doc.python()
    for name in ("__main__", "end_a", "end_b"):
        load = process.one(name)
        lib.check_equal(load["result"], result, name)
        lib.check((load["error"] is not None) == (result == "failed"), "%s: error %r", name,
                  load["error"])
    lib.check_equal(process.one("end_done")["result"], "loaded", "end_done")
    lib.check_equal(process.parent(process.one("end_b"))["module"], "end_a", "parent of end_b")
    number = {"sigkill": signal.SIGKILL, "sigsegv": signal.SIGSEGV, "abort": signal.SIGABRT,
              "sigterm": signal.SIGTERM}.get(end)
    if number:
        lib.check_equal(process["exit"]["signal"], int(number), "signal in the report")
        lib.check_equal(traced.rc, 128 + number, "status of the tool")
    else:
        lib.check_equal(process["exit"]["code"], traced.rc, "exit code in the report")


@lib.test(params=lib.core_interpreters)
def test_daemon_thread_at_exit(interp):
    """A daemon thread inside an import when the interpreter ends: unfinished, and no crash."""
    interp.prepare()
    modules({"daemon_mod": "import sys, time\nsys.inside.set()\ntime.sleep(1000)\n"})
    body = ("import sys, threading\nsys.inside = threading.Event()\n"
            "threading.Thread(target=lambda: __import__('daemon_mod'), daemon=True).start()\n"
            "sys.inside.wait()\nprint('bye')\n")
    _, doc = lib.trace_both(interp.argv + [script(body)])
    lib.check_equal(doc.python().one("daemon_mod")["result"], "unfinished", "daemon_mod")


@lib.test()
def test_children_are_followed():
    """subprocess, os.system and their children, each a process of its own."""
    python = lib.system().exe
    body = ("import os, subprocess, sys\nsys.stdout.flush()\n"
            "subprocess.run([sys.executable, '-c', 'import csv'], check=True)\n"
            "os.system('%s -c \"import colorsys\"')\n"
            "subprocess.run('exec %s -c \"import plistlib\"', shell=True, check=True)\n"
            "print('done')\n" % (python, python))
    _, doc = lib.trace_both([python, script(body)])
    root = doc.processes[0]
    pids = set()
    for module in ("csv", "colorsys", "plistlib"):
        process, = doc.having(module)
        pids.add(process.pid)
        lib.check_equal(process.one(module)["result"], "loaded", module)
        lib.check_equal(process["exit"]["code"], 0, "exit code")
        lib.check(process["cmdline"][-1].endswith(module), "cmdline %r", process["cmdline"])
    lib.check(len(pids | {root.pid}) == 4, "processes share ids: %s", pids)


@lib.test()
def test_sixty_four_at_once():
    """64 interpreters started at once: nothing lost at the default ring size."""
    python = lib.system().exe
    body = ("import subprocess, sys\n"
            "all = [subprocess.Popen([sys.executable, '-c', 'import json, email.message'])"
            " for _ in range(64)]\nprint(sum(p.wait() for p in all))\n")
    _, doc = lib.trace_both([python, script(body)])
    doc.check_complete()
    children = doc.having("email.message")
    lib.check_equal(len(children), 64, "children that loaded email.message")
    first = children[0].names()
    for child in children:
        lib.check_equal(child.names(), first, "names in each child")


@lib.test(params={"fork": "fork", "spawn": "spawn", "forkserver": "forkserver"})
def test_multiprocessing(method):
    interp = lib.system()
    modules({"mp_work": "import os\ndef work(n):\n    import mp_late\n    return n * mp_late.VALUE\n",
             "mp_late": "VALUE = 2\n"})
    body = ("import multiprocessing, mp_work\nif __name__ == '__main__':\n"
            "    multiprocessing.set_start_method('%s')\n"
            "    with multiprocessing.Pool(2) as pool:\n"
            "        print(sum(pool.map(mp_work.work, range(20), 1)))\n"
            "        pool.close()\n        pool.join()\n" % method)
    traced, doc = lib.trace_both(interp.argv + [script(body)])
    lib.check_equal(traced.out, b"380\n", "output")
    workers = doc.having("mp_late")
    lib.check(1 <= len(workers) <= 2, "%d workers loaded mp_late", len(workers))
    for worker in workers:
        load = worker.one("mp_late")
        lib.check_equal((load["result"], load["importer"]["line"]), ("loaded", 3), "mp_late")
        lib.check_equal(os.path.basename(load["importer"]["file"]), "mp_work.py", "its importer")
        lib.check(bool(worker.named("mp_work")) == (method != "fork"), "mp_work in a worker: %s",
                  worker.named("mp_work"))


if __name__ == "__main__":
    lib.main()
