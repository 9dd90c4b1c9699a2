#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""An ordinary user's files that do not open while everything is traced: they hold nobody else."""
import os
import shutil
import subprocess
import time

import lib

NOBODY = 65534
BYSTANDERS = 12


def as_nobody(argv):
    """sys.executable may lie where nobody may not go."""
    return ["setpriv", "--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups", *argv]


def own_directory(name):
    """A file system of its own: leases and marks here are no business of others."""
    lib.private_mounts()
    path = "%s/%s" % (lib.workdir(), name)
    os.makedirs(path, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "none", path], check=True)
    os.chown(path, NOBODY, NOBODY)
    return path


def fresh_program(path):
    shutil.copy("/bin/true", path)
    os.chown(path, NOBODY, NOBODY)
    return path


def run_bystanders(directory):
    """Programs nobody has seen; returns how long each took from fork to end."""
    took = []
    for n in range(BYSTANDERS):
        program = fresh_program("%s/bystander%d" % (directory, n))
        began = time.monotonic()
        lib.check_equal(lib.run([program]).rc, 0, "status of a bystander")
        took.append(time.monotonic() - began)
    return took


def tell(doc, took):
    print("a bystander took %.0f ms at most; by the report none was held for more than %.0f ms" %
          (max(took) * 1e3, doc["held"]["exec_max_ns"] / 1e6))


@lib.test(params={"one": 1, "few": 5, "many": 200}, exclusive=True)
def test_leases(count):
    """Files with leases that are not given back, executed: all of them still wait when everybody
    else's programs have come and gone."""
    lib.needs_command("setpriv")
    directory = own_directory("leases")
    leased = [fresh_program("%s/leased%d" % (directory, n)) for n in range(count)]
    with lib.Target(as_nobody([lib.SYSTEM, lib.stage("leases"), *leased])) as attacker:
        attacker.expect("leased")
        with lib.Tracer("-a") as tracer:
            attacker.say()
            attacker.expect("running")
            took = run_bystanders(directory)
            if count <= 5:
                attacker.say()
                attacker.expect(str(count))
            tracer.stop()
        lib.check_equal(tracer.rc, 0, "status of the tool")
        doc = tracer.trace()
        lib.check_equal(doc["held"]["refused"] > 0, True, "told that execs were refused")
        if count > 5:
            attacker.say()
        attacker.say()
        attacker.finish()
    tell(doc, took)


def device_for_all():
    """/dev/fuse is everybody's on most machines; where it is not, one that is."""
    path = lib.workdir() + "/fuse-device"
    if not os.path.exists("/dev/fuse"):
        raise lib.Skip("no /dev/fuse")
    os.mknod(path, 0o20666, os.stat("/dev/fuse").st_rdev)
    os.chmod(path, 0o666)
    return path


@lib.test(exclusive=True)
def test_slow_overlay():
    """A program in an overlay over a FUSE file system whose server does not answer."""
    lib.needs_command("setpriv")
    directory = own_directory("overlay")
    argv = as_nobody([lib.SYSTEM, lib.stage("slow_fuse"), directory, device_for_all(),
                      "/bin/true"])
    probe = lib.run(argv)
    if probe.rc == 77:
        raise lib.Skip("no overlay over FUSE for ordinary users: %s" % probe.out.decode().strip())
    lib.check_equal((probe.rc, probe.out), (0, b"mounted\n"), "the attacker by himself")
    with lib.Target(argv) as attacker:
        attacker.expect("mounted")
        with lib.Tracer("-a") as tracer:
            attacker.say()
            attacker.expect("blocked")
            took = run_bystanders(directory)
            lib.check_equal(attacker.proc.poll(), None, "the attacker's status, still waiting")
            tracer.stop()
        lib.check_equal(tracer.rc, 0, "status of the tool")
        attacker.finish()
    tell(tracer.trace(), took)


@lib.test(params={"one": ("-p",), "all": ("-a",)}, exclusive=True)
def test_memory_in_fuse(opts):
    """A running Python whose memory, where its modules are read from, is a file that nobody answers for:
    the others are traced, the report comes, and the process itself goes on."""
    lib.needs_command("setpriv")
    directory = own_directory("memory")
    lib.stage("slow_fuse")
    argv = [lib.SYSTEM, lib.stage("fuse_memory"), directory, device_for_all()]
    with lib.Target(argv) as attacker:
        ready = attacker.proc.stdout.readline()
        if ready != b"mounted\n":
            raise lib.Skip("no FUSE: %s" % ready.decode().strip())
        if opts == ("-p",):
            attacker.say()
            attacker.expect("ready")
            opts += (attacker.pid,)
        with lib.Tracer(*opts) as tracer:
            if opts == ("-a",):
                attacker.say()
            attacker.expect("blocked")
            took = run_bystanders(directory)
            other = lib.run([lib.SYSTEM, "-I", "-c", "import json, os; print(os.getpid())"])
            tracer.stop()
            lib.check_equal(attacker.proc.poll(), None, "the process, still there")
        lib.check_equal(tracer.rc, 0, "status of the tool")
        lib.check(b"does not answer" in tracer.err, "not told: %s", tracer.err.decode())
        attacker.say()
        attacker.expect("unharmed")
        lib.check_equal(attacker.finish().rc, 0, "status of the process")
    doc = tracer.trace()
    tell(doc, took)
    if opts == ("-a",):
        lib.check(doc.pid(int(other.out)).named("json"), "another Python was not traced")


if __name__ == "__main__":
    lib.main()
