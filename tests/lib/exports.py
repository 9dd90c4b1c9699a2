# SPDX-License-Identifier: BSD-2-Clause
"""Programs whose traces are exported, and what every export must keep to."""
import json
import subprocess

import lib

# What each format has to escape.
NAMES = ["evil;semi colon", "evil\"quote\\back", "evil\nline 1", "evil{a=\"b\"}", "evil\\n\\N\\G",
         "evil<b>&amp;", "evil\x1b[31m", "evil\u202eabc", "evil|pipe", "evil 1 2 3"]
HOSTILE = """
import importlib.machinery, sys
class Finder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if "evil" in name:
            return importlib.machinery.ModuleSpec(name, Finder)
    @staticmethod
    def create_module(spec): return None
    @staticmethod
    def exec_module(module): pass
sys.meta_path.insert(0, Finder)
for name in %r:
    __import__(name)
"""
APP = {
    "ex_main.py": "import ex_slow\nimport ex_circle\ntry:\n    import ex_absent\n"
                  "except ImportError: pass\n",
    "ex_slow.py": "import time\ntime.sleep(0.05)\nimport json\nimport email.message\n",
    "ex_circle.py": "import ex_main\nimport decimal\n",
    # Threads that want the same module: one looks for it, the other waits.
    "ex_threads.py": """
import sys, threading, time
class Finder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name == "ex_shared":
            time.sleep(0.2)
sys.meta_path.insert(0, Finder)
def work():
    import ex_shared
threads = [threading.Thread(target=work) for _ in range(2)]
for thread in threads: thread.start()
for thread in threads: thread.join()
""",
    "ex_shared.py": "import csv\n",
}


def record(argv, name="trace.cap"):
    """(capture, its JSON)"""
    cap = "%s/%s" % (lib.workdir(), name)
    done = subprocess.run([lib.TOOL, "record", "-o", cap, "--", *argv], capture_output=True,
                          env=lib.tool_env(), cwd=lib.workdir(), timeout=lib.PATIENCE_S)
    lib.check_equal(done.returncode, 0, "status, %r" % done.stderr[-2000:])
    doc = lib.Trace(json.loads(export(cap, "json")))
    doc.check_invariants()
    return cap, doc


def export(cap, fmt, *opts):
    """The report of a capture on standard output; needs no root."""
    done = subprocess.run([lib.TOOL, "report", cap, "--format", fmt, *opts], capture_output=True,
                          env=lib.tool_env(), cwd=lib.workdir())
    lib.check_equal(done.returncode, 0, "status, %r" % done.stderr)
    text = done.stdout.decode()
    bad = sorted({c for c in text if (ord(c) < 32 and c not in "\n\t") or 127 <= ord(c) < 160
                  or c in "\u202e\u2066\u2028"})
    lib.check(not bad, "control characters %r in %s", bad, fmt)
    return text


def save(name, text):
    with open("%s/%s" % (lib.workdir(), name), "w", encoding="utf-8") as file:
        file.write(text)
    return file.name


def scripts():
    """name -> argv of what is exported here."""
    for name, text in APP.items():
        lib.write(name, text)
    return {
        "app": lib.write("app.py", "import ex_main\n"),
        "threads": lib.write("threads.py", "import ex_threads\n"),
        "hostile": lib.write("hostile.py", HOSTILE % (NAMES,)),
    }


def record_script(name):
    return record([lib.system().exe, scripts()[name]], name + ".cap")


EVERY = {name: name for name in ("app", "threads", "hostile")}
