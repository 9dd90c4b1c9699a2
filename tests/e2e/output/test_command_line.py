#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What is typed wrong is told with what was meant; where the report goes; widths, links, shares."""
import os
import re
import subprocess

import lib

CODE = "import json; print('from the command')"


def tool(*args, rc=0, env=None):
    done = subprocess.run([lib.TOOL, *args], capture_output=True, stdin=subprocess.DEVNULL, text=True,
                          cwd=lib.workdir(), env=lib.clean_env(env), timeout=lib.PATIENCE_S)
    lib.check_equal(done.returncode, rc, "status of %s, %s" % (args, done.stderr))
    return done


def capture():
    name = "cl_" + "very_long_module_name_" * 6
    lib.write(name + ".py", "import time\ntime.sleep(0.05)\n")
    lib.write("cl.py", "import %s\nimport colorsys\n" % name)
    path = lib.workdir() + "/cl.cap"
    tool("record", "-o", path, "--", lib.system().exe, "cl.py")
    return path, name


@lib.test()
def test_meant():
    for args, said in ((["reprot", "x"], "try: pyimport-bpf report"), (["report", "x", "--veiw", "tree"], "try: --view"),
                       (["report", "x", "--view", "advise"], "try: advice"),
                       (["--format", "jsn", "--", "true"], "try: json"),
                       (["--json", "--", "true"], "try: --format json"),
                       (["report", "x", "--ring", "1MB"], "--ring means nothing for report"),
                       (["ls"], "try: to trace a command: pyimport-bpf -- ls"),
                       (["help", "chekc"], "try: pyimport-bpf check"),
                       (["--view", "tree"], "nothing to trace is named"),
                       (["report", "x", "--view", "tree", "--format", "json"], "--view means nothing with --format json: it is for text"),
                       (["report", "x", "--min", "1%"], "--min means nothing with --view summary: it is for tree"),
                       (["report", "x", "--by", "cpu"], "--by means nothing with --format text: it is for folded"),
                       (["report", "x", "--format", "html", "--width", "80"], "--width means nothing"),
                       (["help", "nothing"], "try: pyimport-bpf --help"),
                       (["why", lib.SYSTEM, "json"], "try: why MODULE " + lib.SYSTEM),
                       (["why", "/etc/passwd"], "try: why MODULE /etc/passwd"),
                       (["bad\x1b[31m"], "no such subcommand: 'bad?[31m'")):
        run = tool(*args, rc=2)
        lib.check(said in run.stderr, "%s: %s", args, run.stderr)
        lib.check("\x1b" not in run.stderr and not run.stdout, "%s: %r", args, run)


@lib.test()
def test_bare():
    """Nothing but the name: help, and no trace of the host."""
    run = tool(rc=2)
    lib.check("Examples" in run.stdout and lib.READY not in run.stderr, "%s", run)


@lib.test()
def test_terminal():
    """What would spoil a terminal is refused before anything runs, as a wrong command line."""
    lib.write("started.py", "open('started', 'w')\n")
    for args in (["--format", "html"], ["--format", "sqlite"], ["-o", "-"]):
        master, slave = os.openpty()
        try:
            done = subprocess.run([lib.TOOL, *args, "--", lib.SYSTEM, "started.py"], stdout=slave,
                                  stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True,
                                  cwd=lib.workdir(), env=lib.clean_env())
        finally:
            os.close(slave)
            os.close(master)
        lib.check_equal(done.returncode, 2, done.stderr)
        lib.check(re.search(r"terminal\n +try: ", done.stderr), "%s", done.stderr)
        lib.check(not os.path.exists(lib.workdir() + "/started"), "%s: the command ran", args)


@lib.test()
def test_place():
    """One rule: the report has the standard output, unless it has a file; the command the other."""
    for opts in ([], ["--format", "json"]):
        run = tool(*opts, "--", lib.SYSTEM, "-c", CODE)
        lib.check("from the command" not in run.stdout.replace(CODE, "") and "json" in run.stdout, "%s", run.stdout)
        lib.check("from the command" in run.stderr, "the command's line is lost: %s", run.stderr)
    run = tool("--report", "r.txt", "--", lib.SYSTEM, "-c", CODE)
    lib.check_equal(run.stdout, "from the command\n", "with a file the command keeps its output")
    lib.check(os.path.getsize(lib.workdir() + "/r.txt") > 100, "no report")


@lib.test()
def test_width():
    """Nothing is shortened in a pipe; COLUMNS and --width are kept to."""
    path, name = capture()
    for view in ("modules", "tree", "blame"):
        args = ["report", path, "--view", view]
        lib.check(name in tool(*args, env={"COLUMNS": None}).stdout, "%s: shortened in a pipe", view)
        for opts, env in ((["--width", "70"], {"COLUMNS": "200"}), ([], {"COLUMNS": "70"})):
            lines = tool(*args, *opts, env=env).stdout.splitlines()
            lib.check(max(map(len, lines)) <= 70, "%s: wider than 70: %s", view, lines)


@lib.test()
def test_min():
    """--min leaves out of the tree exactly what took less."""
    path, name = capture()
    every = tool("report", path, "--view", "tree").stdout
    some = tool("report", path, "--view", "tree", "--min", "30%").stdout
    lib.check("colorsys" in every and name in every, "%s", every)
    lib.check("colorsys" not in some and name in some, "%s", some)
    lost = int(re.search(r"(\d+) imports that took less than 30% not shown", some).group(1))
    rows = r"^ +(?:\+[\d.]+ \w+|before) "
    lib.check_equal(len(re.findall(rows, every, re.M)) - len(re.findall(rows, some, re.M)), lost, "rows left out")


@lib.test()
def test_links():
    """Places are links where the terminal makes links; a hostile path cannot end one."""
    os.makedirs(lib.workdir() + "/a\x1b]8;;b c")
    lib.write("a\x1b]8;;b c/lk_mod.py", "import colorsys\n")
    lib.write("lk.py", "import sys; sys.path.insert(0, 'a\\x1b]8;;b c')\nimport lk_mod\n")
    tool("record", "-o", "lk.cap", "--", lib.SYSTEM, "lk.py")
    args = ["report", "lk.cap", "--view", "tree"]
    plain = tool(*args).stdout
    linked = tool(*args, env={"FORCE_HYPERLINK": "1"}).stdout
    links = re.findall("\x1b]8;;(.*?)\x1b\\\\(.*?)\x1b]8;;\x1b\\\\", linked)
    lib.check(links and "\x1b" not in plain, "%r", linked[:500])
    lib.check_equal(re.sub("\x1b]8;;.*?\x1b\\\\", "", linked), plain, "links apart the report is the same")
    lib.check(any(url.endswith("/a%1B%5D8%3B%3Bb%20c/lk_mod.py#1") for url, _ in links), "%r", links)
    for url, _ in links:
        lib.check(re.fullmatch(r"file:///[A-Za-z0-9%._~/-]*(#\d+)?", url), "%r", url)
    lib.check("\x1b" not in tool(*args, "--no-color", env={"FORCE_HYPERLINK": "1"}).stdout, "despite --no-color")


@lib.test()
def test_runs_on():
    """After --until-ready one line says that the program is no longer traced and goes on."""
    code = "import socket, sys; s = socket.create_server(('127.0.0.1', 0)); s.settimeout(0.5)\n" \
           "try: s.accept()\nexcept OSError: pass\nsys.exit(7)"
    run = tool("--until-ready", "--", lib.SYSTEM, "-c", code, rc=7)
    lib.check(re.search(r"%s runs on, no longer traced" % lib.SYSTEM, run.stderr), "%s", run.stderr)


if __name__ == "__main__":
    lib.main()
