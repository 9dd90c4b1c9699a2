#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Programs that see other files than we do: in a chroot, in a mount namespace of their own, on
overlayfs, where one layer serves many containers and a file may be copied up."""
import os
import shutil
import subprocess

import lib
from lib.holds import check_seen_or_told

HOME = {"PYTHONHOME": "/usr"}
CODE = "import colorsys # %s"
# Says what it is, imports what it reads.
OBEDIENT = "import sys\nprint('up', flush=True)\nfor line in sys.stdin:\n" \
           "    __import__(line.strip())\n    print('done', flush=True)"


def fresh_copy(path):
    shutil.copy(os.path.realpath(lib.SYSTEM), path)
    return path


def mount(*args):
    lib.private_mounts()
    done = subprocess.run(["mount", *args], capture_output=True, text=True)
    if done.returncode:
        raise lib.Skip("mount %s: %s" % (" ".join(args), done.stderr.strip()))


class Overlays:
    """Containers' file systems that share one layer, in which an interpreter lies."""

    def __init__(self, cnt):
        base = lib.workdir()
        self.lower, self.merged, self.upper = base + "/lower", [], []
        os.mkdir(self.lower)
        fresh_copy(self.lower + "/interp")
        for n in range(cnt):
            upper, work, merged = (base + "/%s%d" % (what, n) for what in
                                   ("upper", "work", "merged"))
            for path in (upper, work, merged):
                os.mkdir(path)
            mount("-t", "overlay", "overlay", "-o", "lowerdir=%s,upperdir=%s,workdir=%s" %
                  (self.lower, upper, work), merged)
            self.merged.append(merged + "/interp")
            self.upper.append(upper + "/interp")

    def copy_up(self, n):
        """As chmod or touch in a container would. The inode is another one, its number is not."""
        before = os.stat(self.merged[n]).st_ino
        os.utime(self.merged[n])
        lib.check(os.path.exists(self.upper[n]), "not copied up")
        lib.check_equal(os.stat(self.merged[n]).st_ino, before, "number of the copy")


def run_marked(argv, mark):
    done = subprocess.run([*argv, "-c", CODE % mark], capture_output=True, env=lib.clean_env(HOME),
                          timeout=lib.PATIENCE_S)
    lib.check_equal((done.returncode, done.stderr), (0, b""), mark)


def marked(doc, mark):
    found = [p for p in doc.processes if (p["cmdline"] or [])[-1:] == [CODE % mark]
             and p.imports]
    lib.check(len(found) == 1, "%d processes of %s", len(found), mark)
    return found[0]


def check_nothing_lost(doc):
    """With -a others' programs are looked at, too: of those some may not let themselves be probed."""
    lost = {k: v for k, v in lib.losses(doc).items() if k != "unprobed"}
    lib.check(not lost, "lost: %s", lost)


def check_whole(process):
    """From the first import on, and nothing twice."""
    process.one("encodings")
    process.one("colorsys")


@lib.test(exclusive=True)
def test_shared_layer():
    """Whatever the path to a layer's file, it is probed once: every import is counted once."""
    overlays = Overlays(2)
    places = {"lower": overlays.lower + "/interp", "one": overlays.merged[0],
              "other": overlays.merged[1]}
    with lib.Tracer("-a") as tracer:
        for mark, path in places.items():
            run_marked([path], mark)
        tracer.stop()
    doc = tracer.trace()
    counts = set()
    for mark in places:
        process = marked(doc, mark)
        check_whole(process)
        counts.add(len(process.imports))
    lib.check_equal(len(counts), 1, "different numbers of imports: %s" % counts)
    check_nothing_lost(doc)


@lib.test(exclusive=True)
def test_copy_up_while_tracing():
    """After a copy-up the copy is another program, and the layer below is what others still run."""
    overlays = Overlays(2)
    with lib.Tracer("-a") as tracer:
        run_marked([overlays.merged[0]], "before")
        overlays.copy_up(0)
        run_marked([overlays.merged[0]], "copy")
        run_marked([overlays.merged[1]], "origin")
        tracer.stop()
    doc = tracer.trace()
    for mark in ("before", "copy", "origin"):
        check_whole(marked(doc, mark))
    check_nothing_lost(doc)


@lib.test(params={"named": False, "all": True}, exclusive=True)
def test_copy_up_before_attach(want_all):
    """One process maps the layer's file, the next one its copy; names and numbers are the same."""
    overlays = Overlays(1)
    argv = [overlays.merged[0], "-c", OBEDIENT]
    with lib.Target(argv, env=HOME) as old:
        old.expect("up")
        overlays.copy_up(0)
        with lib.Target(argv, env=HOME) as new:
            new.expect("up")
            who = ["-a"] if want_all else ["-p", "%d,%d" % (old.pid, new.pid)]
            with lib.Tracer(*who) as tracer:
                for target in (old, new):
                    target.say("colorsys")
                    target.expect("done")
                tracer.stop()
    doc = tracer.trace()
    for target in (old, new):
        doc.pid(target.pid).one("colorsys")
    check_nothing_lost(doc)


@lib.test()
def test_layers_out_of_sight():
    """The layers lie where we cannot look: what runs from the copy below is named in a warning,
    and what runs from the copy is traced."""
    overlays = Overlays(1)
    argv = [overlays.merged[0], "-c", OBEDIENT]
    with lib.Target(argv, env=HOME) as old:
        old.expect("up")
        overlays.copy_up(0)
        mount("-t", "tmpfs", "none", overlays.lower)
        with lib.Target(argv, env=HOME) as new:
            new.expect("up")
            with lib.Tracer("-p", "%d,%d" % (old.pid, new.pid)) as tracer:
                for target in (old, new):
                    target.say("colorsys")
                    target.expect("done")
                tracer.stop()
    doc = tracer.trace()
    doc.pid(new.pid).one("colorsys")
    warning = "process %d: %s was changed after the process started" % (old.pid, overlays.merged[0])
    lib.check(warning in doc.messages, "no warning: %s", doc.messages)
    lib.check("process %d:" % new.pid not in doc.messages, "warned of both: %s", doc.messages)


@lib.test(exclusive=True)
def test_changed_while_probed():
    """chmod and a hard link change the time of an inode that is probed, and nothing else."""
    path = fresh_copy(lib.workdir() + "/interp")
    with lib.Tracer("-a") as tracer:
        run_marked([path], "before")
        os.chmod(path, 0o700)
        run_marked([path], "mode")
        os.link(path, path + "-linked")
        run_marked([path + "-linked"], "link")
        os.utime(path)
        run_marked([path], "time")
        tracer.stop()
    doc = tracer.trace()
    for mark in ("before", "mode", "link", "time"):
        check_whole(marked(doc, mark))
    check_nothing_lost(doc)


def check_held(doc, path, at):
    found = [h for h in doc["holds"] if h["file"].endswith(path)]
    lib.check(len(found) == 1, "holds of %s: %s", path, doc["holds"])
    lib.check_equal(found[0]["at"], at, "held at")


@lib.test(exclusive=True)
def test_chroot():
    """A program that nobody knew starts in a chroot: held, and whole."""
    with_root = [i for i in lib.interpreters().values() if i.root and i.facts]
    if not with_root:
        raise lib.Skip("no root of another suite: scripts/test_roots.sh makes some")
    interp = with_root[0].prepare()
    path = lib.workdir() + "/interp"
    shutil.copy(interp.root + os.path.realpath(interp.exe), path)
    with lib.Tracer("-a") as tracer:
        run_marked(["chroot", interp.root, path], "chroot")
        tracer.stop()
    doc = tracer.trace()
    check_whole(marked(doc, "chroot"))
    check_held(doc, path, "exec")
    check_nothing_lost(doc)


# Mounts a file system that nobody else sees, says so, and becomes what it is told to.
ALONE = """
mount -t tmpfs none "$1" && cp "$2" "$1/interp" && echo mounted && read word && shift 2 && exec "$@"
"""


def trace_alone(is_before, n):
    place = lib.workdir() + "/place%d" % n
    os.mkdir(place)
    path = place + "/interp"
    argv = ["unshare", "--mount", "--propagation", "private", "sh", "-c", ALONE, "sh", place,
            os.path.realpath(lib.SYSTEM), path, "-c", CODE % "alone"]
    tracer = lib.Tracer("-a")
    if not is_before:
        tracer.__enter__()
    with lib.Target(argv, env=HOME) as target:
        target.expect("mounted")
        if is_before:
            tracer.__enter__()
        try:
            lib.check(not os.path.exists(path), "we see it")
            target.say()
            run = target.finish()
        finally:
            tracer.stop()
    lib.check_equal((run.rc, run.err), (0, b""), "result")
    return tracer.trace()


@lib.test(params={"before": True, "after": False}, exclusive=True)
def test_mount_namespace(is_before):
    """A file system that lies in somebody else's mount namespace alone. One that was there before
    the tracer is marked; of one that came later the mappings tell: such a program runs while it is
    to be stopped, so on a busy machine it may be quicker, and then that is told."""
    lib.private_mounts()
    for n in range(1 if is_before else 5):
        doc = trace_alone(is_before, n)
        if is_before or not check_seen_or_told(doc):
            break
    check_whole(marked(doc, "alone"))
    check_held(doc, "/interp", "exec" if is_before else "mapping")
    check_nothing_lost(doc)


if __name__ == "__main__":
    lib.main()
