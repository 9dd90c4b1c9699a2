#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The man pages, --help and the completion scripts name exactly the options of the table; unit tests
do the same for views and formats."""
import glob
import os
import re
import shlex
import shutil
import subprocess

import lib

SHELLS = ("bash", "zsh", "fish")


def source(path):
    with open(os.path.join(lib.REPO, path), encoding="utf-8") as file:
        return file.read()


def options():
    """Long options of the table, without hidden ones."""
    rows = re.findall(r'^\t\{ "([a-z-]+)",(.*)', source("user/cli/line/options.c"), re.M)
    lib.check(len(rows) > 30, "the table of options was not found: %s", rows)
    return {name for name, rest in rows if "OPTION_HIDDEN" not in rest}


def commands():
    return [""] + re.findall(r'^\t\{ "([a-z]+)", COMMAND_', source("user/cli/line/commands.c"), re.M)


def man(name="pyimport-bpf*"):
    pages = glob.glob(os.path.join(lib.REPO, "man", name + ".8"))
    lib.check(pages, "no man pages")
    return "".join(source(p) for p in pages).replace("\\-", "-").replace("\\", "")


def tool(*args):
    return subprocess.run([lib.TOOL, *args], capture_output=True, text=True, check=True,
                          env=lib.clean_env()).stdout


@lib.test()
def test_options():
    names, page = options(), man()
    text = "".join(tool("help", name) if name else tool("--help") for name in commands())
    headings = "\n".join(re.findall(r"^\.[TP]P\n(?:\.[A-Z]+ )?(.*)", page, re.M))
    for name in sorted(names):
        lib.check(re.search(r"--%s\b" % name, headings), "no man page explains --%s", name)
        lib.check(re.search(r"--%s\b" % name, text), "--help lacks --%s", name)
    for name in set(re.findall(r"(?<![\w-])--([a-z][a-z-]+)", headings)):
        lib.check(name in names, "a man page explains --%s, which is no option", name)


@lib.test(params={s: s for s in SHELLS})
def test_completion(shell):
    script = tool("--completion", shell)
    for name in sorted(options()):
        lib.check(re.search(r"(--|-l )%s\b" % name, script), "%s: no --%s", shell, name)


@lib.test()
def test_manual_of_each_subcommand():
    """Its page has all its options, views and formats, as its --help has them."""
    for name in commands():
        page = os.path.join(lib.REPO, "man", "pyimport-bpf-%s.8" % name)
        if name in ("", "help", "version"):
            continue
        lib.check(os.path.exists(page), "%s has no manual page", name)
        with open(page, encoding="utf-8") as file:
            sections = set(re.findall(r"^\.SH (.*)$", file.read(), re.M))
        for section in ("SYNOPSIS", "DESCRIPTION", "ALL OPTIONS", "EXIT STATUS", "SEE ALSO"):
            lib.check(section in sections, "%s: no %s", name, section)
        lib.check(sections & {"EXAMPLE", "EXAMPLES"}, "%s: no examples", name)
    done = subprocess.run(["/usr/bin/python3", lib.REPO + "/scripts/man_options.py", "--check"],
                          capture_output=True, text=True, env=lib.clean_env({"PYIMPORT_BPF": lib.TOOL}))
    lib.check_equal((done.returncode, done.stdout), (0, ""), "pages against --help, %s" % done.stderr)


@lib.test()
def test_bash_completes():
    """Asks the script itself, as the shell would: each subcommand has its own formats and options."""
    script = lib.write("complete.bash", tool("--completion", "bash"))

    def complete(*words):
        run = subprocess.run(["bash", "-c", """
            source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _pyimport_bpf
            printf '%s\\n' "${COMPREPLY[@]}" """, "bash", script, "pyimport-bpf", *words],
                             capture_output=True, text=True, check=True, cwd="/")
        return set(run.stdout.split())

    lib.check_equal(complete("check", "--format", "j"), {"json", "junit"}, "formats of check")
    lib.check_equal(complete("diff", "a", "b", "--format", "m"), {"markdown"}, "formats of diff")
    lib.check_equal(complete("report", "--view", "b"), {"blame"}, "views")
    lib.check_equal(complete("report", "--r"), {"--report"}, "no --ring, no --runs")
    lib.check_equal(complete("bench", "--c"), {"--cold"}, "no --cgroup")
    lib.check_equal(complete("re"), {"record", "report"}, "subcommands")
    lib.check_equal(complete("help", "re"), {"record", "report"}, "subcommands behind help")


def commands_of(page):
    """What a page tells to type: (command, arguments) of indented lines."""
    typed = r"^    (?:\$ )?(?:sudo )?((?:pyimport-bpf|make) (?:.*\\\n)*.*)$"
    for line in re.findall(typed, source(page), re.M):
        words = shlex.split(line, comments=True)
        for stop in ("|", ">", "2>", "&", "&&"):
            words = words[:words.index(stop)] if stop in words else words
        yield words[0], words[1:]


@lib.test()
def test_commands_of_pages():
    """What the pages tell to type is understood: without rights, and without the files, it fails for
    that reason, not for what was typed."""
    seen = set()
    tool = shutil.copy(lib.TOOL, lib.workdir()) # the checkout may be in a directory of root's
    for page in ("README.md", "docs/use_cases.md", "docs/tour.md"):
        for command, args in commands_of(page):
            seen.add(command)
            if command == "make":
                lib.check(re.search(r"^(?:\w[\w-]* )*%s:" % args[0], source("Makefile"), re.M),
                          "%s: no target %s", page, args[0])
            else:
                done = subprocess.run([tool, *args], capture_output=True, text=True, cwd="/",
                                      stdin=subprocess.DEVNULL, user="nobody", env=lib.clean_env())
                lib.check(done.returncode != 2, "%s: %s: %s", page, args, done.stderr)
    lib.check_equal(seen, {"make", "pyimport-bpf"}, "what the pages use")


if __name__ == "__main__":
    lib.main()
