#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""`diff` for pull requests: Markdown, limits of growth, and the steps of the GitHub Action."""
import json
import os
import re
import shutil
import subprocess

import lib
from lib import action


def record(name, source, extra="", opts=()):
    directory = os.path.dirname(lib.write(name + "/app.py", source))
    lib.write(name + "/df_|evil|<b>.py", extra)
    path = lib.workdir() + "/%s.cap" % name
    done = subprocess.run([lib.TOOL, "record", "-o", path, *opts, "--", lib.system().exe, "-S", "app.py"],
                          capture_output=True, stdin=subprocess.DEVNULL, cwd=directory,
                          env=lib.clean_env())
    lib.check_equal(done.returncode, 0, done.stderr)
    return path


def diff(before, after, *opts):
    return subprocess.run([lib.TOOL, "diff", before, after, *opts], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL)


def captures():
    evil = "import importlib\nimportlib.import_module('df_|evil|<b>')\n"
    return record("before", "import json\n"), record("after", "import json\nimport decimal\n" + evil)


@lib.test()
def test_markdown():
    before, after = captures()
    done = diff(before, after, "--format", "markdown")
    lib.check_equal((done.returncode, done.stderr), (0, ""), done.stdout)
    lib.check("| decimal | app.py:2, a new statement |" in done.stdout, "%s", done.stdout)
    # Each row has as many cells as its table: nothing of a name is markup.
    lib.check("evil" in done.stdout and "|evil|" not in done.stdout and "<b>" not in done.stdout,
              "%s", done.stdout)
    rows = [line for line in done.stdout.splitlines() if line.startswith("|")]
    lib.check({row.count("|") for row in rows} == {5}, "%s", rows)
    text = diff(before, after).stdout
    lib.check(text.startswith("From the first trace to the second, both of host "), "%s", text)
    # It ended at a moment, and did not take that long to end.
    lib.check("\n  until exit " in text and "\n  exit " not in text, "%s", text)
    done = diff(before, before, "--format", "markdown")
    lines = [line for line in done.stdout.splitlines() if line]
    lib.check_equal(len(lines), 3, lines)
    lib.check(lines[2].startswith("Nothing changed: "), "%s", lines)


@lib.test()
def test_not_recorded():
    """What one side lacks is told, with the option that records it, and is no difference."""
    full = record("before", "import json\nimport decimal\n")
    loads = record("after", "import json\nimport decimal\n", opts=("--profile", "loads"))
    sentence = ("Not recorded in the second trace: cached imports, CPU time and waits, files, memory and "
                "readiness, so not compared; --profile full records that.")
    for before, after, want in ((full, loads, sentence), (full, full, None),
                                (loads, full, sentence.replace("second", "first")),
                                (loads, loads, sentence.replace("the second", "either"))):
        for fmt in ("text", "markdown"):
            text = re.sub(r"\n +", " ", diff(before, after, "--format", fmt).stdout)
            lib.check(want in text if want else "Not recorded" not in text, "%s: %s", want, text)
            lib.check("a new statement" not in text and "is gone" not in text, "%s", text)
    doc = json.loads(diff(full, loads, "--format", "json").stdout)
    lib.check_equal(doc["not_recorded"], {"before": [], "after": ["statements", "cpu", "files", "memory",
                                                                  "net", "phases"]}, "JSON")


@lib.test()
def test_fail_on():
    before, after = captures()
    done = diff(before, after, "--fail-on", "modules>0, time > 900 s")
    lib.check_equal(done.returncode, 1, done.stderr)
    lib.check(re.fullmatch(r"app\.py \(pid \d+\): modules grew from \d+ to \d+, by \d+; 0 allowed\n",
                           done.stderr), "%r", done.stderr)
    lib.check_equal(diff(before, after, "--fail-on", "modules>400").returncode, 0, "enough allowed")
    lib.check_equal(diff(after, before, "--fail-on", "modules>0").returncode, 0, "it became less")
    for wrong in ("tim>3", "time>", "time>3", "modules>3ms", "modules", "", "time>3%,", "time>nan%"):
        done = diff(before, after, "--fail-on", wrong)
        lib.check_equal(done.returncode, 2, "%r, %s" % (wrong, done.stderr))


@lib.test()
def test_action():
    before, _ = captures()
    where = lib.workdir() + "/after"
    path = os.path.dirname(lib.TOOL) + ":" + os.environ["PATH"]
    budget = lib.write("after/budget.yaml",
                       "version: 1\nentries:\n- name: app\n  forbid: [decimal]\n")
    inputs = action.with_defaults({"command": "%s -S app.py 'a b'" % lib.system().exe, "budget": budget,
                                   "baseline": before, "fail-on": "modules>0"})
    done = {step["name"]: action.run_step(step, inputs, where, path)
            for step in action.steps()[1] if "run" in step}
    lib.check_equal({name: one.returncode for name, one in done.items()},
                    {"Install": 0, "Record": 0, "Check": 1, "Diff": 1}, done)
    lib.check("::error file=app.py,line=2" in done["Check"].stdout, "%s", done["Check"].stdout)
    lib.check(re.search(r"::error title=pyimport-bpf::app.py .* modules grew", done["Diff"].stdout),
              "%s", done["Diff"].stdout)
    with open(where + "/summary", encoding="utf-8") as file:
        lib.check("| decimal | app.py:2, a new statement |" in file.read(), "no summary")
    with open(where + "/output", encoding="utf-8") as file:
        lib.check_equal(file.read(), "capture=start-up.cap\ncomment=start-up.md\n", "outputs")


@lib.test()
def test_action_refuses():
    """What is missing is one line: the program, and the right to trace."""
    where = lib.workdir()
    os.mkdir(where + "/bin")
    os.mkdir(where + "/temp")
    for writable in (where, where + "/temp"):
        os.chmod(writable, 0o777)
    for name in ("mkdir", "bash", "id", "sudo"):
        if shutil.which(name):
            os.symlink(shutil.which(name), where + "/bin/" + name)
    inputs = action.with_defaults({"command": "python3 -c pass"})
    for name, said in (("Install", "is not installed here"), ("Record", "Tracing needs root")):
        done = action.run_step(action.step(name), inputs, where, where + "/bin", user="nobody")
        lib.check_equal((done.returncode, done.stdout.count("\n")), (1, 1), done)
        lib.check(done.stdout.startswith("::error title=pyimport-bpf::") and said in done.stdout, "%s", done)


if __name__ == "__main__":
    lib.main()
