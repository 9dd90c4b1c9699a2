#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Where a saving is said to be: lines of .pth files, who pays for what a finder does once, and what
would help where modules are compiled."""
import os
import subprocess
import zipfile

import lib


def deferrals(process):
    return [f for f in process["findings"] if f["rule"] == "deferrable-import"]


@lib.test()
def test_pth_files():
    """All their lines are line 1 of "<string>": the file is named, and it stands behind what the
    program itself could do."""
    sites = os.path.join(lib.workdir(), "sites")
    for name in "ab":
        lib.write("sites/%s.pth" % name, "import slow_%s\n" % name)
        lib.write("slow_%s.py" % name, "import time\ntime.sleep(0.03)\n")
    lib.write("own.py", "import time\ntime.sleep(0.02)\n")
    main = lib.write("main.py", "import site\nsite.addsitedir(%r)\nimport own\n" % sites)
    _, trace = lib.trace([lib.SYSTEM, main])
    process = trace.python()
    for name in "ab":
        load = process.one("slow_" + name)
        lib.check_equal((load["importer"]["file"], load["importer"]["line"]),
                        ("%s/%s.pth" % (sites, name), None), "who asked for slow_" + name)
        edges = [e["importer"]["file"] for e in process["edges"] if e["module"] == "slow_" + name]
        lib.check_equal(edges, ["%s/%s.pth" % (sites, name)], "statements that ask for it")
    lib.check_equal([os.path.basename(f["file"]) for f in deferrals(process)], ["main.py"],
                    "files of findings")


FINDER = """import sys, time
class Finder:
    is_ready = False
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        end = time.process_time() + 0.05
        while not cls.is_ready and time.process_time() < end: pass
        cls.is_ready = True
sys.meta_path.insert(0, Finder)
"""


@lib.test()
def test_lazy_finder():
    """A finder reads what it needs when it is first asked. Without that import the next one waits for
    it: it is in no saving."""
    lib.write("finder.py", FINDER)
    for name in "ab":
        lib.write("plug_%s.py" % name, "import time\ntime.sleep(0.02)\n")
    main = lib.write("main.py", "import finder\nimport plug_a\nimport plug_b\n")
    _, trace = lib.trace([lib.SYSTEM, main])
    process = trace.python()
    load = process.one("plug_a")
    found = next(f for f in deferrals(process) if f["line"] == 2)
    lib.check(load["self_cpu_ns"] >= 50e6, "it took %d ns", load["self_cpu_ns"])
    lib.check(20e6 <= found["saving_ns"] <= load["self_ns"] - 40e6, "%d of %d ns are saved",
              found["saving_ns"], load["self_ns"])


AST_LOADER = """import ast, sys
from importlib.machinery import PathFinder, SourceFileLoader
class Loader(SourceFileLoader):
    def get_code(self, name):
        path = self.get_filename(name)
        return compile(ast.parse(self.get_data(path)), path, 'exec', dont_inherit=True)
class Finder:
    def find_spec(name, path=None, target=None):
        spec = PathFinder.find_spec(name, path) if name.startswith('changed') else None
        if spec:
            spec.loader = Loader(name, spec.origin)
        return spec
sys.meta_path.insert(0, Finder)
"""


def compiled(argv):
    _, trace = lib.trace([lib.SYSTEM, "-B", *argv])
    return next(f for f in trace.python()["findings"] if f["rule"] == "compiled-at-import")


@lib.test()
def test_compiled():
    """A .pyc is advised only to who would read it."""
    lib.write("loader.py", AST_LOADER)
    lib.write("changed.py", "x = 1\n")
    lib.write("plain.py", "x = 1\n")
    found = compiled([lib.write("main.py", "import loader\nimport changed\nimport plain\n")])
    evidence = found["evidence"]
    lib.check_equal((evidence["modules"], evidence["without_pyc"], evidence["in_archives"]), (3, 1, 0),
                    "modules, of these without .pyc and in archives")
    lib.check("1 by a loader that looks for no .pyc" in found["remedy"], found["remedy"])


@lib.test()
def test_reloads():
    """What a place reloads is one row of blame, with how often and with the time of all."""
    lib.write("again.py", "import time\ntime.sleep(0.02)\n")
    main = lib.write("main.py", "import again, importlib\nfor n in range(5):\n"
                     "    importlib.reload(again)\nimportlib.reload(again)\n")
    capture = os.path.join(lib.workdir(), "reload.cap")
    lib.run([lib.TOOL, "record", "-o", capture, "--", lib.SYSTEM, main])
    text = lib.run([lib.TOOL, "report", capture, "--view", "blame", "--width", "200"]).out.decode()
    rows = [line.split() for line in text.splitlines() if " again " in line]
    lib.check_equal(sorted(" ".join(row[5:]) for row in rows), [
        "main.py:1", "main.py:3 (reload), 5 times", "main.py:4 (reload)"], "rows of blame")
    lib.check_equal(rows[0][5], "main.py:3", "the dearest")
    lib.check(float(rows[0][0]) >= 100, "five times 20 ms are %s ms", rows[0][0])


@lib.test()
def test_archive():
    """A zipapp holds no bytecode, as zipapp makes it: that is a finding, and breaks a budget."""
    path = os.path.join(lib.workdir(), "app.pyz")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("__main__.py", "import inside\n")
        archive.writestr("inside.py", "x = 1\n")
    found = compiled([path])
    lib.check_equal((found["evidence"]["modules"], found["evidence"]["in_archives"]), (1, 1),
                    "modules, of these in archives")
    lib.check("into the archive" in found["remedy"], found["remedy"])
    budget = lib.write("budget.yaml", "version: 1\nentries:\n- name: app\n  compile: false\n")
    done = subprocess.run([lib.TOOL, "check", "--budget", budget, "--", lib.SYSTEM, path],
                          stdin=subprocess.DEVNULL, capture_output=True, env=lib.tool_env(),
                          check=False, cwd=lib.workdir())
    lib.check(b"inside" in done.stdout and done.returncode == 1, "status %d, %r, %r", done.returncode,
              done.stdout, done.stderr)


if __name__ == "__main__":
    lib.main()
