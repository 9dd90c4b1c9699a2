#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Memory that is used again: code objects, module dicts and names are freed when a module fails or
an exec() is over, and the next ones lie at the same addresses. Every statement keeps its own place."""
import lib

COUNT = 10

PAGES = """
for k in range(%d):
    try:
        exec(compile("\\n" * k + "import nope_%%d" %% (k %% 2), "page_%%d.html" %% k, "exec"),
             {"__name__": "page_%%d" %% k})
    except ImportError:
        pass
""" % COUNT

PLUGINS = """
for k in range(%d):
    try:
        __import__("plugin_%%d" %% k)
    except Exception:
        pass
""" % COUNT

FUNCTIONS = """
import json
for k in range(%d):
    names = {"__name__": "template_%%d" %% k}
    exec(compile("def root():\\n" + "\\n" * k + "    import json\\n", "t%%d.html" %% k, "exec"), names)
    names["root"]()
    del names
""" % COUNT

# The same file name, first line and names: only the line table tells them apart.
SAME_FILE = """
import json
for k in range(%d):
    names = {"__name__": "same"}
    exec("def root():\\n" + "\\n" * k + "    import json\\nroot()\\n", names)
    del names
""" % COUNT

# The same file and line, another module: only the name tells them apart.
SAME_LINE = """
for k in range(%d):
    try:
        exec("import nope_%%d" %% k, {"__name__": "line"})
    except ImportError:
        pass
""" % COUNT

# One code object, run in a module of its own each time.
ONE_CODE = """
import json
code = compile("def root():\\n  import json\\nroot()\\nimport json\\n", "shared.py", "exec")
for k in range(%d):
    exec(code, {"__name__": "one_%%d" %% k})
""" % COUNT

# A notebook: one dict, cells that come and go.
CELLS = """
import json
names = {"__name__": "cells"}
for k in range(%d):
    exec(compile("\\n" * k + "import json\\ndef late():\\n    import json\\nlate()", "cell_%%d" %% k,
                 "exec"), names)
""" % COUNT

# Modules deleted and imported again, each time with other lines, and reloaded.
AGAIN = """
import importlib, json, os, sys
os.chdir(os.path.dirname(os.path.abspath(__file__)))
for k in range(%d):
    with open("again.py", "w") as file:
        file.write("\\n" * k + "import json\\ndef ask():\\n    import json\\nask()\\n")
    importlib.invalidate_caches()
    if k %% 2:
        importlib.reload(sys.modules["again"])
    else:
        sys.modules.pop("again", None)
        import again
""" % COUNT


# A dict without __name__, in the place of one that had it.
NAMELESS = """
import json
for k in range(200):
    names = {"__name__": "gone_%d" % k, "__package__": "gone"}
    del names
    exec(compile("import json", "tiny.py", "exec"), {})
"""


def edges(process, module, among=None):
    """{(file, line, module): count} of who asked for a module."""
    found = {}
    for edge in process.edges_of(module):
        who = edge["importer"]
        key = (who["file"], who["line"], who["module"])
        if among is None or among(key):
            found[key] = found.get(key, 0) + edge["count"]
    return found


def trace(interp, text):
    interp.prepare()
    script = lib.write("main.py", text)
    _, doc = lib.trace_both(interp.argv + [script], env={"PYTHONPATH": lib.workdir()})
    doc.check_complete()
    return doc.python()


@lib.test(params=lambda: lib.all_interpreters(6))
def test_pages(interp):
    process = trace(interp, PAGES)
    for module in ("nope_0", "nope_1"):
        expected = {("page_%d.html" % k, k + 1, "page_%d" % k): 1 for k in range(COUNT)
                    if "nope_%d" % (k % 2) == module}
        lib.check_equal(edges(process, module), expected, module)
    loads = [(i["importer"]["file"], i["importer"]["line"]) for i in process.start_loads()
             if i["module"].startswith("nope_")]
    lib.check_equal(loads, [("page_%d.html" % k, k + 1) for k in range(COUNT)], "importers")


@lib.test(params=lambda: lib.all_interpreters(6))
def test_failing_plugins(interp):
    """Each asks for an absent module and for a cached one, and fails."""
    for k in range(COUNT):
        lib.write("plugin_%d.py" % k, "\n" * k + "import json\nimport redis_not_there\n")
    process = trace(interp, "import json\n" + PLUGINS)
    file = lib.workdir() + "/plugin_%d.py"
    for module, line in (("redis_not_there", 2), ("json", 1)):
        expected = {(file % k, k + line, "plugin_%d" % k): 1 for k in range(COUNT)}
        lib.check_equal(edges(process, module, lambda who: "plugin_" in who[0]), expected, module)
    for load in process.named("redis_not_there"):
        lib.check_equal(load["importer"]["module"], process.parent(load)["module"], "importer")


@lib.test(params=lambda: lib.core_interpreters(6))
def test_raising_after_cached(interp):
    """Modules that import what is cached, then raise."""
    for k in range(COUNT):
        lib.write("plugin_%d.py" % k, "x = 1\n" + "\n" * k + "import sys, json\nraise ValueError\n")
    process = trace(interp, "import json, sys\n" + PLUGINS)
    expected = {(lib.workdir() + "/plugin_%d.py" % k, k + 2, "plugin_%d" % k): 1
                for k in range(COUNT)}
    for module in ("json", "sys"):
        lib.check_equal(edges(process, module, lambda who: "plugin_" in who[0]), expected, module)


EXECUTED = {
    "functions": (FUNCTIONS, "json", "t",
                  {("t%d.html" % k, k + 2, "template_%d" % k): 1 for k in range(COUNT)}),
    "same file": (SAME_FILE, "json", "<string>",
                  {("<string>", k + 2, "same"): 1 for k in range(COUNT)}),
    "one code": (ONE_CODE, "json", "shared.py",
                 {("shared.py", line, "one_%d" % k): 1 for k in range(COUNT) for line in (2, 4)}),
    "cells": (CELLS, "json", "cell_",
              {("cell_%d" % k, line, "cells"): 1 for k in range(COUNT)
               for line in (k + 1, k + 3)}),
}


def executed():
    return {"%s, %s" % (what, name): (interp, *EXECUTED[what]) for what in EXECUTED
            for name, interp in lib.core_interpreters(6).items()}


@lib.test(params=executed)
def test_executed(case):
    interp, text, module, prefix, expected = case
    process = trace(interp, text)
    found = edges(process, module, lambda who: who[0].startswith(prefix))
    lib.check_equal(found, expected, "who asked for " + module)


@lib.test(params=lambda: lib.core_interpreters(6))
def test_nameless(interp):
    process = trace(interp, NAMELESS)
    found = edges(process, "json", lambda who: who[0] == "tiny.py")
    lib.check_equal(found, {("tiny.py", 1, None): 200}, "who asked")


@lib.test(params=lambda: lib.core_interpreters(6))
def test_same_line(interp):
    process = trace(interp, SAME_LINE)
    for k in range(COUNT):
        lib.check_equal(edges(process, "nope_%d" % k), {("<string>", 1, "line"): 1}, "nope_%d" % k)


@lib.test(params=lambda: lib.core_interpreters(6))
def test_imported_again(interp):
    process = trace(interp, AGAIN)
    file = lib.workdir() + "/again.py"
    expected = {}
    for k in range(COUNT):
        for line in (k + 1, k + 3):
            expected[(file, line, "again")] = expected.get((file, line, "again"), 0) + 1
    lib.check_equal(edges(process, "json", lambda who: who[0] == file), expected, "who asked")


if __name__ == "__main__":
    lib.main()
