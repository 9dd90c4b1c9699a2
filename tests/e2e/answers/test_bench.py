#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""`bench`: figures of real runs, comparisons that can be told and that cannot, a cold cache."""
import json
import re
import subprocess

import lib


def bench(*args, status=0):
    done = subprocess.run([lib.TOOL, "bench", *args], capture_output=True,
                          stdin=subprocess.DEVNULL, cwd=lib.workdir(), env=lib.clean_env())
    lib.check_equal(done.returncode, status, "status, %r" % done.stderr)
    return done


def bench_json(*args):
    return json.loads(bench("--format", "json", *args).stdout)


@lib.test()
def test_figures():
    doc = bench_json("-n", "6", "--", lib.system().exe, "-S", "-c",
                     "import time; time.sleep(0.02); print('noise')")
    wall = doc["commands"][0]["wall_ns"]
    lib.check_equal(len(wall["runs"]), 6, "runs")
    lib.check(min(wall["runs"]) >= 20_000_000, "each slept 20 ms: %s", wall)
    lib.check_equal((wall["low"], wall["high"]), (min(wall["runs"]), max(wall["runs"])),
                    "below 9 runs the interval is all of them")
    middle = sorted(wall["runs"])[2:4]
    lib.check_equal(wall["median"], middle[0] + (middle[1] - middle[0]) // 2, "median")
    lib.check_equal(doc["cache"], "warm", "label")


@lib.test()
def test_versus():
    exe = lib.system().exe
    sleeper = "%s -S -c 'import time; time.sleep(%s)'"
    args = ["-n", "6", "--versus", sleeper % (exe, 0.3), "--", exe, "-S", "-c",
            "import time; time.sleep(0.01)"]
    doc = bench_json(*args)
    lib.check_equal(len(doc["commands"]), 2, "commands")
    pairs = sorted(a / b for a, b in zip(*(c["wall_ns"]["runs"] for c in doc["commands"])))
    lib.check_equal(["%.4f" % doc["speed_ratio" + end] for end in ("_low", "_high")],
                    ["%.4f" % pairs[i] for i in (0, -1)], "ratios of the pairs, of six all")
    lib.check(doc["difference_low_ns"] > 0, "290 ms of sleep are a difference: %s", doc)
    text = bench(*args).stdout.decode()
    lib.check(re.search(r"A ran \S+ times as fast as B \(95% between", text), text)


@lib.test()
def test_cold():
    """The files of the program are found by tracing it, dropped, and looked at."""
    lib.write("bn_big.py", "data = '''\n%s'''\n" % ("x" * 79 + "\n") * 20000)
    script = lib.write("bn.py", "import bn_big\n")
    doc = bench_json("--cold", "-n", "2", "--", lib.system().exe, script)
    lib.check_equal(doc["cache"], "cold", "label")
    lib.check(doc["file_bytes"] > 1_600_000 and doc["files"] > 10, "files: %s", doc)
    lib.check(doc["still_cached_bytes"] < doc["file_bytes"] - 1_600_000,
              "the module's own file was not dropped: %s", doc)


@lib.test()
def test_refuses():
    lib.check(b"needs a command" in bench(status=2).stderr, "no command")
    lib.check(b"cannot be run" in bench("--", "/nonexistent", status=1).stderr, "no such command")
    lib.check(b"not a command line" in bench("--versus", "a | b", "--", "true", status=1).stderr, "a pipe")
    lib.check(b"failed with status 1: false" in bench("--", "false", status=1).stderr, "it failed")


if __name__ == "__main__":
    lib.main()
