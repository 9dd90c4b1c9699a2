#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""record --rotate: files that can each be read by themselves, and together say what happened once."""
import collections
import glob
import json
import os
import re
import signal
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
import lib  # noqa: E402

# Every 30 ms a module with one inside it; one that takes longer than a file lives, with a child
# forked in the middle. What was imported is printed as it ends.
SERVICE = """
import os, sys, time
sys.path.insert(0, {root!r})
for i in range({count}):
    exec("import rot_%03d" % i)
    print("rot_%03d" % i, "rot_in_%03d" % i, sep="\\n", flush=True)
    time.sleep(0.03)
"""
SLOW = """
import os, time
import rot_in_{i:03}
pid = os.fork()
time.sleep(0.5)
if not pid:
    import rot_child
    print("rot_child", flush=True)
    os._exit(0)
os.waitpid(pid, 0)
import rot_late
print("rot_late", flush=True)
"""


def service(count, slow=None):
    root = os.path.join(lib.workdir(), "mods")
    for i in range(count):
        lib.write("mods/rot_in_%03d.py" % i, "x = 1\n")
        lib.write("mods/rot_%03d.py" % i, SLOW.format(i=i) if i == slow else
                  "import rot_in_%03d\n" % i)
    lib.write("mods/rot_child.py", "x = 1\n")
    lib.write("mods/rot_late.py", "x = 1\n")
    return lib.write("service.py", SERVICE.format(root=root, count=count))


def files(name="x"):
    """By number."""
    found = {int(re.search(r"\.(\d+)\.cap$", path).group(1)): path
             for path in glob.glob(os.path.join(lib.workdir(), name + ".*.cap"))}
    return [found[nr] for nr in sorted(found)]


def read(path, rc=0):
    """The document of one file."""
    done = subprocess.run([lib.TOOL, "report", path, "--format", "json"], capture_output=True,
                          env=lib.clean_env(), timeout=lib.PATIENCE_S)
    lib.check(done.returncode in ((rc,) if rc is not None else (0, 1)), "%s", "status of report %s: %r" % (path, done.stderr[-300:]))
    lib.check_equal(os.stat(path).st_mode & 0o777, 0o600, "mode of %s" % path)
    return json.loads(done.stdout)


def check_readers(path, module):
    """Every reader takes it by itself."""
    for words, text in ((["report", path], "Its begin is in an earlier file"),
                        (["report", path, "--view", "tree"], module), (["why", module, path], module),
                        (["diff", path, path], "are taken for noise"),
                        (["report", path, "--view", "inventory"], "Its begin is in an earlier file")):
        done = subprocess.run([lib.TOOL, *words], capture_output=True, env=lib.clean_env(), text=True,
                              timeout=lib.PATIENCE_S)
        lib.check(done.returncode == 0 and text in done.stdout, "%r: %d, %s%s", words, done.returncode,
                  done.stdout[-1500:], done.stderr[-300:])


def ended(doc):
    return [i for p in doc["processes"] for i in p["imports"]
            if i["result"] == "loaded" and not i["inherited"] and i["module"]]


def check_sound(doc):
    """What was told in earlier files has its names here."""
    for process in doc["processes"]:
        lib.check(process["cmdline"] and process["exe"] and process["python"],
                  "process without %r", {k: process[k] for k in ("cmdline", "exe", "python")})
        for load in process["imports"]:
            name = load["module"] or ""
            if not name.startswith("rot_") or load["result"] != "loaded" or load["inherited"]:
                continue
            lib.check(load["importer"]["line"] and load["file"].endswith("/%s.py" % name),
                      "%s: importer %r, file %r", name, load["importer"], load["file"])
            lib.check_equal(load["self_ns"] is None, load.get("begun_earlier", False),
                            "self time of %s is unknown" % name)


@lib.test()
def test_files(count=45):
    """Each load once, whole in the file where it ended; statements count what ran in the time of a file."""
    script = service(count, slow=20)
    done = subprocess.run([lib.TOOL, "record", "-o", os.path.join(lib.workdir(), "x.cap"), "--rotate",
                           "200ms", "--", lib.SYSTEM, script], capture_output=True, text=True,
                          env=lib.clean_env(), timeout=lib.PATIENCE_S)
    lib.check_equal(done.returncode, 0, "status: %s" % done.stderr[-500:])
    paths = files()
    lib.check(len(paths) > 4, "%d files", len(paths))
    lib.check("to %d files, the last is %s" % (len(paths), paths[-1]) in done.stderr,
              "not told: %r", done.stderr)
    docs = [read(path) for path in paths]
    lib.check_equal([d["trace"]["file"] for d in docs], list(range(1, len(docs) + 1)), "numbers")
    loads, runs = collections.Counter(), collections.Counter()
    for doc, before in zip(docs, [None, *docs]):
        lib.check(doc["complete"], "incomplete: %r", lib.losses(doc))
        check_sound(doc)
        loads.update(i["module"] for i in ended(doc) if i["module"].startswith("rot_"))
        runs.update({e["module"]: e["count"] for p in doc["processes"] for e in p["edges"]
                     if e["module"].startswith("rot_0")})
        if before:
            lib.check_equal(doc["trace"]["start_ns"], before["trace"]["end_ns"], "no gap")
    lib.check_equal(loads, collections.Counter(done.stdout.split()), "loads over all files")
    lib.check_equal(runs, collections.Counter("rot_%03d" % i for i in range(count)),
                    "runs of statements over all files")
    path, module = next((path, i["module"]) for path, doc in zip(paths[1:], docs[1:]) for i in ended(doc)
                        if i["module"].startswith("rot_"))
    check_readers(path, module)
    slow = [i for doc in docs for i in ended(doc) if i["module"] == "rot_020"]
    lib.check(slow[0]["begun_earlier"] and slow[0]["wall_ns"] >= 5e8 and slow[0]["wait_ns"] is None,
              "the one over several files: %r", slow)


@lib.test()
def test_killed(keep=3, nobody=65534):
    """Of what SIGKILL leaves every file is read. --keep removes what it made itself and nothing else,
    also where only the owner of the directory may."""
    root = lib.workdir()
    script = service(400)
    foreign = ("d/x.2.cap", "d/x.cap", "d/x.9.txt", "d/xx.7.cap")
    for name in foreign:
        lib.write(name, "not ours")
    os.chown(os.path.join(root, "d"), nobody, nobody)
    with lib.Target([lib.SYSTEM, script]) as target:
        target.expect("rot_000")
        with lib.Tracer("record", "-o", os.path.join(root, "d/x.cap"), "--rotate", "150ms",
                        "--keep", keep, "-p", target.pid, fmt=None) as tracer:
            newest = ""
            while not newest or int(newest.split(".")[-2]) < 9:
                lib.check(tracer.proc.poll() is None, "the tracer ended")
                newest = (files("d/x") or [""])[-1]  # closely, to see it as soon as it has its name
            lib.check(os.path.getsize(newest), "a name for an empty file")
            tracer.proc.send_signal(signal.SIGKILL)
            tracer.proc.wait()
    for name in foreign:
        with open(os.path.join(root, name), encoding="ascii") as file:
            lib.check_equal(file.read(), "not ours", name)
    paths = files("d/x")
    lib.check_equal(paths[0], os.path.join(root, "d/x.2.cap"), "the first that is there")
    lib.check(len(paths) - 1 in (keep, keep + 1), "kept: %r", paths) # killed before it was removed
    seen = []
    for path in paths[1:-1]:
        doc = read(path)
        check_sound(doc)
        seen += [i["module"] for i in ended(doc) if re.match(r"rot_\d", i["module"])]
    seen += [i["module"] for i in ended(read(paths[-1], rc=None)) if re.match(r"rot_\d", i["module"])]
    first = int(seen[0][4:])
    lib.check_equal(seen, ["rot_%03d" % i for i in range(first, first + len(seen))],
                    "one after the other, each once")


@lib.test()
def test_refused():
    """What cannot be rotated is said before anything is traced."""
    for words, why in ((["-o", "-", "--rotate", "1MB"], "standard output"),
                       (["-o", "/dev/null", "--rotate", "1MB"], "no regular file"),
                       (["-o", "x.cap", "--rotate", "9b"], "a size like 100MB"),
                       (["-o", "x.cap", "--rotate", "7"], "a size like 100MB"),
                       (["-o", "x.cap", "--keep", "7"], "--keep is for --rotate")):
        done = subprocess.run([lib.TOOL, "record", *words, "--", "/bin/true"], capture_output=True,
                              text=True, env=lib.clean_env(), cwd=lib.workdir(), timeout=lib.PATIENCE_S)
        lib.check(done.returncode and why in done.stderr, "%r: %d, %r", words, done.returncode, done.stderr)
    lib.check(not files(), "files: %r", files())


if __name__ == "__main__":
    lib.main()
