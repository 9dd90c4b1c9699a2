#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Files that the tool writes: private, their asker's, never through what another user put there,
and the old one stays until the new one is whole."""
import json
import os
import stat
import subprocess
import tempfile
import threading

import lib

NOBODY = 65534
GOLDEN = os.path.join(lib.TESTS, "golden", "captures", "plain.cap")
COMMAND = ["--", lib.SYSTEM, "-c", "import json"]


def run(*args, **kwargs):
    return subprocess.run([lib.TOOL, *args], capture_output=True, env=kwargs.pop("env", lib.clean_env()),
                          cwd=kwargs.pop("cwd", lib.workdir()), timeout=lib.PATIENCE_S, **kwargs)


def report(path, **kwargs):
    return run("report", GOLDEN, "--format", "json", "--report", path, **kwargs)


WRITERS = {
    "report": report,
    "trace": lambda path, **kw: run("--format", "json", "--report", path, *COMMAND, **kw),
    "record": lambda path, **kw: run("record", "-o", path, *COMMAND, **kw),
}


def names(directory):
    return sorted(os.listdir(directory))


def shared():
    """A directory like /tmp."""
    path = tempfile.mkdtemp(dir=lib.workdir())
    os.chmod(path, 0o1777)
    return path


@lib.test(params=WRITERS)
def test_private(write):
    """0600 whatever the umask says and whatever was there; nothing else is left in the directory."""
    directory = tempfile.mkdtemp(dir=lib.workdir())
    path = os.path.join(directory, "new")
    old = os.umask(0)
    try:
        for _ in range(2): # made, then replaced
            done = write(path)
            lib.check_equal(done.returncode, 0, "status, %r" % done.stderr)
            lib.check_equal(stat.S_IMODE(os.stat(path).st_mode), 0o600, "mode")
            lib.check(os.path.getsize(path) > 1000, "nothing in it")
            lib.check_equal(names(directory), ["new"], "files in its directory")
            os.chmod(path, 0o666)
    finally:
        os.umask(old)


@lib.test(params=WRITERS)
def test_link_of_another(write):
    """A link in a directory that all may write to is not followed, and the tool says why."""
    directory, victim = shared(), lib.write("victim", "precious")
    path = os.path.join(directory, "out")
    os.symlink(victim, path)
    os.chown(path, NOBODY, NOBODY, follow_symlinks=False)
    done = write(path)
    lib.check_equal(done.returncode, 1, "status")
    lib.check(b"others may write to its directory" in done.stderr, "%r", done.stderr)
    with open(victim, encoding="utf-8") as file:
        lib.check_equal(file.read(), "precious", "what the link leads to")


@lib.test(params=WRITERS)
def test_pipe_of_another(write):
    """Nor is a pipe of another user written to, or waited for."""
    path = os.path.join(shared(), "out")
    os.mkfifo(path)
    os.chown(path, NOBODY, NOBODY)
    done = write(path)
    lib.check_equal(done.returncode, 1, "status")
    lib.check(b"others may write to its directory" in done.stderr, "%r", done.stderr)


@lib.test(params=WRITERS)
def test_hard_link_of_another(write):
    """A second name of a file there is replaced: the file under its first name is as it was."""
    directory, victim = shared(), lib.write("victim", "precious")
    path = os.path.join(directory, "out")
    os.link(victim, path)
    write(path)
    with open(victim, encoding="utf-8") as file:
        lib.check_equal(file.read(), "precious", "the file under its first name")


@lib.test(params=WRITERS)
def test_file_of_another(write):
    """Who made the file that the report replaces, does not read the report."""
    directory = shared()
    path = os.path.join(directory, "out")
    with open(path, "w", encoding="utf-8") as theirs:
        os.fchown(theirs.fileno(), NOBODY, NOBODY)
    reader = open(path, encoding="utf-8")
    done = write(path)
    lib.check_equal(reader.read(), "", "what its maker reads")
    if not done.returncode:
        lib.check_equal((os.stat(path).st_uid, stat.S_IMODE(os.stat(path).st_mode)), (0, 0o600),
                        "owner and mode")


@lib.test()
def test_variables_are_not_sudo():
    """SUDO_UID without a sudo above gives the file to nobody else."""
    path = os.path.join(tempfile.mkdtemp(dir=lib.workdir()), "out")
    done = report(path, env=lib.clean_env({"SUDO_UID": "1", "SUDO_GID": "1"}))
    lib.check_equal((done.returncode, os.stat(path).st_uid), (0, 0), "status and owner")


@lib.test()
def test_asked_for():
    """What is no file is written to as it is: own pipes, /dev/null, /dev/stdout, /dev/fd/N."""
    for target in ("/dev/null", "/dev/stdout", "/dev/fd/1", "-"):
        done = report(target)
        lib.check_equal(done.returncode, 0, "status of %s, %r" % (target, done.stderr))
        if target != "/dev/null":
            json.loads(done.stdout)
    lib.check(stat.S_ISCHR(os.stat("/dev/null").st_mode), "/dev/null is a device no more")
    path = os.path.join(lib.workdir(), "pipe")
    os.mkfifo(path)
    got = []
    reader = threading.Thread(target=lambda: got.append(open(path, "rb").read()))
    reader.start()
    lib.check_equal(report(path).returncode, 0, "status of a pipe")
    reader.join()
    json.loads(got[0])
    lib.check(stat.S_ISFIFO(os.stat(path).st_mode), "the pipe is gone")
    done = subprocess.run(["bash", "-c", '"$0" report "$1" --format json --report >(cat); wait $!', lib.TOOL,
                           GOLDEN], capture_output=True, env=lib.clean_env())
    json.loads(done.stdout)
    with open(os.path.join(lib.workdir(), "redirected"), "w+b") as out:
        subprocess.run([lib.TOOL, "report", GOLDEN, "--format", "json", "--report", "/dev/stdout"],
                       stdout=out, check=True, env=lib.clean_env())
        out.seek(0)
        json.load(out)


@lib.test()
def test_own_link():
    """A link in one's own directory leads where it leads, and stays."""
    directory = tempfile.mkdtemp(dir=lib.workdir())
    target, path = os.path.join(directory, "target"), os.path.join(directory, "link")
    with open(target, "w", encoding="utf-8") as file:
        file.write("x" * 1000000)
    os.symlink("target", path)
    lib.check_equal(report(path).returncode, 0, "status")
    lib.check(os.path.islink(path), "the link was replaced")
    with open(target, encoding="utf-8") as file:
        json.load(file)


@lib.test(params={"own_directory": 0, "of_another": NOBODY})
def test_full_disk(owner):
    """No room for the new report: the old one is whole, and nothing else is there."""
    lib.private_mounts()
    full = tempfile.mkdtemp(dir=lib.workdir())
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=44k", "tmpfs", full], check=True)
    os.chown(full, owner, owner)
    path = os.path.join(full, "out")
    with open(path, "wb") as file:
        file.write(b"o" * 30000)
    done = report(path)
    lib.check_equal(done.returncode, 1, "status")
    lib.check(b"No space left" in done.stderr, "%r", done.stderr)
    with open(path, "rb") as file:
        lib.check(file.read() == b"o" * 30000, "the old report is damaged")
    lib.check_equal(names(full), ["out"], "files in its directory")
    subprocess.run(["umount", full], check=True)


@lib.test(params=WRITERS)
def test_mounted_file(write):
    """A file that is a mount of its own, as containers have them, is written in place."""
    lib.private_mounts()
    source, path = lib.write("source", "x" * 100), lib.write("place", "")
    subprocess.run(["mount", "--bind", source, path], check=True)
    if os.stat(source).st_dev == os.stat(lib.workdir()).st_dev:
        subprocess.run(["umount", path], check=True)
        tmpfs = tempfile.mkdtemp(dir=lib.workdir())
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", tmpfs], check=True)
        source = os.path.join(tmpfs, "source")
        with open(source, "w", encoding="utf-8") as file:
            file.write("x" * 100)
        subprocess.run(["mount", "--bind", source, path], check=True)
    done = write(path)
    lib.check_equal(done.returncode, 0, "status, %r" % done.stderr)
    lib.check(os.path.getsize(source) > 1000, "nothing reached the file")


if __name__ == "__main__":
    lib.main()
