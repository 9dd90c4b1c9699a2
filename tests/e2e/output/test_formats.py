#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The text views and the importtime format: readable, aligned, escaped, fit for other tools."""
import os
import re
import subprocess

import lib
from lib.exports import HOSTILE

NAMES = ["evil\x1b[31mred\x1b]0;title\x07", "evil\nimport time: 1 | 2 | fake", "evil\r\x9b2J",
         "evil\u202eabc", "evil\udc80\ud800", "evil\"quote\\", "evil|pipe", "evil\0nul"]


def text_report(*opts, argv, env=None):
    path = lib.workdir() + "/report.txt"
    done = subprocess.run([lib.TOOL, *opts, "--report", path, "--", *argv], capture_output=True,
                          env=lib.clean_env(env), cwd=lib.workdir(), stdin=subprocess.DEVNULL)
    lib.check_equal(done.returncode, 0, "status, %r" % done.stderr)
    with open(path, "rb") as file:
        return file.read().decode()


@lib.test(params={v: v for v in ("summary", "tree", "blame")})
def test_view(view):
    """The default views: no frames of importlib, the modules, their importers with line."""
    lib.write("vw_a.py", "import json\nimport vw_b\n")
    lib.write("vw_b.py", "import time\ntime.sleep(0.05)\ntry:\n    import vw_absent\n"
              "except ImportError:\n    pass\n")
    script = lib.write("vw.py", "import vw_a\nimport vw_b\n")
    text = text_report("--view", view, "--no-color", argv=[lib.system().exe, script])
    lib.check("vw_b" in text and re.search(r"vw_a\.py:2\b", text), "no vw_b from vw_a.py:2:\n%s",
              text)
    # What importlib itself imports when it starts has it as its importer; nothing else may.
    frames = [l for l in text.splitlines() if "importlib._bootstrap" in l and not re.search(
        r"\b(_io|marshal|posix|nt|winreg|_thread|_weakref|_warnings)\b", l)]
    lib.check(not frames, "importlib's own frames:\n%s", "\n".join(frames))
    lib.check("\x1b" not in text, "colour in a file")
    lib.check(text.endswith("\n"), "no newline at the end")
    if view == "summary":
        for word in ("3.%d" % lib.minor_of("system"), "vw.py", "failed"):
            lib.check(word in text, "no %r in the summary:\n%s", word, text)
    if view == "tree":
        lib.check("vw_absent" in text, "the failed import is not in the tree:\n%s", text)


@lib.test(params={v: v for v in ("summary", "tree", "blame", "importtime", "json")})
def test_hostile_names(what):
    """Names from the target never reach a terminal as they are, nor break a format."""
    script = lib.write("hostile.py", HOSTILE % (NAMES,) + "import json\n")
    argv = [lib.system().exe, script]
    if what in ("json", "importtime"):
        text = text_report("--format", what, argv=argv)
    else:
        text = text_report("--view", what, "--top", "1000", argv=argv)
    bad = [c for c in text if (ord(c) < 32 and c not in "\n\t") or 127 <= ord(c) < 160
           or c in "\u202e\u202d\u2066\u2067"]
    lib.check(not bad, "raw control characters %r in:\n%r", sorted(set(bad)), text[:3000])
    lib.check("evil" in text, "the names are not there")
    if what == "importtime":
        fake = [l for l in text.splitlines() if l.rstrip().endswith("fake") and "evil" not in l]
        lib.check(not fake, "a name made a line of its own: %r", fake)
    if what == "json":
        import json
        doc = json.loads(text)
        lib.check_invariants(doc)
        names = {i["module"] for p in doc["processes"] for i in p["imports"]}
        for name in ("evil\nimport time: 1 | 2 | fake", "evil\u202eabc", "evil\"quote\\",
                     "evil|pipe", "evil\x1b[31mred\x1b]0;title\x07"):
            lib.check(name in names, "%r is not in %r", name, [n for n in names if "evil" in n])


LINE = re.compile(r"^import time: +(\d+) \| +(\d+) \| ((?:  )*)(\S.*)$")


@lib.test(params=lib.core_interpreters)
def test_importtime_format(interp):
    """The same lines as -X importtime writes, so that its viewers work; one block per thread."""
    interp.prepare()
    path = lib.workdir() + "/importtime.txt"
    done = subprocess.run([lib.TOOL, "--format", "importtime", "--report", path, "--", *interp.argv,
                           "-X", "importtime", "-c", "import json, email.message"],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=lib.clean_env())
    lib.check_equal(done.returncode, 0, "status")
    with open(path) as file:
        ours = file.read().splitlines()
    theirs = lib.split_stderr(done.stderr)[0].decode().splitlines()
    heads = [l for l in ours if re.match(r"^import time: self \[us\] \| cumulative \| imported package", l)]
    lib.check(heads, "no head line as importtime has it: %r", ours[:3])
    odd = [l for l in ours if l.startswith("import time:") and l not in heads and not LINE.match(l)]
    lib.check(not odd, "lines no viewer reads: %r", odd[:3])

    def names(lines):
        return [m.group(4) for m in map(LINE.match, lines) if m]
    missing = set(names(theirs)) - set(names(ours))
    lib.check(not missing, "importtime has %s, we do not", missing)
    for line in filter(None, map(LINE.match, ours)):
        lib.check(int(line.group(1)) <= int(line.group(2)), "self above cumulative: %s", line.group(0))


def terminal_output(argv, columns):
    import fcntl
    import pty
    import struct
    import termios
    lead, follow = pty.openpty()
    fcntl.ioctl(follow, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    proc = subprocess.Popen(argv, stdin=follow, stdout=follow, stderr=follow,
                            env=lib.clean_env({"TERM": "xterm-256color", "COLUMNS": None,
                                               "NO_COLOR": None}), cwd=lib.workdir())
    os.close(follow)
    data = b""
    try:
        while True:
            more = os.read(lead, 65536)
            if not more:
                break
            data += more
    except OSError:
        pass
    lib.check_equal(proc.wait(timeout=lib.PATIENCE_S), 0, "status, %r" % data[-500:])
    return data.decode()


@lib.test(params={str(c): c for c in (60, 80, 120)})
def test_width(columns):
    """On a terminal the tables fit its width."""
    name = "wd_" + "very_long_module_name_" * 4
    lib.write(name + ".py", "import json\n")
    script = lib.write("wd.py", "import %s\n" % name)
    text = terminal_output([lib.TOOL, "--", lib.system().exe, script], columns)
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)
    long = [l for l in re.split(r"[\r\n]+", plain) if len(l) > columns and "pyimport-bpf" not in l
            and not l.startswith("  /")]
    lib.check(not long, "wider than %d: %r", columns, long[:3])


@lib.test()
def test_colour_only_on_a_terminal():
    argv = ["--", lib.system().exe, "-c", "import json"]
    lib.check("\x1b[" in terminal_output([lib.TOOL, *argv], 100), "no colour on a terminal")
    text = terminal_output([lib.TOOL, "--no-color", *argv], 100)
    lib.check(not re.search(r"\x1b\[[0-9;]*m", text), "colour despite --no-color")
    piped = subprocess.run([lib.TOOL, *argv], capture_output=True, env=lib.clean_env())
    lib.check(b"\x1b" not in piped.stdout + piped.stderr, "colour in a pipe")


@lib.test()
def test_no_edges():
    """--no-edges: the same loads, no cached imports."""
    argv = [lib.system().exe, "-c", "import json\nfor _ in range(5): import json"]
    _, with_edges = lib.trace(argv)
    _, without = lib.trace(argv, opts=["--no-edges"])
    lib.check_equal(without.python().names(), with_edges.python().names(), "loads")
    lib.check(not any(e["cached"] for e in without.python().edges), "cached edges")


if __name__ == "__main__":
    lib.main()
