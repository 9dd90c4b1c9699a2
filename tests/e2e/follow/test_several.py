# SPDX-License-Identifier: BSD-2-Clause
"""Services made of several containers or cgroups: all of them are traced, and waited for."""
import os
import subprocess

import lib
from lib import pods

SERVER = """
import socket, sys
sock = socket.socket()
sock.bind(("127.0.0.1", 0))
sock.listen()
print("up", flush=True)
%s
sock.accept()
"""
FIXTURES = "import json"


def name_of(test):
    """Containers of several test runs share one storage."""
    return "pyi-%s-%d" % (test, os.getpid())


def ready_of(trace, container):
    return [is_ready(p) for p in pods.inside(trace, container)]


def is_ready(process):
    return "ready" in [p["name"] for p in process["phases"]]


@lib.test()
def test_containers():
    """The first one is ready before the second exists, and a third one is over before that."""
    with pods.Pods() as pod:
        names = [name_of(n) for n in ("one", "two", "three")]

        def logs(name):
            return pod.podman("logs", name).stdout
        with lib.Tracer("--container", ",".join(names[:2]), "--container", names[2], "--wait",
                        "--until-ready", env=pod.env) as tracer:
            ids = [pod.run(names[0], pods.PYTHON, "-c", SERVER % "")]
            lib.wait_until(lambda: b"up" in logs(names[0]), "the first server")
            ids.append(pod.run(names[2], pods.PYTHON, "-c", FIXTURES))
            pod.wait(names[2])
            lib.check_equal(tracer.proc.poll(), None, "status of a trace that is to go on")
            ids.append(pod.run(names[1], pods.PYTHON, "-c", SERVER % "import decimal"))
            tracer.finish()
        lib.check_equal(tracer.rc, 0, "status of the tracer")
        trace = tracer.trace()
        first, third, second = [ready_of(trace, i) for i in ids]
        lib.check_equal([first, second, third], [[True], [True], [False]], "ready, in each of them")


def cgroup_root():
    with open("/proc/self/mountinfo", encoding="ascii") as file:
        for line in file:
            if " - cgroup2 " in line and line.split()[3] == "/":
                return line.split()[4]
    raise lib.Skip("no v2 hierarchy of cgroups is mounted")


@lib.test()
def test_below_one_cgroup():
    """Each cgroup below the named one, in which a Python begins, is a service to wait for."""
    top = os.path.join(cgroup_root(), name_of("several"))
    homes = [os.path.join(top, n) for n in ("a", "b")]
    try:
        for path in homes:
            os.makedirs(path)
    except OSError as error:
        raise lib.Skip("cgroups cannot be made here: %s" % error) from None

    def start(home, code):
        enter = "echo 0 > %s/cgroup.procs; exec \"$@\"" % home
        return lib.Target(["/bin/sh", "-c", enter, "sh", lib.SYSTEM, "-c", SERVER % code])
    try:
        with lib.Tracer("--cgroup", top, "--until-ready") as tracer, \
                start(homes[0], "sys.stdin.readline()") as slow, start(homes[1], "") as quick:
            slow.expect("up")
            quick.expect("up")
            lib.wait_until(lambda: not is_running(quick.pid), "the first one to be ready")
            lib.check_equal(tracer.proc.poll(), None, "status of a trace that is to go on")
            slow.say()
            tracer.finish()
            slow.proc.kill()
            quick.proc.kill()
    finally:
        for path in (*homes, top):
            lib.wait_until(lambda p=path: not pids(p), "an empty cgroup")
            os.rmdir(path)
    trace = tracer.trace()
    for target in (slow, quick):
        process, = [p for p in trace["processes"] if p["pid"] == target.pid and p["is_python"]]
        lib.check(is_ready(process), "pid %d was not ready", target.pid)


def pids(path):
    with open(path + "/cgroup.procs", encoding="ascii") as file:
        return file.read().split()


def is_running(pid):
    with open("/proc/%d/wchan" % pid, encoding="ascii") as file:
        return "accept" not in file.read()


@lib.test()
def test_one_is_not_there():
    """Of two the second does not exist: said, and nothing is traced."""
    with pods.Pods() as pod:
        name = name_of("there")
        pod.run(name, "/bin/sleep", "600")
        done = subprocess.run([lib.TOOL, "--container", "%s,%s-x" % (name, name)],
                              env=lib.tool_env(pod.env), stderr=subprocess.PIPE,
                              timeout=lib.PATIENCE_S)
        lib.check_equal(done.returncode, 3, "status")
        lib.check(("no container %s-x" % name).encode() in done.stderr, "%s", done.stderr.decode())


if __name__ == "__main__":
    lib.main()
