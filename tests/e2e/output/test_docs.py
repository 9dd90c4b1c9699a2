#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The man pages, --help and the completion scripts name exactly the options of the table; unit tests
do the same for views and formats."""
import glob
import os
import re
import subprocess

import lib

SHELLS = ("bash", "zsh", "fish")


def source(path):
    with open(os.path.join(lib.REPO, path), encoding="utf-8") as file:
        return file.read()


def options():
    """Long options of the table, without hidden ones; those of argp itself besides."""
    rows = re.findall(r'^\t\{ "([a-z-]+)",(.*)', source("user/cli/opts.c"), re.M)
    lib.check(len(rows) > 30, "the table of options was not found: %s", rows)
    return {name for name, rest in rows if "OPTION_HIDDEN" not in rest} | {"help", "usage"}


def man(name="pyimport-bpf*"):
    pages = glob.glob(os.path.join(lib.REPO, "man", name + ".8"))
    lib.check(pages, "no man pages")
    return "".join(source(p) for p in pages).replace("\\-", "-").replace("\\", "")


def tool(*args):
    return subprocess.run([lib.TOOL, *args], capture_output=True, text=True, check=True,
                          env=lib.clean_env()).stdout


@lib.test()
def test_options():
    names, page, text = options(), man(), tool("--help")
    headings = "\n".join(re.findall(r"^\.[TP]P\n(?:\.[A-Z]+ )?(.*)", page, re.M))
    for name in sorted(names):
        lib.check(re.search(r"--%s\b" % name, headings), "no man page explains --%s", name)
        lib.check(re.search(r"--%s\b" % name, text), "--help lacks --%s", name)
    for name in set(re.findall(r"(?<![\w-])--([a-z][a-z-]+)", headings)):
        lib.check(name in names, "a man page explains --%s, which is no option", name)


@lib.test(params={s: s for s in SHELLS})
def test_completion(shell):
    script = tool("--completion", shell)
    for name in sorted(options() - {"help", "usage"}):
        lib.check(re.search(r"(--|-l )%s\b" % name, script), "%s: no --%s", shell, name)


if __name__ == "__main__":
    lib.main()
