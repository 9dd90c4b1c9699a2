#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Random programs against a spy inside them (tests/model): the ones that once were seen otherwise,
and some more. `make check-random` makes new ones."""
import os
import sys

import lib

sys.path.append(os.path.join(lib.TESTS, "model"))
import compare  # noqa: E402
import randomly  # noqa: E402

MORE = range(1001, 1013)


def kept():
    with open(os.path.join(lib.TESTS, "model", "seeds")) as file:
        return [int(line.split()[0]) for line in file if line[0].isdigit()]


@lib.test(params=lib.core_interpreters, timeout_s=200)
def test_programs(interp):
    seeds = kept() + list(MORE)
    unknown = randomly.tell(interp, seeds, randomly.check(interp, seeds))
    lib.check(not unknown, "seen otherwise: %s", ", ".join(unknown))


@lib.test()
def test_what_is_wrong_is_found():
    """The comparison itself: a load that is missing, invented, elsewhere, or asked for by another."""
    def load(name, parent, **changed):
        site = {"module": "__main__", "file": "main.py", "line": 1}
        return dict({"id": name, "seq": 0, "module": name, "parent": parent, "result": "loaded",
                     "error": None, "via": "statement", "importer": site}, **changed)

    def seen(*loads, count=1):
        edge = {"module": "rnd_a", "count": count, "cached": 0, "importer": loads[0]["importer"]}
        process = lib.Process({"pid": 1, "imports": list(loads), "edges": [edge]})
        return {d.name.split(":")[0] for d in compare.compare(spied, process)}

    at = ["__main__", "main.py", 1]
    spied = {"loads": [["rnd_a", None, 1, "loaded", None, "statement", at, True, False],
                       ["rnd_b", 0, 1, "failed", "ValueError", "statement", at, True, False]],
             "runs": {("__main__", "main.py", 1, "rnd_a"): [1, 0]}}
    a, b = load("rnd_a", None), load("rnd_b", "rnd_a", result="failed", error="ValueError")
    lib.check_equal(seen(a, b), set(), "nothing wrong")
    lib.check_equal(seen(a), {"missing load"}, "one load less")
    lib.check_equal(seen(a, b, load("rnd_c", None)), {"load that never was"}, "one load more")
    lib.check_equal(seen(a, dict(b, parent=None)), {"parent"}, "another parent")
    lib.check_equal(seen(a, dict(b, result="loaded")), {"result"}, "another result")
    lib.check_equal(seen(a, dict(b, error=None)), {"error not known"}, "no error")
    lib.check_equal(seen(a, dict(b, error="KeyError")), {"error"}, "another error")
    lib.check_equal(seen(a, dict(b, via="native")), {"via"}, "another way")
    lib.check_equal(seen(a, dict(b, importer=None)), {"importer's module", "importer's file",
                                                      "importer's line"}, "no importer")
    lib.check_equal(seen(a, b, count=2), {"runs of a statement"}, "one run more")


if __name__ == "__main__":
    lib.main()
