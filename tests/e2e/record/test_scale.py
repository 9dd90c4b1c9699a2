#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Depth, number and length: long chains, many modules, long names."""
import os

import lib

DEEP = 200
MANY = 20000


def write_modules(directory, sources):
    os.makedirs(directory, exist_ok=True)
    for name, source in sources.items():
        with open(os.path.join(directory, name + ".py"), "w", encoding="utf-8") as file:
            file.write(source)


def deep(interp, opts):
    interp.prepare()
    home = lib.workdir() + "/deep"
    sources = {"deep_%d" % n: "\n" * (n % 7) + "import deep_%d\n" % (n + 1) for n in range(DEEP)}
    sources["deep_%d" % DEEP] = "VALUE = 1\n"
    write_modules(home, sources)
    script = lib.write("deep/main.py", "import sys\nsys.setrecursionlimit(100000)\n"
                       "import deep_0\nprint(sum(m.startswith('deep_') for m in sys.modules))\n")
    traced, doc = lib.trace_both(interp.argv + [script], opts=opts)
    lib.check_equal(traced.out.strip(), str(DEEP + 1).encode(), "modules imported")
    doc.check_complete()
    process = doc.python()
    below = process.one("__main__")
    for n in range(DEEP + 1):
        load = process.one("deep_%d" % n)
        lib.check(load["parent"] == below["id"], "deep_%d is below %s", n,
                  (process.parent(load) or {}).get("module"))
        lib.check(load["exact"], "deep_%d is not exact", n)
        line = 3 if n == 0 else (n - 1) % 7 + 1
        lib.check_equal(load["importer"]["line"], line, "line that imports deep_%d" % n)
        lib.check_equal(load["result"], "loaded", "result of deep_%d" % n)
        below = load


@lib.test(params=lib.core_interpreters)
def test_deep_chain(interp):
    deep(interp, ())


@lib.test()
def test_deep_chain_perf(*_):
    deep(lib.system(), ("--perf-uprobes",))


@lib.test(timeout_s=300, exclusive=True)
def test_many_modules():
    """Nothing lost at the default ring size, and every module there once."""
    home = lib.workdir() + "/many"
    write_modules(home, {"many_%d" % n: "VALUE = %d\n" % n for n in range(MANY)})
    script = lib.write("many/main.py", "import sys\nfor n in range(%d):\n"
                       "    __import__('many_%%d' %% n)\n"
                       "print(sum(m.startswith('many_') for m in sys.modules))\n" % MANY)
    _, doc = lib.trace_both(lib.system().argv + [script])
    doc.check_complete()
    process = doc.python()
    main = process.one("__main__")
    loads = [i for i in process.imports if (i["module"] or "").startswith("many_")]
    lib.check_equal(len(loads), MANY, "loads")
    lib.check_equal(len({i["module"] for i in loads}), MANY, "different names")
    wrong = [i for i in loads if i["parent"] != main["id"] or i["importer"]["line"] != 3
             or i["result"] != "loaded"]
    lib.check(not wrong, "%d are wrong, such as %r", len(wrong), wrong[:1])
    order = [int(i["module"][5:]) for i in sorted(loads, key=lambda i: i["seq"])]
    lib.check_equal(order, list(range(MANY)), "order")


FINDER = """
import importlib.machinery, sys
class Finder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name[0] in "xé日𐐀" and len(name) > 200:
            return importlib.machinery.ModuleSpec(name, Finder)
    @staticmethod
    def create_module(spec):
        return None
    @staticmethod
    def exec_module(module):
        exec(compile("import %s as inner" % module.__name__.lower().replace('xl', 'xi', 1), "<long>",
             "exec"), module.__dict__) if module.__name__.startswith("xl") else None
sys.meta_path.insert(0, Finder)
"""


@lib.test(params=lib.core_interpreters)
def test_long_names(interp):
    """1,000 characters of one, two and four bytes each, whole."""
    interp.prepare()
    names = ["xl" + "a" * 998, "é" * 1000, "日" * 1000, "𐐀" * 1000]
    body = FINDER + "".join("import %s\n" % name for name in names)
    body += "print(len(sys.modules[%r].__name__))\n" % names[3]
    traced, doc = lib.trace_both(interp.argv + [lib.write("long_names.py", body)])
    lib.check_equal(traced.out, b"1000\n", "output")
    doc.check_complete()
    process = doc.python()
    for name in names:
        lib.check_equal(process.one(name)["result"], "loaded", "result")
    inner = process.one("xi" + "a" * 998)
    lib.check_equal(inner["parent"], process.one(names[0])["id"], "parent of the nested one")


@lib.test()
def test_too_long_name_is_counted():
    """A name beyond every limit is cut, and the report says that it is."""
    name = "x" * 30000
    body = FINDER + "__import__(%r)\n__import__('json')\nprint('fine')\n" % name
    traced, doc = lib.trace_both(lib.system().argv + [lib.write("too_long.py", body)])
    lib.check_equal(traced.out, b"fine\n", "output")
    lib.check(doc["complete"] is False, "complete, though a name was cut")
    lib.check(lib.losses(doc.doc), "no counter tells of the cut name")
    cut = [i for i in doc.python().imports if (i["module"] or "").startswith("xxxxxxxx")]
    lib.check(len(cut) == 1, "%d loads with the cut name", len(cut))
    doc.python().one("json")


@lib.test()
def test_many_at_once():
    """64 interpreters that start together lose nothing at the default ring size."""
    program = lib.write("one.py", "import json, email.message, asyncio, unittest.mock\n")
    script = "for n in $(seq 64); do \"$0\" \"$1\" & done; wait"
    _, doc = lib.trace(["sh", "-c", script, lib.system().exe, program])
    doc.check_complete()
    loads = {frozenset(load["module"] for load in process.imports)
             for process in doc.processes if process["python"]}
    lib.check_equal(len([p for p in doc.processes if p["python"]]), 64, "interpreters")
    lib.check_equal(len(loads), 1, "different sets of modules from one program")
    lib.check("unittest.mock" in loads.pop(), "unittest.mock is not there")


if __name__ == "__main__":
    lib.main()
