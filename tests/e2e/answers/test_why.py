#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""`why MODULE`: every chain of statements that leads to a module, the loading one first."""
import json
import re
import subprocess

import lib


def why(module, script, *opts, status=0):
    path = lib.workdir() + "/why.out"
    done = subprocess.run([lib.TOOL, "why", module, *opts, "--report", path, "--",
                           lib.system().exe, script], capture_output=True, stdin=subprocess.DEVNULL,
                          cwd=lib.workdir(), env=lib.clean_env())
    lib.check_equal(done.returncode, status, "status, %r" % done.stderr)
    with open(path, encoding="utf-8") as file:
        return file.read()


def program():
    """Three ways to wy_core: loaded by wy_a, found by wy_b's function, and by import_module."""
    lib.write("wy_core.py", "import time\ntime.sleep(0.02)\n")
    lib.write("wy_pkg/__init__.py", "")
    lib.write("wy_pkg/deep.py", "import wy_core #@deep\n")
    lib.write("wy_a.py", "import wy_pkg.deep\n")
    lib.write("wy_b.py", "def use():\n    import wy_core\n")
    return lib.write("wy.py", "import wy_a\nimport wy_b\nwy_b.use()\nfrom wy_pkg import deep\n"
                     "try:\n    import wy_absent\nexcept ImportError:\n    pass\n")


def steps(chain):
    return [(h["module"], (h["importer"]["file"] or "").rsplit("/", 1)[-1], h["importer"]["line"])
            for h in chain["hops"] if h["module"] != "__main__"]


@lib.test()
def test_found_by_c_code():
    """C code that found the module loaded is named, not the statement that had loaded it."""
    script = lib.write("wy_c.py", "import numbers\nimport decimal\n")
    chains = json.loads(why("numbers", script, "--format", "json", "--top", "9"))["processes"][0]["chains"]
    last = [chain["hops"][-1]["importer"] for chain in chains]
    lib.check_equal((last[0]["module"], last[0]["line"]), ("__main__", 1), "what loaded it")
    native = {"module": "_decimal", "file": None, "line": None}
    lib.check(len(last) > 1 and all(place == native for place in last[1:]), "what found it: %s", last)
    lib.check("_decimal (from C)  numbers  found loaded" in re.sub("  +", "  ", why("numbers", script)),
              "the text")


@lib.test()
def test_chains():
    script = program()
    doc = json.loads(why("wy_core", script, "--format", "json", "--top", "100"))
    lib.check_equal(doc["module"], "wy_core", "module")
    lib.check_equal(len(doc["processes"]), 1, "processes")
    process = doc["processes"][0]
    chains = process["chains"]
    lib.check_equal(process["has_more"], False, "has_more")
    lib.check_equal(process["statements"], 2, "statements that ask for it")
    lib.check_equal(steps(chains[0]), [("wy_a", "wy.py", 1), ("wy_pkg.deep", "wy_a.py", 1),
                                       ("wy_core", "deep.py", 1)], "the chain that loaded it")
    lib.check_equal([c["loaded"] for c in chains], [True] + [False] * (len(chains) - 1), "loaded")
    lengths = [len(c["hops"]) for c in chains[1:]]
    lib.check_equal(lengths, sorted(lengths), "shortest first")
    found = {tuple(steps(c)) for c in chains}
    lib.check_equal(len(found), len(chains), "no chain twice")
    # use() was called by the program, so it is the program that leads to it, at wy_b's line.
    lib.check((("wy_core", "wy_b.py", 2),) in found, "wy_b.py:2 is not among %s", found)
    # Of `from wy_pkg import deep` either the name was seen, or the report says that it was not.
    deep = json.loads(why("wy_pkg.deep", script, "--format", "json"))["processes"][0]
    lib.check(deep["unseen"] == 1 or {tuple(steps(c)) for c in deep["chains"]} >=
              {(("wy_pkg.deep", "wy.py", 4),)}, "wy.py:4 is nowhere: %s", deep)
    lib.check(process["wall_ns"] >= 20_000_000, "it slept 20 ms: %s", process["wall_ns"])


@lib.test()
def test_text():
    text = why("wy_core", program())
    first = text.index("1. loaded it")
    for place in ("wy.py:1", "wy_a.py:1", "wy_pkg/deep.py:1", "wy_b.py:2"):
        lib.check(place in text[first:], "no %s in:\n%s", place, text)
    lib.check("found loaded" in text, "cached hops are marked:\n%s", text)


@lib.test()
def test_not_loaded_and_failed():
    script = program()
    text = why("wy_pkg.dep", script, status=1)
    lib.check("it was not loaded. Loaded were wy_pkg.deep" in text, "close names:\n%s", text)
    doc = json.loads(why("wy_nothing", script, "--format", "json", status=1))
    lib.check_equal(doc["processes"], [], "processes that loaded what is not there")
    text = why("wy_pkg", script)
    found = re.search(r"The package wy_pkg with its 1 submodule and what these import: ([0-9.]+) ms",
                      text)
    lib.check(found and float(found.group(1)) >= 20, "it sleeps for 20 ms:\n%s", text)
    doc = json.loads(why("wy_pkg", script, "--format", "json"))["processes"][0]["package"]
    lib.check_equal(doc["submodules"], 1, "the package in JSON")
    lib.check(doc["wall_ns"] >= 20_000_000, "the package in JSON: %s", doc)
    doc = json.loads(why("wy_core", script, "--format", "json"))["processes"][0]
    lib.check_equal(doc["package"], None, "wy_core is no package")
    text = why("wy_absent", script)
    lib.check("ModuleNotFoundError" in text and "wy.py:6" in text and "1. tried to load it" in text,
              "one that failed:\n%s", text)


@lib.test()
def test_top():
    process = json.loads(why("wy_core", program(), "--format", "json", "--top", "1"))["processes"][0]
    lib.check_equal([c["loaded"] for c in process["chains"]], [True], "chains")
    lib.check_equal(process["has_more"], True, "has_more")


if __name__ == "__main__":
    lib.main()
