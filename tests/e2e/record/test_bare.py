#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""`__import__("x")` without globals, found in sys.modules: a statement like any other."""
import lib

PROGRAM = """
import json, os.path, xml.dom
def six(name):
    __import__(name)
for k in range(3):
    __import__("json")
    __import__("xml.dom")
    import os.path, xml.dom
six("json")
six("os")
__import__("json", globals(), locals(), ["loads"], 0)
import re, bisect
__import__("colorsys")
__import__("json", globals(), locals(), ["decoder"], 0)
"""


@lib.test(params=lambda: lib.all_interpreters(6))
def test_bare(interp):
    interp.prepare()
    script = lib.write("main.py", PROGRAM)
    _, doc = lib.trace_both(interp.argv + [script])
    doc.check_complete()
    process = doc.python()
    found = sorted((e["importer"]["line"], e["module"], e["count"]) for e in process.edges
                   if e["importer"]["file"] == script and e["importer"]["line"] not in (2, 12))
    lib.check_equal(found, [(4, "json", 1), (4, "os", 1), (6, "json", 3), (7, "xml.dom", 3),
                            (8, "os.path", 3), (8, "xml.dom", 3), (11, "json", 1),
                            (13, "colorsys", 1), (14, "json", 1), (14, "json.decoder", 1)],
                    "statements")
    load = process.one("colorsys")
    lib.check_equal((load["via"], load["importer"]["line"]), ("statement", 13), "colorsys")


if __name__ == "__main__":
    lib.main()
