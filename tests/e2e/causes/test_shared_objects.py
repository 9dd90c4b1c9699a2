#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Shared objects: who opened them, what they need, and where linking them spends its time."""
import os
import subprocess

from lib.figures import near
import lib


def script(text):
    return lib.write("mods/main.py", text)


CTOR = r"""
#include <stdio.h>
#include <time.h>
static const char *table[] = { "a", "b" };
__attribute__((constructor)) static void slow(void)
{
	struct timespec a, b, wait = { 0, 150000000 };

	clock_gettime(CLOCK_MONOTONIC, &a);
	nanosleep(&wait, NULL);
	clock_gettime(CLOCK_MONOTONIC, &b);
	printf("%lld %s\n", (b.tv_sec - a.tv_sec) * 1000000000LL + b.tv_nsec - a.tv_nsec, table[0]);
	fflush(stdout);
}
void *PyInit_slow(void) { return NULL; }
"""


def compile_object(name, text, *flags):
    source = lib.write("mods/%s.c" % name, text)
    out = source[:-2] + ".so"
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-Wl,-z,relro", source, "-o", out, *flags],
                   check=True)
    return out


@lib.test()
def test_slow_constructor():
    lib.needs_command("cc")
    path = compile_object("slow", CTOR, "-lm", "-Wl,--no-as-needed", "-lz")
    main = script("try:\n    import slow\nexcept SystemError:\n    pass\n")
    run, doc = lib.trace(lib.system().argv + [main])
    truth = int(run.out.split()[0])
    entry, = [l for l in doc.python()["libs"] if l["path"] == path]
    stages = entry["stages_ns"]
    near(stages["constructors"], truth, "constructors", 2000000)
    lib.check_equal(sum(stages.values()), entry["wall_ns"], "stages of the dlopen")
    lib.check("libz.so.1" in entry["needed"], "needed: %s", entry["needed"])
    lib.check_equal(entry["bytes"], os.path.getsize(path), "size")
    lib.check_equal(entry["via"], "import", "via")


@lib.test()
def test_relocations():
    """50,000 of them dominate the rest of linking."""
    lib.needs_command("cc")
    pointers = ",".join("&target[%d]" % (i % 100) for i in range(50000))
    text = "int target[100];\nint *table[] = { %s };\nvoid *PyInit_relocs(void) { return 0; }\n"
    path = compile_object("relocs", text % pointers)
    main = script("try:\n    import relocs\nexcept SystemError:\n    pass\n")
    _, doc = lib.trace(lib.system().argv + [main])
    stages = [l for l in doc.python()["libs"] if l["path"] == path][0]["stages_ns"]
    lib.check(stages["relocate"] > stages["constructors"], "stages: %s", stages)


@lib.test()
def test_ctypes_and_needed():
    """A library opened by ctypes is listed, and what an extension pulls in is its import's."""
    lib.needs_command("cc")
    path = compile_object("plainlib", "int answer(void) { return 42; }\n")
    main = script("import ctypes, sqlite3\nassert ctypes.CDLL(%r).answer() == 42\n" % path)
    _, doc = lib.trace(lib.system().argv + [main])
    process = doc.python()
    libs = {os.path.basename(l["path"]): l for l in process["libs"]}
    lib.check_equal(libs["plainlib.so"]["via"], "explicit", "ctypes.CDLL")
    lib.check_equal(libs["libc.so.6"]["via"], "start", "libc")
    sqlite = [l for name, l in libs.items() if name.startswith("libsqlite3")]
    if sqlite: # not where it is linked in
        lib.check_equal((sqlite[0]["via"], sqlite[0]["import"]),
                        ("needed", process.one("_sqlite3")["id"]), "libsqlite3")


if __name__ == "__main__":
    lib.main()
