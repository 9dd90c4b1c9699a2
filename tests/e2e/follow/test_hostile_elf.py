#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Programs whose ELF file is cut, damaged, enormous or made to mislead: looked at without harm,
and without harm to what is traced beside them."""
import os
import random
import shutil
import struct
import subprocess

import lib

CODE = "import json, sys; sys.stdout.write('fine')"
ORIGINAL = os.path.realpath(lib.SYSTEM)
HOME = {"PYTHONHOME": "/usr"}
PT_LOAD, PT_DYNAMIC = 1, 2


def original():
    with open(ORIGINAL, "rb") as file:
        return bytearray(file.read())


def write(name, data, size=None):
    path = lib.workdir() + "/" + name
    with open(path, "wb") as file:
        file.write(data)
        if size:
            file.truncate(size)
    os.chmod(path, 0o755)
    return path


def headers(data):
    """Offset and type of each program header."""
    start, size, count = (*struct.unpack_from("<Q", data, 32), *struct.unpack_from("<HH", data, 54))
    return [(start + n * size, struct.unpack_from("<I", data, start + n * size)[0])
            for n in range(count)]


def look(path, seconds=20):
    """--dry-run parses the whole file and attaches nothing."""
    done = subprocess.run([lib.TOOL, "--dry-run", "--", path], capture_output=True,
                          env=lib.clean_env(), timeout=seconds, stdin=subprocess.DEVNULL)
    lib.check(done.returncode in (0, 3, 126, 127), "%s: status %d, stderr %r", path,
              done.returncode, done.stderr[-1000:])
    return done


@lib.test()
def test_truncated():
    """Cut anywhere: inside the header, the segments, the symbols."""
    data = original()
    for size in [1, 4, 16, 63, 64, 65, 120, 4095, 4096, 70000, len(data) // 3, len(data) - 1]:
        look(write("cut%d" % size, data[:size]))


@lib.test(params={"headers": 0, "anywhere": 1}, timeout_s=300)
def test_flipped(where):
    """Bits turned over at random; the seed is printed, so that a failure can be had again."""
    seed = random.randrange(1 << 32)
    print("seed %d" % seed)
    rng = random.Random(seed)
    pristine = original()
    for n in range(40):
        data = bytearray(pristine)
        end = len(data) if where else 64 + 13 * 56
        for _ in range(400 if where else 6):
            data[rng.randrange(16, end)] ^= 1 << rng.randrange(8)
        look(write("flip", data))


def with_load(data, field, value):
    """All PT_LOAD headers with one 64-bit field changed."""
    data = bytearray(data)
    for off, kind in headers(data):
        if kind == PT_LOAD:
            struct.pack_into("<Q", data, off + field, value)
    return data


@lib.test()
def test_lies():
    """Sizes and offsets that overflow or lead nowhere."""
    data = original()
    for field in (8, 16, 32, 40):
        for value in (0xffffffffffffffff, 0x7fffffffffffffff, 1 << 40, 1 << 32):
            look(write("lie", with_load(data, field, value)))
    for field, value in ((32, 1 << 63), (40, (1 << 64) - 1), (54, 0xffff), (56, 0xffff),
                         (60, 0xffff)):
        lied = bytearray(data)
        struct.pack_into("<H" if field >= 54 else "<Q", lied, field, value & 0xffff
                         if field >= 54 else value)
        look(write("lie", lied))


@lib.test()
def test_enormous():
    """4 GB, nearly all of it a hole: behind a good interpreter, and claimed by its segments."""
    data = original()
    size = 4 << 30
    good = write("tail", data, size)
    done = look(good)
    lib.check_equal(done.returncode, 0, "status of a good one with a long tail")
    lib.check(b"cpython" in done.stdout, "it was not found: %r", done.stdout)
    claimed = with_load(with_load(data, 32, size - (1 << 24)), 40, size)
    look(write("claimed", claimed, size))
    look(write("hole", b"", size))
    look(write("head", data[:4096], size))
    run, doc = lib.trace([good, "-c", CODE], env=HOME)
    lib.check_equal((run.rc, run.out), (0, b"fine"), "result")
    doc.check_complete()
    doc.python().one("encodings")


def run_hostile(path):
    """What it does is its own business; only that it ends is ours."""
    try:
        subprocess.run([path, "-c", "pass"], capture_output=True, env=lib.clean_env(HOME),
                       timeout=lib.PATIENCE_S, stdin=subprocess.DEVNULL)
    except OSError:
        pass


@lib.test(exclusive=True)
def test_beside_good_ones():
    """Under -a: hostile programs start, and nothing of the good one between them is lost."""
    data = original()
    copy = lib.workdir() + "/good"
    shutil.copy(ORIGINAL, copy)
    hostile = [write("a", data[:70000]), write("b", with_load(data, 32, 1 << 40)),
               write("c", b"\x7fELF" + os.urandom(4096)), write("d", b""),
               write("e", data[:4096], 4 << 30)]
    with lib.Tracer("-a") as tracer:
        for path in hostile:
            run_hostile(path)
        done = lib.run([copy, "-c", CODE], env=HOME)
        for path in hostile:
            run_hostile(path)
        tracer.stop()
    lib.check_equal((done.rc, done.out, tracer.rc), (0, b"fine", 0), "results")
    process, = [p for p in tracer.trace().having("json") if p["exe"] == copy]
    process.one("encodings")


def without_hash(name):
    """A library of 64 MB of symbols, all of them a hole, and no table to look one up in."""
    size, page = 64 << 20, 4096
    ehdr = b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack(
        "<HHIQQQIHHHHHH", 3, original()[18], 1, 0, 64, 192, 0, 64, 56, 1, 64, 3, 0)
    load = struct.pack("<IIQQQQQQ", PT_LOAD, 5, 0, 0, 0, 1 << 20, 1 << 20, page)
    section = struct.Struct("<IIQQQQIIQQ")
    sections = section.pack(*[0] * 10) + section.pack(0, 11, 0, 0, page, size, 2, 1, 8, 24) + \
        section.pack(0, 3, 0, 0, 0, 1, 0, 0, 1, 0)
    return write(name, (ehdr + load).ljust(192, b"\0") + sections, page + size)


@lib.test(exclusive=True)
def test_not_examined():
    """Twelve libraries that take more to examine than one file may take: each is named, and counted
    as what it is. A Python that starts beside them has all its imports."""
    paths = [without_hash("large%d.so" % n) for n in range(12)]
    code = "import mmap, sys\nkeep = []\nfor path in sys.argv[1:]:\n" \
           "    with open(path, 'rb') as file:\n" \
           "        keep.append(mmap.mmap(file.fileno(), 1 << 20, flags=mmap.MAP_PRIVATE,\n" \
           "                              prot=mmap.PROT_READ | mmap.PROT_EXEC))\n" \
           "sys.stdin.read()\n"
    copy = lib.workdir() + "/copy"
    shutil.copy(ORIGINAL, copy)
    with lib.Tracer("-vv", "-a") as tracer:
        with lib.Target([lib.SYSTEM, "-c", code, *paths]) as target:
            done = lib.run([copy, "-c", CODE], env=HOME)
            lib.check_equal((done.rc, done.out), (0, b"fine"), "result of the one beside")
            for path in paths: # one after the other, at the priority of others
                tracer.wait_for(path + ": not examined")
            target.finish()
        tracer.stop()
    lib.check_equal(tracer.rc, 0, "status of the tool")
    doc = tracer.trace()
    lib.check_equal(doc["loss"]["unexamined"], 12, "files not examined")
    lib.check_equal(sorted(doc["unexamined"]), sorted(paths), "which")
    lib.check_equal(doc["complete"], False, "complete")
    process, = [p for p in doc.having("json") if p["exe"] == copy]
    process.one("encodings")


@lib.test()
def test_library_is_a_fifo():
    """A program needs a libpython that is a link to a FIFO: nobody opens it. Who waits for a reader
    to come still waits afterwards."""
    lib.needs_command("cc")
    base = lib.workdir()
    name, fifo = base + "/libpython3.99.so.1.0", base + "/fifo"
    lib.write("empty.c", "int nothing(void) { return 0; }\n")
    lib.write("main.c", "int nothing(void);\nint main(void) { return nothing(); }\n")
    for argv in (["-shared", "-fPIC", "-Wl,-soname," + os.path.basename(name), "-o", name,
                  base + "/empty.c"],
                 ["-o", base + "/program", base + "/main.c", name, "-Wl,-rpath," + base]):
        lib.check_equal(subprocess.run(["cc", *argv], check=False).returncode, 0, "cc")
    found = look(base + "/program")
    os.unlink(name)
    os.mkfifo(fifo)
    os.symlink(fifo, name)
    with subprocess.Popen(["sh", "-c", "echo opening; exec > %s; echo opened >&2" % fifo],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as writer:
        lib.check_equal(writer.stdout.readline(), b"opening\n", "the writer")
        done = look(base + "/program")
        lib.check_equal(writer.poll(), None, "status of the writer, still waiting")
        writer.kill()
        lib.check_equal(writer.stderr.read(), b"", "what the writer says")
    lib.check_equal(done.returncode, found.returncode, "status, with a FIFO and with a library")


@lib.test()
def test_vanishing_processes():
    """-a while hundreds of processes come and go: /proc disappears between any two reads."""
    loop = "import os\nfor _ in range(300):\n    pid = os.posix_spawn('/bin/true', ['true'], {})\n" \
           "    os.waitpid(pid, 0)\n"
    with lib.Target([lib.SYSTEM, "-c", loop]) as target:
        with lib.Tracer("-a") as tracer:
            lib.check_equal(target.finish().rc, 0, "status of the target")
            tracer.stop()
    lib.check_equal(tracer.rc, 0, "status of the tool")


if __name__ == "__main__":
    lib.main()
