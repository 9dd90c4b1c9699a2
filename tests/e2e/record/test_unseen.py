#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What cannot be seen is said: kernels without a tracepoint, and programs that use io_uring."""
import re
import subprocess

import lib

PROGRAM = "import m_one\nimport socket, ssl\n"

# What a kernel without it leaves unknown: fields of an import, of the process, words in the report.
TRACEPOINTS = {
    "sched_switch": (["cpu_ns", "self_cpu_ns", "wait_ns", "rss_delta", "self_rss"], [],
                     "CPU time and waits"),
    "block_bio_queue": ([], [], "bytes from disk"),
    "sched_process_fork": (["rss_delta", "self_rss"], ["net", "effects"], "memory"),
    "inet_sock_set_state": ([], ["net", "effects"], "network"),
    "sys_enter": (["io", "self_io"], ["files", "search_path", "same_content", "net", "effects", "io_uring"],
                  "files"),
    "sched_waking": ([], [], "waiting for a CPU after a wake-up"),
}
ALL = ["cpu_ns", "wait_ns", "rss_delta", "io"]
ALL_OF_PROCESS = ["files", "net", "effects", "io_uring"]


@lib.test(params={n: (n, *rest) for n, rest in TRACEPOINTS.items()})
def test_tracepoint_missing(case):
    name, fields, of_process, word = case
    lib.write("m_one.py", "x = 1\n")
    script, capture = lib.write("main.py", PROGRAM), lib.workdir() + "/a.cap"
    done, doc = lib.trace([*lib.system().argv, script],
                          opts=["--no-tracepoint", name, "-v", "-o", capture])
    lib.check_equal(done.rc, 0, "status; stderr:\n%s\n" % done.err.decode())
    lib.check("has no tracepoint " + name in doc.messages, "stderr:\n%s", doc.messages)
    doc.check_complete()
    process = doc.python()
    load = process.one("m_one")
    for field in {*fields, *ALL}:
        lib.check_equal(load[field] is None, field in fields, "%s is null" % field)
    for field in {*of_process, *ALL_OF_PROCESS}:
        lib.check_equal(process[field] is None, field in of_process, "%s is null" % field)
    if name == "block_bio_queue":
        lib.check_equal(load["io"]["bytes_from_disk"], None, "bytes from disk")
    text = subprocess.run([lib.TOOL, "report", "--view", "causes", capture], check=True,
                          stdout=subprocess.PIPE, encoding="utf-8").stdout
    lib.check("Not measured: " in text and word in text, "%s:\n%s", word, text)
    for view in ("summary", "files", "libs", "net", "advice", "phases"):
        subprocess.run([lib.TOOL, "report", "--view", view, capture], check=True,
                       stdout=subprocess.DEVNULL)


@lib.test()
def test_nothing_missing():
    capture = lib.workdir() + "/a.cap"
    lib.trace([*lib.system().argv, "-c", "import json"], opts=["-o", capture])
    text = subprocess.run([lib.TOOL, "report", "--view", "causes", capture], check=True,
                          stdout=subprocess.PIPE, encoding="utf-8").stdout
    lib.check("Not measured" not in text and "io_uring" not in text, "%s", text)


@lib.test()
def test_io_uring():
    """Setting one up is enough to be told; a failed attempt is not."""
    setup = ("import ctypes, sys, socket\nlibc = ctypes.CDLL(None, use_errno=True)\n"
             "params = (ctypes.c_char * 120)()\n"
             "fd = libc.syscall(425, int(sys.argv[1]), params)\nprint(fd)\n")
    lib.needs_uring()
    script, capture = lib.write("main.py", setup), lib.workdir() + "/a.cap"
    for entries, expected in (("4", True), ("0", False)):
        done, doc = lib.trace([*lib.system().argv, script, entries], opts=["-o", capture])
        lib.check_equal(int(done.out) >= 0, expected, "io_uring_setup")
        lib.check_equal(doc.python()["io_uring"], expected, "io_uring with %s entries" % entries)
        text = subprocess.run([lib.TOOL, "report", capture], check=True, stdout=subprocess.PIPE,
                              encoding="utf-8").stdout
        lib.check_equal("It uses io_uring" in text, expected, "summary:\n" + text)


LAZY_FINDER = """
import importlib.machinery, importlib.util, sys
class Finder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        if spec and name in ("lf_used", "lf_never"):
            spec.loader = importlib.util.LazyLoader(spec.loader)
        return spec
sys.meta_path.insert(0, Finder)
sys.path.insert(0, %r)
import lf_used, lf_never
print("lf_child" in sys.modules)
def touch():
    return lf_used.VALUE
print(touch(), "lf_child" in sys.modules)
import lf_used
"""


@lib.test(params=lambda: lib.all_interpreters(8))
def test_lazy_finder(interp):
    """Modules that a finder makes lazy: found by a statement, executed where one is used. The
    execution is the load that is counted."""
    interp.prepare()
    lib.write("lf/lf_used.py", "import lf_child\nVALUE = 1\n")
    for name in ("lf_never", "lf_child"):
        lib.write("lf/%s.py" % name, "")
    script, capture = lib.write("lf.py", LAZY_FINDER % (lib.workdir() + "/lf")), lib.workdir() + "/lf.cap"
    traced, doc = lib.trace_both(interp.argv + [script], opts=["-o", capture])
    lib.check_equal(traced.out, b"False\n1 True\n", "output")
    doc.check_complete()
    process = doc.python()
    found = [(i["module"], i["result"], i["kind"] == "lazy", i["via"], i["importer"]["line"],
              (i["declared"] or {}).get("line"))
             for i in process.imports if (i["module"] or "").startswith("lf_")]
    lib.check_equal(found, [("lf_never", "loaded", True, "statement", 12, None),
                            ("lf_used", "loaded", False, "lazy", 15, 12),
                            ("lf_child", "loaded", False, "statement", 1, None)], "loads")
    used = process.one("lf_used")
    lib.check(used["found_ns"] > 0, "finding it took %r", used["found_ns"])
    lib.check_equal(process.one("lf_child")["parent"], used["id"], "what its body loads is below it")
    edges = [(e["importer"]["line"], e["count"], e["cached"], e["import"])
             for e in process.edges_of("lf_used", "lf.py")]
    lib.check_equal(edges, [(12, 1, 0, used["id"]), (17, 1, 1, None)], "statements")
    check_lazy_answers(process, capture)


def check_lazy_answers(process, capture):
    """One load everywhere, with both places."""
    lib.check_equal(process["counts"]["loaded"],
                    len([i for i in process.imports
                         if i["result"] == "loaded" and i["kind"] != "lazy"]), "counted")
    at_once = [(f["line"], f["evidence"]["module"], f["evidence"]["declared"]["line"])
               for f in process["findings"] if f["rule"] == "lazy-import-at-once"]
    lib.check_equal(at_once, [(15, "lf_used", 12)], "used at once")
    def text(*words):
        return lib.run([lib.TOOL, *words]).out.decode()
    tree = [line for line in text("report", "--view", "tree", capture).splitlines()
            if "─lf_used " in line]
    lib.check_equal(len(tree), 1, "rows of the tree")
    lib.check(re.search(r"\blf\.py:15 \(lazy, found at \S*\blf\.py:12\)$", tree[0]), "%s", tree[0])
    why = text("why", "lf_child", capture)
    lib.check(re.search(r"\blf\.py:12 \(lazy, used at \S*\blf\.py:15\)", why), "%s", why)


LAZY_HANDS = """
import importlib.util, sys
sys.path.insert(0, %r)
def lazily(name):
    spec = importlib.util.find_spec(name)
    spec.loader = importlib.util.LazyLoader(spec.loader)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
lh_used = lazily("lh_used")
lh_never = lazily("lh_never")
print(lh_used.VALUE)
import lh_used
"""


@lib.test(params=lambda: lib.all_interpreters(8))
def test_lazy_by_hand(interp):
    """As the documentation of importlib does it: no statement finds it, what executes it loads it."""
    interp.prepare()
    lib.write("lh/lh_used.py", "import lh_child\nVALUE = 1\n")
    for name in ("lh_never", "lh_child"):
        lib.write("lh/%s.py" % name, "")
    script = lib.write("lh.py", LAZY_HANDS % (lib.workdir() + "/lh"))
    traced, doc = lib.trace_both(interp.argv + [script])
    lib.check_equal(traced.out, b"1\n", "output")
    doc.check_complete()
    process = doc.python()
    found = [(i["module"], i["result"], i["via"], i["importer"]["line"])
             for i in process.imports if (i["module"] or "").startswith("lh_")]
    lib.check_equal(found, [("lh_used", "loaded", "lazy", 13), ("lh_child", "loaded", "statement", 1)],
                    "loads")


RELOADS = """import importlib, sys
sys.dont_write_bytecode = True
import rl_good, rl_broken, rl_gone, rl_space
def reload(module):
    try:
        importlib.reload(module)
    except Exception as error:
        print(module.__name__, type(error).__name__)
for name, text in (("good", "VALUE = 22\\n"), ("broken", "x = = 1\\n")):
    open("%s/rl_%s.py" % (sys.path[0], name), "w").write(text)
reload(rl_good)
reload(rl_broken)
sys.meta_path[:0] = [type("Finder", (), {"find_spec": staticmethod(
    lambda name, path, target=None: {}["no"] if name == "rl_gone" else None)})]
reload(rl_gone)
reload(rl_space)
"""


@lib.test(params=lambda: lib.all_interpreters(8))
def test_failed_reload(interp):
    """A module is in sys.modules before it is loaded again: that it still is does not mean that it
    was. One that does not compile any more has failed, whatever its error was."""
    interp.prepare()
    home = lib.workdir() + "/rl"
    for name in ("good", "broken", "gone"):
        lib.write("rl/rl_%s.py" % name, "VALUE = 1\n")
    lib.write("rl/rl_space/inside.py", "")
    script = lib.write("rl/main.py", RELOADS)
    traced, doc = lib.trace(interp.argv + [script])
    lib.check_equal(traced.err, b"", "what it prints")
    reloads = [(i["module"], i["result"], i["unknown"]) for i in doc.python().imports
               if i["via"] == "reload"]
    wanted = [("rl_good", "loaded", []), ("rl_broken", "failed", ["error"]),
              ("rl_space", "loaded", [])]
    lib.check_equal([r for r in reloads if r[0] != "rl_gone"], wanted, "loaded again in %s" % home)
    lib.check(not [r for r in reloads if r[0] == "rl_gone" and r[1] == "loaded"], "%s", reloads)


if __name__ == "__main__":
    lib.main()
