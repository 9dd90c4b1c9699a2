#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""`diff` for pull requests: Markdown, limits of growth, and the steps of the GitHub Action."""
import os
import re
import subprocess

import lib

ACTION = os.path.join(lib.REPO, "packaging/action/action.yml")


def record(name, source, extra=""):
    directory = os.path.dirname(lib.write(name + "/app.py", source))
    lib.write(name + "/df_|evil|<b>.py", extra)
    path = lib.workdir() + "/%s.cap" % name
    done = subprocess.run([lib.TOOL, "record", "-o", path, "--", lib.system().exe, "-S", "app.py"],
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
    done = diff(before, before, "--format", "markdown")
    lines = [line for line in done.stdout.splitlines() if line]
    lib.check_equal(len(lines), 3, lines)
    lib.check(lines[2].startswith("Nothing changed: "), "%s", lines)


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


def steps():
    import yaml
    with open(ACTION, encoding="utf-8") as file:
        action = yaml.safe_load(file)
    return action["inputs"], action["runs"]["steps"]


def run_step(step, inputs, where):
    """As a runner does: expressions filled in, files for outputs and the summary."""
    env = dict(lib.clean_env(), GITHUB_OUTPUT=where + "/output", GITHUB_STEP_SUMMARY=where + "/summary",
               PATH=os.path.dirname(lib.TOOL) + ":" + os.environ["PATH"])
    for name, value in (step.get("env") or {}).items():
        env[name] = re.sub(r"\$\{\{ inputs\.([\w-]+) \}\}", lambda m: inputs[m.group(1)], value)
        lib.check("${{" not in env[name], "not filled in: %s", env[name])
    return subprocess.run(["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
                          capture_output=True, text=True, stdin=subprocess.DEVNULL, env=env, cwd=where)


@lib.test()
def test_action():
    if subprocess.run([lib.SYSTEM, "-c", "import yaml"], stderr=subprocess.DEVNULL).returncode:
        raise lib.Skip("no python3-yaml")
    before, _ = captures()
    where = lib.workdir() + "/after"
    budget = lib.write("after/budget.yaml",
                       "version: 1\nentries:\n- name: app\n  forbid: [decimal]\n")
    known, all_steps = steps()
    given = {"command": "%s -S app.py 'a b'" % lib.system().exe, "budget": budget, "baseline": before,
             "fail-on": "modules>0"}
    inputs = {name: given.get(name, str(one.get("default", ""))) for name, one in known.items()}
    done = {step["name"]: run_step(step, inputs, where) for step in all_steps if "run" in step}
    lib.check_equal({name: one.returncode for name, one in done.items()},
                    {"Install": 0, "Record": 0, "Check": 1, "Diff": 1}, done)
    lib.check("::error file=app.py,line=2" in done["Check"].stdout, "%s", done["Check"].stdout)
    lib.check(re.search(r"::error title=pyimport-bpf::app.py .* modules grew", done["Diff"].stdout),
              "%s", done["Diff"].stdout)
    with open(where + "/summary", encoding="utf-8") as file:
        lib.check("| decimal | app.py:2, a new statement |" in file.read(), "no summary")
    with open(where + "/output", encoding="utf-8") as file:
        lib.check_equal(file.read(), "capture=start-up.cap\ncomment=start-up.md\n", "outputs")


if __name__ == "__main__":
    lib.main()
