#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Large files: the same content read from two paths, and the biggest files of a start-up."""
import os
import subprocess

import lib

MB = 1_000_000
READ = """
import mmap, os, sys
def read(path):
    with open(path, "rb") as file:
        while file.read(1 << 20):
            pass
def touch(path):
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as data:
        data[0], data[-1]
"""


def make(name, size, last=b"x"):
    """Bytes that differ along the file, and at its very end by `last`."""
    path = os.path.join(lib.workdir(), name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        step = b"".join(n.to_bytes(4, "little") for n in range(250_000))
        file.write((step * (size // len(step) + 1))[:size - 1] + last)
    return path


def trace(body, opts=()):
    lib.write("reads.py", READ)
    done, doc = lib.trace([*lib.system().argv, lib.write("main.py", "from reads import *\n" + body)],
                          opts=opts)
    lib.check_equal(done.rc, 0, "status; stderr:\n%s\n" % done.err.decode())
    return doc.python()


@lib.test()
def test_model_kept_twice():
    """Read and mapped, three times the same; one differs in its last byte only, one is a hard link,
    one has another size, one is too small, one was not read: none of these is told."""
    same = [make("cache%d/model.bin" % n, 3 * MB) for n in range(3)]
    other = make("other.bin", 3 * MB, b"y")
    link = os.path.join(lib.workdir(), "link.bin")
    os.link(same[0], link)
    longer = make("longer.bin", 3 * MB + 1)
    small = [make("small%d.bin" % n, MB // 2) for n in range(2)]
    make("unread.bin", 3 * MB)
    reads = "".join("read(%r)\n" % p for p in [same[0], other, link, longer, *small])
    reads += "".join("touch(%r)\n" % p for p in same[1:])
    capture = lib.workdir() + "/a.cap"
    process = trace(reads, opts=["-o", capture])
    ours = [s for s in process["same_content"] if any(p.startswith(lib.workdir()) for p in s["paths"])]
    lib.check_equal(len(ours), 1, "groups of one content: %s" % ours)
    paths = set(ours[0]["paths"])
    lib.check(paths in ({*same}, {link, *same[1:]}), "paths: %s", paths)
    lib.check_equal((ours[0]["size"], ours[0]["bytes_compared"]), (3 * MB, 3 * MB), "sizes")
    found = [f for f in process["findings"] if f["rule"] == "duplicate-content"
             and set(f["evidence"]["paths"]) == paths]
    lib.check_equal([(f["confidence"], f["evidence"]["size"]) for f in found], [("high", 3 * MB)],
                    "finding")
    for view in ("files", "advice"):
        text = subprocess.run([lib.TOOL, "report", "--view", view, capture], check=True,
                              stdout=subprocess.PIPE, encoding="utf-8").stdout
        lib.check("the same 3.00 MB are read from 3 files" in " ".join(text.split()), "%s:\n%s", view,
                  text)


@lib.test()
def test_biggest_first():
    """What start-up used, largest first; what came later is not listed there."""
    sizes = {"b.bin": 9 * MB, "a.bin": 5 * MB}
    paths = {name: make(name, size) for name, size in sizes.items()}
    late = make("late.bin", 12 * MB)
    lib.write("loads.py", "from reads import *\n" + "".join("read(%r)\n" % p for p in paths.values()))
    lib.write("reads.py", READ)
    script = lib.write("main.py", "import loads\ndef work():\n    loads.read(%r)\nwork()\n" % late)
    done = subprocess.run([lib.TOOL, "--view", "files", "--top", "3", "--report",
                           lib.workdir() + "/out", "--", *lib.system().argv, script],
                          env=lib.tool_env(), cwd=lib.workdir(), stderr=subprocess.PIPE, check=False)
    lib.check_equal(done.returncode, 0, done.stderr.decode())
    with open(lib.workdir() + "/out", encoding="utf-8") as file:
        text = file.read()
    table = text[text.index("Largest files used by start-up"):].splitlines()[2:5]
    lib.check("late.bin" not in "".join(table), "late:\n%s", text)
    lib.check("b.bin" in table[0] and "9.00 MB" in table[0], "first: %s", table)
    lib.check("loads" in table[0], "which import: %s", table)
    big = [line for line in table if "a.bin" in line]
    lib.check(big and "5.00 MB" in big[0], "second or third: %s", table)


if __name__ == "__main__":
    lib.main()
