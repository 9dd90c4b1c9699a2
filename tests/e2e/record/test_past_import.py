#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Loads that come past the import function: import_module, reload, runpy, finders that import.
Each program says itself what it loaded, from inside its own modules' bodies."""
import lib

# What every module of these tests does first.
NOTE = "print(__name__, flush=True)\n"


def stage(files):
    for name, text in files.items():
        lib.write("past/" + name, text)
    return lib.workdir() + "/past/main.py"


def trace(interp, script):
    interp.prepare()
    traced, doc = lib.trace_both(interp.argv + ["-S", "-B", script])
    doc.check_complete()
    return traced.out.decode(), doc.python()


def tree(process, above, keep):
    """[(module, result, [below])] of what `above` caused, of the modules that `keep` says."""
    rows = []
    for load in sorted(process.children(above), key=lambda i: i["seq"]):
        if keep(load["module"] or ""):
            rows.append((load["module"], load["error"] or load["result"],
                         tree(process, load, keep)))
    return rows


def tree_of(process, *starts):
    return tree(process, process.one("__main__"), lambda name: name.startswith(starts))


@lib.test(params=lambda: lib.all_interpreters(6))
def test_own_submodule(interp):
    """A package that loads its own submodules by import_module: one load of each, failed or not."""
    out, process = trace(interp, stage({
        "main.py": "import pk\n",
        "pk/__init__.py": NOTE + "import importlib\nimportlib.import_module('pk.sub')\n"
                                 "importlib.import_module('.late', __name__)\n"
                                 "try:\n    importlib.import_module('pk.nope')\n"
                                 "except ImportError:\n    print('failed')\n",
        "pk/sub.py": NOTE + "import pk.deep\n", "pk/deep.py": NOTE, "pk/late.py": NOTE}))
    lib.check_equal(out.split(), ["pk", "pk.sub", "pk.deep", "pk.late", "failed"], "bodies")
    lib.check_equal(tree_of(process, "pk"), [("pk", "loaded", [
        ("pk.sub", "loaded", [("pk.deep", "loaded", [])]), ("pk.late", "loaded", []),
        ("pk.nope", "ModuleNotFoundError", [])])], "tree")
    for name, line in (("pk.sub", 3), ("pk.late", 4), ("pk.nope", 6)):
        load = process.one(name)
        lib.check_equal((load["via"], load["importer"]["module"], load["importer"]["line"]),
                        ("import_module", "pk", line), name)


@lib.test(params=lambda: lib.all_interpreters(6))
def test_missing_parent(interp):
    """import_module("nope.sub.mod") twice: three failed loads each time, one inside the other."""
    _, process = trace(interp, stage({
        "main.py": "import importlib\nfor _ in range(3):\n    try:\n"
                   "        importlib.import_module('nope.sub.mod')\n"
                   "    except ImportError as e:\n        print(e)\n"}))
    error = "ModuleNotFoundError"
    once = ("nope.sub.mod", error, [("nope.sub", error, [("nope", error, [])])])
    lib.check_equal(tree_of(process, "nope"), [once] * 3, "tree")
    lib.check_equal({i["importer"]["line"] for i in process.imports if i["module"] and
                     i["module"].startswith("nope")}, {4}, "lines")


@lib.test(params=lambda: lib.all_interpreters(6))
def test_not_compiled(interp):
    """import_module of what does not compile, again and again: a failed load each time."""
    _, process = trace(interp, stage({
        "main.py": "import importlib\nfor _ in range(3):\n    try:\n"
                   "        importlib.import_module('pk.bad')\n"
                   "    except SyntaxError:\n        pass\n",
        "pk/__init__.py": NOTE, "pk/bad.py": "x = = 1\n"}))
    found = [(load["module"], load["result"], load["error"]) for load in process.start_loads()
             if load["module"].startswith("pk")]
    lib.check_equal(found, [("pk.bad", "failed", None), ("pk", "loaded", None),
                            ("pk.bad", "failed", None), ("pk.bad", "failed", None)], "loads")


UNSEARCHED = """
import importlib, sys
import un_plain
sys.modules["un_none"] = None
for name in ("un_plain.part", "un_none"):
    for _ in range(2):
        try:
            importlib.import_module(name)
        except ImportError:
            print("failed")
"""


@lib.test(params=lambda: lib.all_interpreters(6))
def test_without_search(interp):
    """import_module that fails before anything is looked for: a part of what is no package, None."""
    _, process = trace(interp, stage({"main.py": UNSEARCHED, "un_plain.py": ""}))
    found = [(load["module"], load["error"], load["via"], load["importer"]["line"])
             for load in process.start_loads() if load["module"].startswith("un_")]
    lib.check_equal(found, [("un_plain", None, "statement", 3)] + [
        (name, "ModuleNotFoundError", "import_module", 8)
        for name in ("un_plain.part", "un_plain.part", "un_none", "un_none")], "loads")


CAUGHT = """
import importlib, sys
class Finder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name == "ca_refused":
            try:
                raise ImportError
            except ImportError:
                raise OSError(name)
sys.meta_path.append(Finder)
sys.path.append("/nonexistent/ca.zip")
for name in ("ca_refused", "ca_bad"):
    try:
        importlib.import_module(name)
    except (OSError, SyntaxError):
        pass
    ImportError("not of that")
import ca_last
"""


@lib.test(params=lambda: lib.all_interpreters(6))
def test_caught_inside(interp):
    """An ImportError that was caught inside, or made behind it, is not what a load has failed by."""
    _, process = trace(interp, stage({"main.py": CAUGHT, "ca_bad.py": "x = = 1\n", "ca_last.py": ""}))
    found = [(load["module"], load["result"], load["error"]) for load in process.start_loads()
             if load["module"].startswith("ca_")]
    lib.check_equal(found, [("ca_refused", "failed", None), ("ca_bad", "failed", None),
                            ("ca_last", "loaded", None)], "loads")


OWN_LOADER = """
import importlib, importlib.machinery, sys
class Finder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name.startswith("ow_made"):
            import ow_finds
            return importlib.machinery.ModuleSpec(name, Finder)
    @staticmethod
    def create_module(spec):
        return None
    @staticmethod
    def exec_module(module):
        import ow_runs
        exec("import ow_last", module.__dict__)
sys.meta_path.insert(0, Finder)
importlib.import_module("ow_made")
importlib.import_module("ow_made_too")
"""


@lib.test(params=lambda: lib.all_interpreters(6))
def test_loader_that_imports(interp):
    """What a finder and a loader in front of importlib's own import is inside the load they serve."""
    _, process = trace(interp, stage({"main.py": OWN_LOADER, "ow_finds.py": NOTE, "ow_runs.py": NOTE,
                                      "ow_last.py": NOTE}))
    lib.check_equal(tree_of(process, "ow_"), [
        ("ow_made", "loaded", [("ow_finds", "loaded", []), ("ow_runs", "loaded", []),
                               ("ow_last", "loaded", [])]),
        ("ow_made_too", "loaded", [])], "tree")


@lib.test(params=lambda: lib.all_interpreters(6))
def test_served_by_parent(interp):
    """import_module of a part that its package has imported: one load, whatever is compiled next."""
    _, process = trace(interp, stage({
        "main.py": "import importlib\nimportlib.import_module('se.part')\n"
                   "compile('x = 1', 'se', 'exec')\nimport se_last\n",
        "se/__init__.py": "import se.part\n", "se/part.py": NOTE, "se_last.py": NOTE}))
    lib.check_equal(tree_of(process, "se"), [("se", "loaded", [("se.part", "loaded", [])]),
                                             ("se_last", "loaded", [])], "tree")


@lib.test(params=lambda: lib.all_interpreters(6))
def test_parent_first(interp):
    """import_module("a.b"): the parent is loaded on the way; fails the parent, both have failed."""
    out, process = trace(interp, stage({
        "main.py": "import importlib\nimportlib.import_module('pa.sub')\n"
                   "for _ in range(2):\n    try:\n        importlib.import_module('pb.sub')\n"
                   "    except ZeroDivisionError:\n        print('failed')\n"
                   "try:\n    importlib.import_module('pa.bad')\nexcept KeyError:\n"
                   "    print('failed')\nimport pa.last\n",
        "pa/__init__.py": NOTE, "pa/sub.py": NOTE, "pa/last.py": NOTE,
        "pa/bad.py": NOTE + "{}['x']\n", "pb/__init__.py": NOTE + "1 / 0\n", "pb/sub.py": NOTE}))
    lib.check_equal(out.split(), ["pa", "pa.sub", "pb", "failed", "pb", "failed", "pa.bad",
                                  "failed", "pa.last"], "bodies")
    bad = ("pb.sub", "ZeroDivisionError", [("pb", "ZeroDivisionError", [])])
    lib.check_equal(tree_of(process, "pa", "pb"),
                    [("pa.sub", "loaded", [("pa", "loaded", [])]), bad, bad,
                     ("pa.bad", "KeyError", []), ("pa.last", "loaded", [])], "tree")


@lib.test(params=lambda: lib.all_interpreters(6))
def test_reload(interp):
    """reload of a namespace package, of a module from its own body, of one that then fails."""
    out, process = trace(interp, stage({
        "main.py": "import importlib\nimport ns_pkg\nimportlib.reload(ns_pkg)\nimport own_body\n"
                   "import once_ok\ntry:\n    importlib.reload(once_ok)\n"
                   "except KeyError:\n    print('failed')\nimport ns_pkg.leaf\n",
        "ns_pkg/leaf.py": NOTE,
        "own_body.py": NOTE + "import importlib, sys\nif not hasattr(sys, 'again'):\n"
                              "    sys.again = 1\n    importlib.reload(sys.modules[__name__])\n",
        "once_ok.py": NOTE + "import sys\nif hasattr(sys, 'once'):\n    {}['x']\nsys.once = 1\n"}))
    lib.check_equal(out.split(), ["own_body", "own_body", "once_ok", "once_ok", "failed",
                                  "ns_pkg.leaf"], "bodies")
    lib.check_equal(tree_of(process, "ns_pkg", "own_body", "once_ok"),
                    [("ns_pkg", "loaded", []), ("ns_pkg", "loaded", []),
                     ("own_body", "loaded", [("own_body", "loaded", [])]),
                     ("once_ok", "loaded", []), ("once_ok", "KeyError", []),
                     ("ns_pkg.leaf", "loaded", [])], "tree")
    vias = [[i["via"] for i in process.start_loads() if i["module"] == name]
            for name in ("ns_pkg", "own_body", "once_ok")]
    lib.check_equal(vias, [["statement", "reload"]] * 3, "vias")
    lib.check_equal([i["kind"] for i in process.named("ns_pkg")], ["namespace"] * 2, "kinds")


FINDER = """
import importlib, importlib.machinery, sys
class Finder:
    active = False
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name != "re_in" or cls.active:
            return None
        cls.active = True
        importlib.import_module("re_help")
        return importlib.machinery.PathFinder.find_spec(name, path)
sys.meta_path.insert(0, Finder)
importlib.import_module("re_in")
sys.modules.pop("re_in")
import re_in
"""


@lib.test(params=lambda: lib.all_interpreters(6))
def test_reentrant_finder(interp):
    """A finder that imports while it is asked (setuptools' for distutils): the module is loaded
    inside its own search, then once more."""
    out, process = trace(interp, stage({
        "main.py": FINDER, "re_in.py": NOTE,
        "re_help.py": NOTE + "import importlib\nimportlib.import_module('re_in')\n"}))
    lib.check_equal(out.split(), ["re_help", "re_in", "re_in", "re_in"], "bodies")
    lib.check_equal(tree_of(process, "re_"), [
        ("re_in", "loaded", [("re_help", "loaded", [("re_in", "loaded", [])])]),
        ("re_in", "loaded", [])], "tree")
    lib.check_equal([i["via"] for i in process.start_loads() if i["module"] == "re_in"],
                    ["import_module", "import_module", "statement"], "vias")


KINDS = """
import importlib, sys
def load(name):
    importlib.import_module(name)
    print(name)
load("ki_source")
load("ki_ns")
load("ki_ns.leaf")
load("%s")
try:
    load("ki_syntax")
except SyntaxError:
    print("SyntaxError")
import ki_last
"""


@lib.test(params=lambda: lib.all_interpreters(6))
def test_kinds(interp):
    """What is loaded by import_module ends with its own work, whatever kind it is of: what comes
    behind is not inside."""
    interp.prepare()
    builtins = lib.run(interp.argv + ["-S", "-c", "import sys\nprint([n for n in ("
                                      "'_symtable', 'atexit', '_string', 'errno') if n in "
                                      "sys.builtin_module_names and n not in sys.modules][0])"])
    builtin = builtins.out.decode().strip()
    _, process = trace(interp, stage({
        "main.py": KINDS % builtin, "ki_source.py": "", "ki_ns/leaf.py": "", "ki_last.py": "",
        "ki_syntax.py": "def (\n"}))
    syntax = "source" if interp.version < (3, 15) else "unknown" # its compiler comes after the parser
    main = process.one("__main__")
    rows = [(i["module"], i["result"], i["kind"], i["via"]) for i in process.start_loads()
            if i["parent"] == main["id"] and i["module"] != "importlib"]
    lib.check_equal(rows, [("ki_source", "loaded", "source", "import_module"),
                           ("ki_ns", "loaded", "namespace", "import_module"),
                           ("ki_ns.leaf", "loaded", "source", "import_module"),
                           (builtin, "loaded", "builtin", "import_module"),
                           ("ki_syntax", "failed", syntax, "import_module"),
                           ("ki_last", "loaded", "source", "statement")], "loads")
    lib.check_equal([i["module"] for i in process.imports if (process.parent(i) or main) != main
                     and process.parent(i)["module"].startswith("ki_")], [], "inside them")


WRAPPED = """import builtins
real = builtins.__import__
def wrapped(name, globals=None, locals=None, fromlist=(), level=0):
    return real(name, globals, locals, fromlist, level)
builtins.__import__ = wrapped
"""


@lib.test(params=lib.core_interpreters)
def test_relative_in_wrapped(interp):
    """A package whose own __import__ calls the real one: what others name relative to their package
    is no module of this one."""
    _, process = trace(interp, stage({
        "main.py": "import wr_hook\nimport wr_pkg\n", "wr_hook/__init__.py": WRAPPED, "wr_pkg/sub.py": "x = 1\n",
        "wr_pkg/__init__.py": "from . import sub\n" + "from .sub import x\n" * 2}))
    names = {edge["module"] for edge in process["edges"] if edge["importer"]["module"] == "wr_hook"}
    lib.check_equal({name for name in names if name and name.startswith("wr_")},
                    {"wr_pkg", "wr_pkg.sub"}, "what it asked for")


RUNPY = "import runpy\nrunpy.run_module('rp_pkg.run')\nrunpy.run_path(%r)\nimport rp_last\n"


@lib.test(params=lambda: lib.all_interpreters(6))
def test_runpy(interp):
    """runpy: the package is imported, the module's body runs under a name of its own."""
    path = lib.write("past/rp_path.py", NOTE)
    out, process = trace(interp, stage({
        "main.py": RUNPY % path, "rp_pkg/__init__.py": NOTE, "rp_last.py": NOTE,
        "rp_pkg/run.py": NOTE + "import rp_pkg.used\n", "rp_pkg/used.py": NOTE}))
    lib.check_equal(out.split(), ["rp_pkg", "rp_pkg.run", "rp_pkg.used", "<run_path>", "rp_last"],
                    "bodies")
    used = process.one("rp_pkg.used")
    lib.check_equal(process.parent(used)["module"], "rp_pkg.run", "parent of what it imports")
    lib.check_equal(process.parent(process.one("rp_last"))["module"], "__main__", "the last one")


if __name__ == "__main__":
    lib.main()
