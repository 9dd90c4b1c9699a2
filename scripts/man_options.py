#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""man_options.py [--check]: options, and statuses and examples where they have none of their own, in the
manual pages of the subcommands, from their --help.

Each page man/pyimport-bpf-NAME.8 has a section between two comments, which is written anew; --check
only says which pages are out of date."""
import glob
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TOOL = os.environ.get("PYIMPORT_BPF") or os.path.join(ROOT, "pyimport-bpf")
BEGIN, END = '.\\" options: made by scripts/man_options.py\n', '.\\" options end\n'
HEADING = re.compile(r"[A-Z][a-z ]+$")
OPTION = re.compile(r" {2}(?:-(\w), | {4})--([a-z-]+)(?:=(\S+))?(?:\s+(.*))?$")
# Behind the options.
OTHERS = ("Examples", "Subcommands", "Exit status", "Where the report goes")


def roff(text):
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return "\\&" + text if text.startswith((".", "'")) else text


def help_of(name):
    env = dict(os.environ, COLUMNS="120", LC_ALL="C.UTF-8")
    return subprocess.run([TOOL, "help", name], env=env, capture_output=True, text=True, check=True).stdout


def more(text, page):
    """Sections of roff for what --help says and the page does not say itself: statuses, examples."""
    lines = []
    status = re.search(r"^Exit status\n((?:  .*\n)+)", text, re.M)
    if status and ".SH EXIT STATUS\n" not in page:
        lines.append(".SH EXIT STATUS\n%s\n" % roff(" ".join(status.group(1).split())))
    examples = re.search(r"^Examples\n((?: .*\n)+)", text, re.M)
    if examples and not re.search(r"^\.SH EXAMPLES?$", page, re.M):
        lines.append(".SH EXAMPLES\n")
        for line in examples.group(1).splitlines():
            command, _, what = line.strip().partition("  ")
            if line.startswith("  pyimport-bpf"):
                lines.append(".TP\n.B %s\n%s" % (roff(command), roff(what.strip()) + "\n" if what else ""))
            else:
                lines.append(roff(line.strip()) + "\n")
    return "".join(lines)


def options(text):
    """[(group, [(short, long, value, text)])] of a subcommand, by its --help."""
    groups, at = [], None
    for line in text.splitlines():
        option = OPTION.match(line)
        if HEADING.match(line):
            at = None if line in OTHERS else line
            if at:
                groups.append((at, []))
        elif at and option:
            groups[-1][1].append([option.group(1), option.group(2), option.group(3), option.group(4) or ""])
        elif at and line.strip() and groups[-1][1]:
            groups[-1][1][-1][3] = (groups[-1][1][-1][3] + " " + line.strip()).strip()
    return groups


def section(name, page):
    help_text = help_of(name)
    lines = [BEGIN, ".SH ALL OPTIONS\n"]
    for group, rows in options(help_text):
        lines.append(".SS %s\n" % roff(group))
        for short, long, value, text in rows:
            names = ('\\-%s ", " \\-\\-%s' if short else "%s\\-\\-%s") % (short or "", roff(long))
            lines.append(".TP\n.BR %s%s\n%s\n" % (names, " =\\fI%s\\fR" % roff(value) if value else "",
                                                  roff(text)))
    return "".join(lines) + more(help_text, page) + END


def main():
    is_stale = False
    for path in sorted(glob.glob(os.path.join(ROOT, "man", "pyimport-bpf-*.8"))):
        with open(path, encoding="utf-8") as file:
            old = file.read()
        own = re.sub(re.escape(BEGIN) + ".*?" + re.escape(END), "", old, flags=re.S)
        made = section(re.search(r"pyimport-bpf-(\w+)\.8$", path).group(1), own)
        if BEGIN in old:
            new = re.sub(re.escape(BEGIN) + ".*?" + re.escape(END), lambda _: made, old, flags=re.S)
        else:
            new = re.sub(r"(?m)^\.SH (EXIT STATUS|EXAMPLES?|SEE ALSO)$", lambda m: made + m.group(0), old, count=1)
        if new == old:
            continue
        is_stale = True
        if sys.argv[1:] == ["--check"]:
            print("man_options.py: %s is out of date" % os.path.relpath(path, ROOT))
        else:
            with open(path, "w", encoding="utf-8") as file:
                file.write(new)
    sys.exit(is_stale and sys.argv[1:] == ["--check"])


main()
