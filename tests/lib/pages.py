# SPDX-License-Identifier: BSD-2-Clause
"""Captures, their HTML reports, and what those show."""
import json
import subprocess

import lib

APP = {
    "app_main.py": "import app_web\nimport app_db\nimport app_missing_guard\n",
    "app_web.py": "import time\ntime.sleep(0.05)\nimport json\nimport email.message\n",
    "app_db.py": "import time\ntime.sleep(0.02)\nimport app_models\n",
    "app_models.py": "import app_circle\nimport decimal\n",
    "app_circle.py": "import app_models\n",
    "app_missing_guard.py": "try:\n    import app_absent\nexcept ImportError:\n    pass\n",
}


def report(cap, fmt, *opts):
    """A report of a capture; needs no root."""
    path = "%s.%s" % (cap, fmt)
    done = subprocess.run([lib.TOOL, "report", cap, "--format", fmt, "--report", path, *opts],
                          capture_output=True, env=lib.tool_env(), cwd=lib.workdir())
    lib.check_equal(done.returncode, 0, "status, %r" % done.stderr)
    return path


def record(argv, name="trace.cap"):
    """(the capture, its JSON as a Trace, its HTML report's path)."""
    cap = "%s/%s" % (lib.workdir(), name)
    done = subprocess.run([lib.TOOL, "record", "-o", cap, "--", *argv], capture_output=True,
                          env=lib.tool_env(), cwd=lib.workdir(), timeout=lib.PATIENCE_S)
    lib.check_equal(done.returncode, 0, "status, %r" % done.stderr[-2000:])
    with open(report(cap, "json"), "rb") as file:
        doc = lib.Trace(json.load(file))
    return cap, doc, "file://" + report(cap, "html")


def record_app():
    for name, text in APP.items():
        lib.write(name, text)
    script = lib.write("app.py", "import app_main\n")
    return record([lib.system().exe, script])


def modules(process):
    """What the table has a row for: everything but the program itself."""
    return [i for i in process.imports if i["via"] != "main"]


def rows(page):
    """[(id, {column: raw figure})] of the rows that are elements now."""
    return page.js("""[...document.querySelectorAll('#rows tbody tr[data-id]')].map(row =>
        [Number(row.dataset.id), [...row.cells].map(cell => cell.dataset.value === undefined ?
            cell.textContent : Number(cell.dataset.value))])""")
