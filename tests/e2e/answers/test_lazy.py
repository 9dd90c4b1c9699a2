#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Advice about 3.15's lazy imports: the change as it is to be written, and those that gained nothing.
That the change is right is shown by making it: what was said to be saved is not loaded then."""
import os
import re
import subprocess

import lib


def trace(interp, main, **files):
    for name, text in files.items():
        lib.write("lazy/%s.py" % name, text)
    script = lib.write("lazy/main.py", main)
    run, doc = lib.trace(interp.argv + [script], cwd=lib.workdir() + "/lazy")
    lib.check_equal(run.rc, 0, "status, %r" % run.err)
    return doc.python()


def place(site):
    return os.path.basename(site["file"]), site["line"]


@lib.test()
def test_change():
    """The statement that is advised is valid, and does what is said; so is __lazy_modules__."""
    interp = lib.newest(15)
    heavy = "import time\ntime.sleep(0.1)\nX = 1\n"
    files = {"lc_heavy": heavy, "lc_parent/__init__": "", "lc_parent/lc_child": heavy}
    many = "".join("n%d = 0\n" % i for i in range(300))
    for main, changes in (
            ("import lc_heavy as heavy\n", ["lazy import lc_heavy as heavy",
                                            '__lazy_modules__ = ["lc_heavy"]']),
            ("import lc_heavy, os.path as p\n", ["lazy import lc_heavy"]),
            ("import lc_heavy as heavy\n" + many, ["lazy import lc_heavy"]),  # too many names to tell
            ("import lc_parent.lc_child as child\n", ["lazy import lc_parent.lc_child as child"]),
            ("import lc_parent.lc_child\n", ["lazy import lc_parent.lc_child"]),
            ("from lc_heavy import X, time\n", ["lazy from lc_heavy import X, time"]),
            ("from lc_heavy import X as \u03c7, time\n", ["lazy from lc_heavy import X, time"]),
            ("from lc_heavy import X, time as clock\n", ["lazy from lc_heavy import X, time as clock"]),
            ("from lc_heavy import *\n", [])):
        remedy = [f["remedy"] for f in trace(interp, main, **files)["findings"] if f["evidence"]["module"]
                  in ("lc_heavy", "lc_parent.lc_child") and f["rule"] == "deferrable-import"][0]
        lib.check_equal("(an `as` stays)" in remedy, main.endswith(many) or "\u03c7" in main, remedy)
        for change in changes:
            lib.check("`%s`" % change in remedy, "%s: %s", change, remedy)
        lib.check_equal("in place of the star" in remedy, not changes, remedy)
    for main in ("lazy import lc_heavy as heavy\n", "lazy from lc_heavy import X, time\n",
                 '__lazy_modules__ = ["lc_heavy"]\nimport lc_heavy as heavy\n'):
        lib.check(not trace(interp, main).named("lc_heavy"), "loaded all the same: %s", main)


@lib.test()
def test_at_once():
    """What is declared lazily and used during the start-up is named, with both places."""
    interp = lib.newest(15)
    process = trace(interp, "lazy import la_used\nlazy import la_never\n\nprint(la_used.X)\n",
                    la_used="X = 1\n", la_never="X = 1\n")
    found = [f for f in process["findings"] if f["rule"] == "lazy-import-at-once"]
    lib.check_equal([(f["evidence"]["module"], place(f), place(f["evidence"]["declared"])) for f in found],
                    [("la_used", ("main.py", 4), ("main.py", 1))], "used, declared")
    for finding in process["findings"]:
        lib.check("lazy import la_used" not in (finding["remedy"] or ""), "it is lazy already: %s", finding)


@lib.test()
def test_never():
    """Which declared ones were never loaded, and what loaded the others; sys.lazy_modules agrees."""
    interp = lib.newest(15)
    main = """import sys
lazy import sys as again
lazy import ln_never, ln_used
lazy from ln_from import X, Y
lazy import ln_other
from ln_eager import Z
lazy import ln_package.sub

print(ln_used.X)
print(sorted(sys.lazy_modules), file=sys.stderr)
"""
    files = dict.fromkeys(("ln_never", "ln_used", "ln_from", "ln_other"), "X = Y = 1\n")
    process = trace(interp, main, ln_eager="import ln_other\nZ = 1\n", **files)
    declared = {}
    for one in process["lazy_imports"]:
        if os.path.basename(one["declared"]["file"] or "") == "main.py":
            lib.check(one["module"] not in declared, "twice: %s", one)
            load = process.by_id.get(one["import"])
            declared[one["module"]] = (one["declared"]["line"], one["never_loaded"],
                                       load and place(load["importer"]))
    lib.check_equal(declared, {
        "sys": (2, False, None), "ln_never": (3, True, None), "ln_used": (3, False, ("main.py", 9)),
        "ln_from": (4, True, None), "ln_other": (5, False, ("ln_eager.py", 1)),
        "ln_package.sub": (7, True, None)}, "declared: line, never, loaded by")
    report = lib.workdir() + "/advice.txt"
    subprocess.run([lib.TOOL, "--view", "advice", "--report", report, "--", *interp.argv,
                    lib.workdir() + "/lazy/main.py"], check=True, capture_output=True)
    with open(report, encoding="utf-8") as file:
        text = file.read()
    lib.check(re.search(r"^  ln_never +\S*/main\.py:3 +never$", text, re.M), "%s", text)


if __name__ == "__main__":
    lib.main()
