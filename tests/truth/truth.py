# SPDX-License-Identifier: BSD-2-Clause
"""The truth about a saving, taken without the tool: a copy of the program in which the statements are
no-ops, run untraced, and what sys.modules held at its end with and without them."""
import os
import re
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

import lib  # noqa: E402

SPY = r"""import atexit, os, sys
def tell():
    with open(os.environ["TRUTH_OUT"], "w") as out:
        out.write("\n".join(sorted(sys.modules)))
atexit.register(tell)
"""


def make(name, files):
    """Writes a program, {relative path: text}. Returns its directory."""
    for path, text in files.items():
        lib.write(os.path.join(name, path), text)
    return os.path.join(lib.workdir(), name)


def without(base, places):
    """A copy of the program in which the lines file:line (below base) are no-ops."""
    tag = "-".join("%s-%d-%s" % (os.path.relpath(f, base).replace("/", "."), n, asked)
                   for f, n, asked in places)
    to = os.path.join(lib.workdir(), os.path.basename(base) + ".without-" + tag[:120])
    shutil.copytree(base, to, ignore=shutil.ignore_patterns("__pycache__"))
    for file, line, asked in places:
        path = os.path.join(to, os.path.relpath(file, base))
        with open(path, encoding="utf-8") as source:
            lines = source.read().splitlines(keepends=True)
        lines[line - 1] = without_name(lines[line - 1], asked)
        with open(path, "w", encoding="utf-8") as source:
            source.writelines(lines)
    return to


def without_name(line, asked):
    """The line without its statement for that module, of several in it: `import a, b` has two."""
    indent, text = re.match(r"(\s*)(.*)", line).groups()
    names = re.match(r"import ([\w., ]+)$", text)
    others = [name for name in names.group(1).split(", ") if name.split(" ")[0] != asked] if names else []
    return indent + ("import " + ", ".join(others) if others else "pass") + "\n"


class Untraced:
    """One untraced run: its modules at the end, and how long it took."""

    def __init__(self, argv, cwd):
        spy = os.path.join(lib.workdir(), "spy")
        if not os.path.isdir(spy):
            lib.write("spy/usercustomize.py", SPY)
        out = os.path.join(lib.workdir(), "modules.out")
        env = lib.clean_env({"PYTHONPATH": spy, "TRUTH_OUT": out})
        began = time.monotonic_ns()
        done = subprocess.run(argv, cwd=cwd, env=env, capture_output=True, check=False,
                              stdin=subprocess.DEVNULL)
        self.ns = time.monotonic_ns() - began
        self.rc, self.err = done.returncode, done.stderr
        with open(out, encoding="utf-8") as file:
            self.modules = set(file.read().splitlines())


def vanished(argv_of, base, places):
    """The modules that are really gone without the statements. @argv_of(base) is the command."""
    copy = without(base, places)
    before, after = Untraced(argv_of(base), base), Untraced(argv_of(copy), copy)
    lib.check_equal(after.rc, before.rc, "status without %s, %r" % (places, after.err[-300:]))
    lib.check(not after.modules - before.modules, "new modules: %s", after.modules - before.modules)
    return before.modules - after.modules


def modules_of(process, ids):
    """Those of which all imports are among the ids."""
    loaded = [i for i in process.imports if i["result"] == "loaded"]
    return ({i["module"] for i in loaded if i["id"] in ids} -
            {i["module"] for i in loaded if i["id"] not in ids})


def told(process, finding):
    """The modules of which a finding says that they vanish."""
    return modules_of(process, set(finding["evidence"]["vanish"]))


def bounds(process, finding):
    """The modules that vanish for sure, and those that may."""
    evidence = finding["evidence"]
    ids = set(evidence["vanish"])
    return (modules_of(process, ids - set(evidence["may_stay"])),
            modules_of(process, ids | set(evidence["may_vanish"])))


def places_of(finding):
    """[(file, line, the module that the statement names)]"""
    if finding["rule"] == "deferrable-together":
        return [(s["file"], s["line"], s["asks_for"]) for s in finding["evidence"]["statements"]]
    return [(finding["file"], finding["line"], finding["evidence"]["asks_for"])]
