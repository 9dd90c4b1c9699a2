#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""`check` with several runs that do not do the same."""
import json
import os
import re

import lib

# Its third run imports more than the others, and it was run once before the check.
EVERY_RUN = {
    "bd_quick.py": "import time\nwith open('bd.count', 'a+') as file:\n    file.write('x')\n"
                   "    file.seek(0)\n    IS_RARE = len(file.read()) % 3 == 0\n"
                   "time.sleep(0.06 if IS_RARE else 0.01)\n",
    "bd_rare.py": "import time\ntime.sleep(0.05)\nimport bd_back, pytz\n" +
                  "".join("import bd_%d\n" % i for i in range(30)),
    "bd_back.py": "import bd_rare\n",
    "bd_runs.py": "import bd_quick, colorsys\nif bd_quick.IS_RARE: import bd_rare\n",
} | {"bd_%d.py" % i: "" for i in range(30)}
EVERY_LIMIT = """
entries:
- name: it
  runs: 2
  limits: {modules: 90, time: 1 ms}
  modules: {bd_rare: 20 ms, 'bd_q*': 10 s}
  circular: false
  compile: false
  allow: []
"""


@lib.test()
def test_every_run():
    """What only the second run did is judged, too, and told of that run; a range is that of the
    runs that have a value."""
    lib.needs_module(lib.system(), "pytz")
    for name, text in EVERY_RUN.items():
        lib.write(name, text)
    script = os.path.join(lib.workdir(), "bd_runs.py")
    lib.run([lib.SYSTEM, script], cwd=lib.workdir())
    done = lib.run([lib.TOOL, "check", "--budget", lib.write("budget.yaml", EVERY_LIMIT),
                    "--format", "json", "--", lib.SYSTEM, script], cwd=lib.workdir())
    lib.check_equal(done.rc, 1, "status: %s" % done.err)
    doc = json.loads(done.out)
    lib.check_equal({c["check"]: c["result"] for c in doc["checks"]}, {
        "time": "broken", "modules": "broken", "time of bd_rare": "broken",
        "time of bd_q*": "ok", "no circular imports": "broken", "no compile": "broken",
        "only allowed packages": "broken"}, "results")
    found = {c["check"]: c for c in doc["checks"]}
    lib.check(found["time of bd_q*"]["high"] > found["time of bd_q*"]["low"],
              "the range of two runs: %s", found["time of bd_q*"])
    for name in ("modules", "time of bd_rare"):
        lib.check_equal(found[name]["chain"][0]["module"], "bd_rare", "chain, " + name)
    lib.check(found["no compile"]["value"] >= 32, "compiled: %s", found["no compile"])
    lib.check(re.search(r", with \d+ to \d+ modules", found["time"]["message"]), "%s", found["time"])
    lib.check(found["time of bd_rare"]["message"].endswith(" more, in 1 of 2 runs"), "%s",
              found["time of bd_rare"])


if __name__ == "__main__":
    lib.main()
