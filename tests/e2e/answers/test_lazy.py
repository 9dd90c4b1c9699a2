#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Advice about 3.15's lazy imports: the change as it is to be written, and those that gained nothing.
That the change is right is shown by making it: what was said to be saved is not loaded then."""
import os

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
    files = {"lc_heavy": "import time\ntime.sleep(0.1)\nX = 1\n"}
    process = trace(interp, "import lc_heavy as heavy\n", **files)
    advice = [f for f in process["findings"] if f["evidence"]["module"] == "lc_heavy"
              and f["rule"] == "deferrable-import"][0]
    for change in ("lazy import lc_heavy", "lazy from lc_heavy import …", '__lazy_modules__ = ["lc_heavy"]'):
        lib.check("`%s`" % change in advice["remedy"], "%s: %s", change, advice["remedy"])
    for main in ("lazy import lc_heavy as heavy\n", "lazy from lc_heavy import X\n",
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


if __name__ == "__main__":
    lib.main()
