#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The wheel: installed by pip into a venv, its binary traces and its pytest plugin judges."""
import glob
import os
import subprocess

import lib

SUITE = '''
import pytest


def test_within(import_budget):
    run = import_budget(["python", "cli.py"], forbid=["wh_heavy.sub", "wh_nothere"], modules=500,
                        time="60 s")
    assert "wh_heavy" in run.modules and run.how == HOW, run.how


def test_forbidden(import_budget):
    import_budget(["python", "cli.py"], forbid=["wh_heavy"])


def test_not_allowed(import_budget):
    import_budget(["python", "cli.py"], allow=["wh_lib"])


def test_too_many(import_budget):
    import_budget(["python", "cli.py"], modules=3)


def test_too_slow(import_budget):
    import_budget(["python", "cli.py"], time="+100 ms")


@pytest.mark.import_budget(["python", "cli.py"], forbid="wh_lib")
def test_marked():
    pass


@pytest.mark.import_budget(["python", "cli.py"], forbid="wh_nothere")
def test_marked_within():
    pass
'''


def run(*argv, **more):
    return subprocess.run(argv, capture_output=True, text=True, stdin=subprocess.DEVNULL, **more)


def venv_with_wheel():
    lib.needs_command("make", "cc")
    for module in ("build", "wheel", "pytest", "venv", "ensurepip"):
        if run(lib.SYSTEM, "-c", "import " + module).returncode:
            lib.skip("no Python module %s for %s" % (module, lib.SYSTEM))
    made = run("make", "-C", lib.REPO, "--no-print-directory", "wheel")
    lib.check_equal(made.returncode, 0, "make wheel, %s" % made.stderr[-2000:])
    wheel, = glob.glob(lib.REPO + "/.output/wheel/*.whl")
    path = lib.workdir() + "/venv"
    made = run(lib.SYSTEM, "-m", "venv", "--system-site-packages", path)
    lib.check_equal(made.returncode, 0, made.stderr)
    made = run(path + "/bin/pip", "install", "--no-index", "--no-deps", wheel)
    lib.check_equal(made.returncode, 0, made.stderr)
    return path


def program(how):
    lib.write("wh_heavy.py", "import time\ntime.sleep(0.2)\n")
    lib.write("wh_lib.py", "import json\nimport wh_heavy\n")
    lib.write("cli.py", "import wh_lib\n")
    lib.write("test_budget.py", SUITE.replace("HOW", repr(how)))


def verdicts(venv, **more):
    done = run(venv + "/bin/python", "-m", "pytest", "-q", "-rA", "-p", "no:cacheprovider",
               "test_budget.py", cwd=lib.workdir(), **more)
    found = {}
    for line in done.stdout.splitlines():
        word, _, rest = line.partition(" test_budget.py::")
        if word in ("PASSED", "FAILED", "ERROR"):
            found[rest.split(" ")[0]] = word
    return found, done.stdout + done.stderr


def check_verdicts(found, text):
    lib.check_equal(found, {
        "test_within": "PASSED", "test_forbidden": "FAILED", "test_not_allowed": "FAILED",
        "test_too_many": "FAILED", "test_too_slow": "FAILED", "test_marked": "ERROR",
        "test_marked_within": "PASSED"}, "verdicts, %s" % text)
    lib.check("wh_heavy is forbidden, and was loaded:" in text, "%s", text)
    lib.check("wh_heavy is not among what is allowed:" in text, "%s", text)


@lib.test(timeout_s=400)
def test_wheel():
    venv = venv_with_wheel()
    done = run(venv + "/bin/pyimport-bpf", "--version")
    lib.check(done.stdout.startswith("pyimport-bpf "), "%r", done)
    done = run(venv + "/bin/python", "-m", "pyimport_bpf", "--version")
    lib.check(done.stdout.startswith("pyimport-bpf "), "%r", done)

    # As root it traces, and a broken limit names the statement.
    program("traced")
    found, text = verdicts(venv)
    check_verdicts(found, text)
    lib.check("wh_lib.py:2  wh_heavy" in text, "no place in %s", text)
    lib.check("cli.py:1" in text, "no chain in %s", text)

    # As nobody it reads a log of -X importtime, and says so.
    program("-X importtime")
    os.chmod(lib.workdir(), 0o777)
    found, text = verdicts(venv, user="nobody", env=dict(os.environ, HOME="/nonexistent"))
    check_verdicts(found, text)
    lib.check("measured by -X importtime (not traced: " in text, "%s", text)


if __name__ == "__main__":
    lib.main()
