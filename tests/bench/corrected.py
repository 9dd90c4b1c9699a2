# SPDX-License-Identifier: BSD-2-Clause
"""The proof of corrected times: what a program took while it was traced, less what the report says
that tracing took, against a run by itself; medians of pairs."""
import json
import os
import statistics
import subprocess

import lib

MANY_FILES = 20000
CACHED = 10000


def workloads(python):
    home = lib.workdir() + "/corrected"
    os.makedirs(home + "/files", exist_ok=True)
    for n in range(MANY_FILES):
        open("%s/files/%d" % (home, n), "w").close()
    for name, text in (
            ("many_cached", "import os\nfrom os import path\n" * (CACHED // 2)),
            ("many_files", "for n in range(%d): open(%r + str(n)).close()\n" %
             (MANY_FILES, home + "/files/"))):
        with open("%s/%s.py" % (home, name), "w") as file:
            file.write(text)
    found = {}
    for name, code in (("import pandas", "import pandas"),
                       ("import django", "import django.db.models"),
                       ("10,000 cached imports", "import sys; sys.path.insert(0, %r); "
                        "import many_cached" % home),
                       ("20,000 files opened", "import sys; sys.path.insert(0, %r); "
                        "import many_files" % home)):
        argv = [python, "-c", code]
        if not subprocess.run(argv, stderr=subprocess.DEVNULL, env=lib.clean_env()).returncode:
            found[name] = argv
        else:
            print("%s: not here" % name)
    return found


def taken_s():
    """What tracing took of the first thread of the process that imported most."""
    with open(lib.workdir() + "/r.json") as file:
        doc = json.load(file)
    process = max(doc["processes"], key=lambda p: len(p["imports"]))
    return None if process["overhead_total_ns"] is None else process["overhead_total_ns"] / 1e9


def bench(pairs, python, row, timed, launching):
    for name, argv in workloads(python).items():
        rows = {"wall": [], "CPU": [], "raw wall": [], "raw CPU": []}
        unsure = 0
        for n in range(pairs):
            plain = timed(argv) if n % 2 else None
            other = timed(argv, launching(), loads_min=20)
            taken = taken_s()
            plain = plain or timed(argv)
            if taken is None:
                unsure += 1
                continue
            for index, kind in enumerate(("wall", "CPU")):
                rows["raw " + kind].append(other[index] / plain[index])
                rows[kind].append((other[index] - taken) / plain[index])
        if not rows["wall"]:
            row("corrected / untraced, " + name, "unknown", "the price of a probe changed")
            continue
        median = {kind: statistics.median(values) for kind, values in rows.items()}
        row("corrected / untraced, " + name, "wall %.3f, CPU %.3f" % (median["wall"], median["CPU"]),
            "traced %.3f, %.3f%s" % (median["raw wall"], median["raw CPU"],
                                     ", %d pairs unsure" % unsure if unsure else ""), "0.97-1.03")
