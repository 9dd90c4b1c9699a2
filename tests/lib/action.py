# SPDX-License-Identifier: BSD-2-Clause
"""The steps of the GitHub Action, run as a runner does."""
import os
import re
import subprocess

from lib import settings
from lib.cases import Skip, check
from lib.runner import clean_env

ACTION = os.path.join(settings.REPO, "packaging/action/action.yml")


def steps():
    """Its inputs by name, and its steps in order."""
    try:
        import yaml
    except ImportError:
        raise Skip("no python3-yaml") from None
    with open(ACTION, encoding="utf-8") as file:
        action = yaml.safe_load(file)
    return action["inputs"], action["runs"]["steps"]


def step(name):
    found, = [one for one in steps()[1] if one["name"] == name]
    return found


def with_defaults(given):
    """Every input: as given, else what the action says."""
    return {name: given.get(name, str(one.get("default", ""))) for name, one in steps()[0].items()}


def run_step(one, inputs, where, path, **more):
    """Expressions filled in, files for outputs, the path and the summary in @where."""
    env = dict(clean_env(), GITHUB_OUTPUT=where + "/output", GITHUB_STEP_SUMMARY=where + "/summary",
               GITHUB_PATH=where + "/path", RUNNER_TEMP=where + "/temp", PATH=path)
    os.makedirs(where + "/temp", exist_ok=True)
    for name, value in (one.get("env") or {}).items():
        env[name] = re.sub(r"\$\{\{ inputs\.([\w-]+) \}\}", lambda m: inputs[m.group(1)], value)
        check("${{" not in env[name], "not filled in: %s", env[name])
    return subprocess.run(["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", one["run"]],
                          capture_output=True, text=True, stdin=subprocess.DEVNULL, env=env, cwd=where,
                          **more)
