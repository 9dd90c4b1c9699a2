#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Files: counts are strace's, bytes are /proc/PID/io's, each with the import that wanted them."""
import os
import re
import subprocess

from lib.figures import near
import lib

MIB = 1 << 20


def module(name, text):
    return lib.write("mods/%s.py" % name, text)


def script(text):
    return lib.write("mods/main.py", text)


def total(process):
    return process["causes"]["total"]["io"]


def of_path(process, ending):
    """Sums over the imports that used a file."""
    found = [f for f in process["files"] if f["path"] and f["path"].endswith(ending)]
    lib.check(found, "no file %s; there are %s", ending,
              [f["path"] for f in process["files"]][-40:])
    return {k: sum(f[k] or 0 for f in found) for k in found[0]
            if isinstance(found[0][k], int) and k != "import"}


# --- strace's counts -----------------------------------------------------------------------------

FILE_CALLS = "openat,open,newfstatat,fstat,stat,lstat,statx,access,faccessat,faccessat2,readlink," \
             "readlinkat,getdents64,read,pread64,mmap"


def strace_counts(argv):
    """What strace sees of regular files and directories."""
    log = os.path.join(lib.workdir(), "strace.txt")
    subprocess.run(["strace", "-f", "-y", "-s", "0", "-e", "trace=" + FILE_CALLS, "-o", log, *argv],
                   check=True, env=lib.clean_env(), cwd=lib.workdir(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    sums = dict.fromkeys(("opens", "open_misses", "stats", "stat_misses", "dirs_read",
                          "bytes_read", "mapped"), 0)
    with open(log, encoding="utf-8", errors="replace") as file:
        for line in file:
            match = re.match(r"\d+ +(\w+)\((.*)\) += (-?\w+)", line)
            if match:
                count_call(sums, *match.groups())
    return sums


def count_call(sums, call, args, result):
    failed = result == "-1"
    on_fd = re.match(r"\d+<([^>]*)>", args)
    is_file = bool(on_fd) and on_fd[1].startswith("/") and "/dev/" not in on_fd[1]
    if call in ("open", "openat"):
        sums["opens"] += 1
        sums["open_misses"] += failed
    elif call == "fstat" or (on_fd and '""' in args and "AT_EMPTY_PATH" in args):
        sums["stats"] += is_file and not failed
    elif call.startswith("readlink"):
        sums["stats"] += 1
    elif call in ("stat", "lstat", "statx", "newfstatat") or call.startswith(("access", "faccess")):
        sums["stats"] += 1
        sums["stat_misses"] += failed
    elif call == "getdents64":
        sums["dirs_read"] += result == "0"
    elif call in ("read", "pread64"):
        sums["bytes_read"] += int(result, 0) if is_file and not failed else 0
    elif call == "mmap" and "MAP_ANONYMOUS" not in args and not failed:
        sums["mapped"] += int(args.split(",")[1], 0)


@lib.test({"json": "import json", "wide": "import asyncio, sqlite3, xml.dom.minidom, unittest"})
def test_counts_as_strace(code):
    lib.needs_command("strace")
    interp = lib.system()
    argv = interp.argv + ["-c", code]
    lib.run(argv)
    truth = strace_counts(argv)
    _, doc = lib.trace(argv)
    doc.check_complete()
    got = total(doc.python())
    lib.check_equal({k: got[k] for k in truth}, truth, "sums over the process")


@lib.test()
def test_sums_agree():
    """What imports and the rest did adds up to the process, by import and by file."""
    _, doc = lib.trace(lib.system().argv + ["-c", "import json, sqlite3"])
    process = doc.python()
    for key in ("opens", "open_misses", "stats", "dirs_read", "bytes_read", "mapped"):
        inside = sum(i["self_io"][key] for i in process.imports)
        outside = sum(process["causes"][k]["io"][key] for k in ("outside", "other_threads"))
        lib.check_equal(inside + outside, total(process)[key], key)
        if key in process["files"][0]:
            lib.check_equal(sum(f[key] for f in process["files"]), total(process)[key],
                            key + " by file")
    for load in process.imports:
        below = sum(c["io"]["opens"] for c in process.children(load) if c["tid"] == load["tid"])
        lib.check_equal(load["self_io"]["opens"] + below, load["io"]["opens"], load["module"])


# --- disk ----------------------------------------------------------------------------------------

READ = """
import os
def read_bytes():
    with open("/proc/self/io") as file:
        return int([l for l in file if l.startswith("read_bytes")][0].split()[1])
before = read_bytes()
%s
print("%s", read_bytes() - before)
"""
READ_ALL = """
with open("%s", "rb", buffering=0) as file:
    while file.read(1 << 20):
        pass"""
MAP_ALL = """
import mmap
with open("%s", "rb", buffering=0) as file:
    view = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
sum(view[i] for i in range(0, len(view), 4096))"""


def make_file(name, size):
    path = os.path.join(lib.workdir(), name)
    with open(path, "wb") as file:
        for _ in range(size // MIB):
            file.write(os.urandom(MIB))
        file.flush()
        os.fsync(file.fileno())
    return path


def evict(path):
    """This file's pages alone."""
    fd = os.open(path, os.O_RDONLY)
    os.fsync(fd)
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(fd)


@lib.test({"read": READ_ALL, "mapped": MAP_ALL})
def test_disk_cold_and_warm(how):
    path = make_file("big.bin", 64 * MIB)
    module("wants_file", READ % (how % path, "truth"))
    main = script("import wants_file\n")
    argv = lib.system().argv + ["-B", main]
    lib.run(argv)
    evict(path)
    run, cold = lib.trace(argv)
    truth = int(run.out.split()[1])
    if truth < 60 * MIB:
        raise lib.Skip("this file system's pages cannot be evicted, or have no disk behind them")
    process = cold.python()
    load = process.one("wants_file")
    near(load["io"]["bytes_from_disk"], truth, "from disk, by import")
    near(of_path(process, "big.bin")["bytes_from_disk"], 64 * MIB, "from disk, by file")
    lib.check(process["cache"] in ("cold", "mixed"), "cache is %s", process["cache"])
    run, warm = lib.trace(argv)
    process = warm.python()
    # A page of something else may come from disk at any time.
    truth = int(run.out.split()[1])
    lib.check(truth < MIB, "the warm run's own read_bytes: %d", truth)
    near(process.one("wants_file")["io"]["bytes_from_disk"], truth, "from disk when warm", 65536)
    lib.check_equal(process["cache"], "warm", "cache")
    used = of_path(process, "big.bin")
    lib.check_equal(used["bytes_from_disk"], 0, "from disk when warm, by file")
    key = "bytes_read" if how is READ_ALL else "mapped"
    lib.check_equal(used[key], 64 * MIB, key)


# --- the search ----------------------------------------------------------------------------------

@lib.test()
def test_long_sys_path():
    """Ten modules in the last of 40 directories: the 39 before it are searched in vain."""
    dirs = [os.path.join(lib.workdir(), "p%02d" % i) for i in range(40)]
    for directory in dirs:
        os.makedirs(directory)
        lib.write(directory + "/unrelated.txt", "")
    for i in range(10):
        lib.write("%s/wanted%d.py" % (dirs[-1], i), "")
    main = script("import sys\nsys.path[:0] = %r\n%s" % (
        dirs, "".join("import wanted%d\n" % i for i in range(10))))
    _, doc = lib.trace(lib.system().argv + [main])
    doc.check_complete()
    by_path = {d["path"]: d for d in doc.python()["search_path"]}
    order = [d["path"] for d in doc.python()["search_path"] if d["path"] in dirs]
    lib.check_equal(order, dirs, "order of the directories")
    for directory in dirs[:-1]:
        entry = by_path[directory]
        lib.check_equal((entry["searches"], entry["found"], entry["misses"], entry["listed"]),
                        (10, 0, 10, 1), directory)
        lib.check(entry["ns"] > 0, "%s took no time", directory)
    last = by_path[dirs[-1]]
    lib.check_equal((last["searches"], last["found"]), (10, 10), "the last directory")


@lib.test()
def test_missing_pyc():
    module("uncompiled", "VALUE = 1\n")
    main = script("import uncompiled\n")
    _, doc = lib.trace(lib.system().argv + [main])
    process = doc.python()
    load = process.one("uncompiled")
    lib.check_equal(load["kind"], "source", "kind")
    pyc = [f for f in process["files"] if f["import"] == load["id"]
           and "__pycache__/uncompiled." in (f["path"] or "")]
    lib.check_equal([(f["opens"], f["misses"]) for f in pyc], [(1, 1)], "the .pyc")
    lib.check_equal(of_path(process, "/uncompiled.py")["bytes_read"], len("VALUE = 1\n"), "source")


# --- bad input -----------------------------------------------------------------------------------

HOSTILE = r"""
import os
d = os.path.dirname(__file__) + "/hostile"
os.makedirs(d, exist_ok=True)
for name in ("line\nbreak", "\x1b[31mred", "caf\u00e9"):
    with open(d + "/" + name, "w") as f:
        f.write("x" * 7)
with open(d.encode() + b"/bad\xff", "wb") as f:
    f.write(b"x" * 7)
try:
    open(d + "/" + "n" * 255 + "/" + "m" * 3000)
except OSError:
    pass
try:
    open("/" + "o" * 5000)
except OSError:
    pass
f = open(d + "/gone", "wb+", buffering=0)
os.unlink(d + "/gone")
f.write(b"y" * 1000)
f.seek(0)
assert len(f.read(1000)) == 1000
fd = os.open(d, os.O_RDONLY)
os.close(os.open("below", os.O_CREAT | os.O_WRONLY, dir_fd=fd))
try:
    os.open("nothing", os.O_RDONLY, dir_fd=fd)
except OSError:
    pass
"""


@lib.test()
def test_hostile_paths():
    module("hostile", HOSTILE)
    main = script("import hostile\n")
    _, doc = lib.trace(lib.system().argv + ["-B", main])
    doc.check_complete()
    process = doc.python()
    paths = {f["path"] for f in process["files"]}
    top = os.path.join(lib.workdir(), "mods", "hostile")
    for name in ("line\nbreak", "\x1b[31mred", "caf\u00e9", "bad\ufffd", "gone", "below"):
        lib.check(top + "/" + name in paths, "no %r among %s", name,
                  sorted(p for p in paths if p and "hostile" in p))
    lib.check("nothing" in paths, "a miss below a directory's descriptor is lost")
    lib.check_equal(of_path(process, "/gone")["bytes_read"], 1000, "read of an unlinked file")
    lib.check_equal(of_path(process, "/gone")["bytes_written"], 1000, "written to it")
    lib.check(top + "/" + "n" * 255 + "/" + "m" * 3000 in paths, "the long path is cut")
    view = subprocess.run([lib.TOOL, "--view", "net", "--", *lib.system().argv, "-B", main],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=True,
                          env=lib.tool_env(), cwd=lib.workdir(), timeout=lib.PATIENCE_S)
    lib.check(b"\x1b[31m" not in view.stdout, "an escape sequence reached the terminal")
    lib.check(b"\\x1b[31mred" in view.stdout, "written files are not listed:\n%s",
              view.stdout.decode(errors="replace")[-1500:])


MANY = """
import os
for i in range(100000):
    try:
        os.stat("/nonexistent/%06d" % i)
    except OSError:
        pass
"""


@lib.test(timeout_s=200)
def test_100000_files():
    """They are all counted, and nobody else loses a record for them."""
    module("many", MANY)
    main = script("import json\nimport many\nimport sqlite3\n")
    _, doc = lib.trace(lib.system().argv + [main])
    doc.check_complete()
    process = doc.python()
    load = process.one("many")
    lib.check(100000 <= load["self_io"]["stat_misses"] <= 100010, "%s", load["self_io"])
    rest = [f for f in process["files"] if f["what"] == "others"]
    lib.check(rest and sum(f["misses"] for f in rest) > 30000, "not cut: %s", rest)
    lib.check(process.one("sqlite3")["self_io"]["opens"] >= 1, "what came after is not counted")
    opened = [f["path"] for f in process["files"] if f["import"] == process.one("sqlite3")["id"]]
    lib.check(any("/sqlite3/" in (p or "") for p in opened), "its files have no names: %s", opened)


@lib.test()
def test_off():
    """--no-files: unknown, not zero."""
    _, doc = lib.trace(lib.system().argv + ["-c", "import json"], opts=["--no-files"])
    process = doc.python()
    for key in ("files", "search_path", "cache"):
        lib.check(process[key] is None, "%s is %r", key, process[key])
    lib.check(process.one("json")["io"] is None, "io of an import is not null")


@lib.test()
def test_threads_and_children():
    """Files of a child are the child's; a thread's are charged to its own imports."""
    text = """
import subprocess, sys, threading
threading.Thread(target=lambda: __import__("sqlite3")).start()
subprocess.run([sys.executable, "-c", "import csv"], check=True)
"""
    _, doc = lib.trace(lib.system().argv + ["-c", text])
    doc.check_complete()
    parent, child = doc.having("subprocess")[0], doc.having("csv")[0]
    lib.check(not any("csv" in (f["path"] or "") for f in parent["files"]), "the child's files")
    lib.check(of_path(child, "/csv.py")["stats"] >= 1, "csv.py was not looked at by the child")
    load = parent.one("sqlite3")
    lib.check(load["tid"] != parent.pid and load["self_io"]["opens"] >= 1, "the thread's import")


if __name__ == "__main__":
    lib.main()
