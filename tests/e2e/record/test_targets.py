#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Every program of tests/targets with an `Expect:` in its docstring, on the interpreters it asks
for: output and status as untraced, and the tree that the docstring describes."""
import glob
import os
import re

from lib import expect
import lib


def docstring_of(path):
    """Without a parser: a target may use syntax that this interpreter does not know yet."""
    with open(path, encoding="utf-8") as file:
        found = re.match(r'(?:#[^\n]*\n)*"""(.*?)"""', file.read(), re.S)
    return found.group(1) if found else ""


def table():
    cases = {}
    for path in sorted(glob.glob(lib.TARGETS + "/*.py")):
        name = os.path.basename(path)[:-3]
        doc = docstring_of(path)
        if "Expect:" not in doc:
            continue
        wanted = expect.Expectation(doc)
        minor = 8
        for need in wanted.options.get("Needs", "").split(","):
            if need.strip().startswith("3."):
                minor = int(need.strip()[2:])
        every = wanted.options.get("Interpreters") == "all"
        chosen = lib.all_interpreters(minor) if every else lib.core_interpreters(minor)
        if not chosen:
            cases[name] = (name, wanted, None, ())
        for interp in chosen.values():
            cases["%s,%s" % (name, interp.name)] = (name, wanted, interp, ())
        if wanted.options.get("Perf") and "system" in chosen:
            cases[name + ",system,perf"] = (name, wanted, chosen["system"], ("--perf-uprobes",))
    return cases


@lib.test(params=table)
def test_target(arg):
    name, wanted, interp, opts = arg
    if interp is None:
        raise lib.Skip("no interpreter here that fits: %s" % wanted.options.get("Needs"))
    if not interp.prepare().facts:
        raise lib.Skip("%s does not run" % interp.host_path)
    for need in wanted.options.get("Needs", "").split(","):
        if need.strip() and not need.strip().startswith("3."):
            lib.needs_module(interp, need.strip())
    script = lib.stage(name)
    home = os.path.dirname(script)
    fill = {"python": " ".join(interp.argv), "dir": home, "script": script}
    command = wanted.options.get("Run", "{python} {script}") + " " + wanted.options.get("Args", "")
    env = dict(word.split("=", 1) for word in wanted.options.get("Env", "").format(**fill).split())
    opts = [*opts, *wanted.options.get("Opts", "").split()]
    traced, doc = lib.trace_both(command.format(**fill).split(), opts=opts, env=env, cwd=home)
    status = int(wanted.options.get("Status", "0") or 0)
    lib.check(traced.rc == status, "status %d, expected %d; stderr: %s", traced.rc, status,
              traced.err.decode(errors="replace")[-1500:])
    if not wanted.options.get("Incomplete"):
        doc.check_complete()
    expect.check_process(doc.python(), script, wanted)


if __name__ == "__main__":
    lib.main()
