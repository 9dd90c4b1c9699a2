#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Memory of the target's that cannot be read: something is unknown, and the trace says so."""
import lib

HIDDEN = """
import ctypes, sys
sys.path.insert(0, %(home)r)
size = 1 << 20
libc = ctypes.CDLL(None)
code = compile("\\nimport ur_child\\n", "hidden.py", "exec")
name = "co_linetable" if hasattr(code, "co_linetable") else "co_lnotab"
table = getattr(code, name) + bytes(size)
code = code.replace(**{name: table})
page = ctypes.c_void_p(id(table) & ~4095)
assert libc.mprotect(page, size, 0) == 0
exec(code, {"__name__": "hidden"})
assert libc.mprotect(page, size, 3) == 0
print("ok")
"""


@lib.test(params=lib.core_interpreters)
def test_line_table(interp):
    """A code object whose line table lies in memory without access: its statement is there, its
    line is unknown, and that is counted."""
    interp.prepare()
    if not interp.has("ctypes"):
        raise lib.Skip("%s has no ctypes" % interp.name)
    lib.write("ur/ur_child.py", "")
    script = lib.write("ur.py", HIDDEN % {"home": lib.workdir() + "/ur"})
    traced, doc = lib.trace_both(interp.argv + [script])
    lib.check_equal(traced.out, b"ok\n", "output")
    load = doc.python().one("ur_child")
    lib.check_equal((load["result"], load["importer"]["module"]), ("loaded", "hidden"), "ur_child")
    lib.check_equal(load["importer"]["line"], None, "a line from nowhere")
    lib.check(doc["loss"]["unreadable"], "not counted: %s", doc["loss"])
    lib.check_equal(doc["complete"], False, "said to be complete")


if __name__ == "__main__":
    lib.main()
