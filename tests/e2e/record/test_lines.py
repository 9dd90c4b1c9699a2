#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The importer's line against a traceback's: each imported module walks its own stack, and the
first frame outside importlib is what the report must name."""
import json
import random

import lib

COUNT = 150


def statement(rng, name):
    """An import of `name` in some shape, as lines without indentation."""
    # Everything below works in 3.6.
    return rng.choice([
        ["import %s" % name],
        ["import %s as x" % name],
        ["from %s import VALUE" % name],
        ["from %s import (" % name, "    VALUE,", "    OTHER,", ")"],
        ["x = 1; import %s; y = 2" % name],
        ["__import__(", "    '%s'" % name, ")"],
        ["x = [", "    __import__('%s')," % name, "    1]"],
        ["x = (lambda:", "     __import__('%s'))()" % name],
        ["importlib.import_module(", "    '%s'," % name, ")"],
        ["importlib.import_module('%s')" % name],
        ["if True:", "    pass", "    import %s" % name],
        ["try:", "    1 / 0", "except ZeroDivisionError:", "    import %s" % name],
        ["try:", "    pass", "finally:", "    import %s" % name],
        ["with open('/dev/null') as f:", "    import %s" % name],
        ["for i in range(3):", "    import %s" % name],
        ["while True:", "    import %s" % name, "    break"],
        ["def f():", "    '''doc", "    string'''", "", "    import %s" % name, "    return 1", "f()"],
        ["def g():", "    yield 1", "    import %s" % name, "list(g())"],
        ["class C:", "    y = 1", "    import %s" % name],
        ["class D:", "    def __init__(self, a=1,", "                 b=2):",
         "        import %s" % name, "D()"],
        ["x = {k: __import__('%s')" % name, "     for k in range(2)}"],
        ["exec('import %s')" % name],
        ["exec(compile('\\n\\nimport %s', '<made up>', 'exec'))" % name],
        ["max([1, 2], key=lambda n:", "    __import__('%s') and n)" % name],
        ["'%s' % (1,", "   )", "import NAME".replace("NAME", name)],
    ])


MODULE = """import sys
f, found = sys._getframe(1), None
while f:
    if "importlib" not in f.f_code.co_filename:
        found = [f.f_code.co_filename, f.f_lineno, f.f_globals["__name__"]]
        break
    f = f.f_back
sys.lines_seen.append([__name__, found])
VALUE = OTHER = 1
"""


@lib.test(params=lambda: lib.all_interpreters(8))
def test_lines(interp):
    interp.prepare()
    rng = random.Random(4711)
    lines = ["import sys, importlib", "sys.lines_seen = []"]
    for n in range(COUNT):
        lines += [""] * rng.choice([0, 0, 1, 2, 5, 40, 300])
        lines += statement(rng, "ln_%d" % n)
        lib.write("ln/ln_%d.py" % n, MODULE)
    lines += ["import json", "print(json.dumps(sys.lines_seen))"]
    script = lib.write("ln/main.py", "\n".join(lines) + "\n")
    traced, doc = lib.trace_both(interp.argv + [script])
    seen = dict(json.loads(traced.out))
    lib.check_equal(len(seen), COUNT, "modules that recorded their stack")
    process = doc.python()
    wrong = []
    for name, (file, line, module) in seen.items():
        importer = process.one(name)["importer"] or {}
        got = (importer.get("file"), importer.get("line"), importer.get("module"))
        if got != (file, line, module):
            wrong.append("%s: the report says %r, the stack %r" % (name, got, (file, line, module)))
    lib.check(not wrong, "%d of %d lines differ:\n  %s", len(wrong), COUNT, "\n  ".join(wrong[:20]))


if __name__ == "__main__":
    lib.main()
