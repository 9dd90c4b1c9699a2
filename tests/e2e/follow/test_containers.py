# SPDX-License-Identifier: BSD-2-Clause
"""Containers of podman and runc: found by name and by id, before and after they start, named in the
report, apart from everything else on the machine."""
import os
import signal
import subprocess

import lib
from lib import pods

FIRST = "encodings"


def modules(process):
    return [i["module"] for i in process["imports"]]


def check_identity(process, container, name):
    told = dict(process["container"])
    image = told.pop("image")  # where the storage is one that it knows
    lib.check_equal(told, {"id": container, "name": name, "runtime": "podman"}, "container of %s" % process["cmdline"])
    lib.check(image is None or "pyimport-test" in image, "image %r", image)
    lib.check(process["cgroup"] and container in process["cgroup"], "cgroup %s",
              process["cgroup"])
    lib.check(process["nspid"] and process["nspid"] != process["pid"],
              "pid %s is %s in its container", process["pid"], process["nspid"])


def name_of(test):
    """Containers of several test runs share one storage."""
    return "pyi-%s-%d" % (test, os.getpid())


@lib.test()
def test_before_it_exists():
    """--wait: the first import of the container's first Python, and nobody else's."""
    with pods.Pods() as pod:
        name = name_of("wait")
        with lib.Tracer("--container", name, "--wait", env=pod.env) as tracer:
            subprocess.run([lib.SYSTEM, "-c", "import decimal"], check=True, env=lib.clean_env())
            container = pod.run(name, pods.PYTHON, "-c", "import json")
            lib.check_equal(pod.wait(name), 0, "status of the container")
            tracer.finish()  # by itself: the container is gone
        lib.check_equal(tracer.rc, 0, "status of the tracer")
        trace = tracer.trace()
        pythons = [p for p in trace["processes"] if p["is_python"]]
        lib.check_equal(len(pythons), 1, "Python processes")
        check_identity(pythons[0], container, name)
        lib.check_equal(pythons[0]["nspid"], 1, "its pid inside")
        lib.check(FIRST in modules(pythons[0]), "its first import is missing")
        lib.check("json" in modules(pythons[0]), "json is missing")
        lib.check(not pythons[0]["attached_late"], "not from its start")
        lib.check("decimal" not in str(modules(pythons[0])), "another process got in")
        lib.check_equal(trace["complete"], True, "complete")


@lib.test({"name": False, "prefix": True})
def test_while_it_runs(by_prefix):
    """Attached late; `podman exec` in it is followed from its start."""
    with pods.Pods() as pod:
        name, other = name_of("run"), name_of("other")
        container = pod.run(name, pods.PYTHON, "-c", "import time; time.sleep(600)")
        stranger = pod.run(other, "/bin/sleep", "600")
        wanted = container[:12] if by_prefix else name
        with lib.Tracer("--container", wanted, env=pod.env) as tracer:
            pod.exec(name, pods.PYTHON, "-c", "import json")
            pod.exec(other, pods.PYTHON, "-c", "import decimal")
            tracer.stop()
        trace = tracer.trace()
        lib.check_equal(pods.inside(trace, stranger), [], "processes of the other container")
        started = [p for p in pods.inside(trace, container) if not p["attached_late"]]
        lib.check_equal(len(started), 1, "Python processes that started")
        check_identity(started[0], container, name)
        lib.check(FIRST in modules(started[0]), "its first import is missing")
        lib.check("json" in modules(started[0]), "json is missing")


@lib.test()
def test_starts_again():
    """The same container has a new cgroup each time."""
    with pods.Pods() as pod:
        name = name_of("again")
        container = pod.create(name, pods.PYTHON, "-uc",
                               "import json, time; print('up'); time.sleep(600)")

        def starts():
            return pod.podman("logs", name).stdout.count(b"up")
        with lib.Tracer("--container", name, "--wait", env=pod.env) as tracer:
            pod.podman("start", name)
            lib.wait_until(lambda: starts() == 1, "the first start")
            pod.podman("restart", "-t", "0", name)
            lib.wait_until(lambda: starts() == 2, "the second start")
            pod.podman("kill", name)
            tracer.finish()
        runs = pods.inside(tracer.trace(), container)
        lib.check_equal(len(runs), 2, "runs of the container")
        lib.check(all(FIRST in modules(p) for p in runs), "a first import is missing")


@lib.test()
def test_whole_host():
    """-a: each process bears its own container; one outside of any has none."""
    with pods.Pods() as pod:
        names = [name_of("a"), name_of("b")]
        with lib.Tracer("-a", env=pod.env) as tracer:
            ids = [pod.run(n, pods.PYTHON, "-c", "import json") for n in names]
            for name in names:
                pod.wait(name)
            done = subprocess.Popen([lib.SYSTEM, "-c", "import json"], env=lib.clean_env())
            done.wait()
            tracer.stop()
        trace = tracer.trace()
        for container, name in zip(ids, names):
            found = pods.inside(trace, container)
            lib.check_equal(len(found), 1, "Python processes of %s" % name)
            check_identity(found[0], container, name)
            lib.check(FIRST in modules(found[0]), "the first import in %s is missing", name)
        ours = [p for p in trace["processes"] if p["pid"] == done.pid]
        lib.check(ours and not any(p["container"] for p in ours), "a container of the host's: %s", ours)


@lib.test()
def test_user_namespace():
    if lib.run(["unshare", "--user", "true"]).rc:
        raise lib.Skip("no user namespace can be made here: the kernel refuses it in a chroot")
    with pods.Pods() as pod:
        name = name_of("user")
        with lib.Tracer("--container", name, "--wait", env=pod.env) as tracer:
            container = pod.run(name, pods.PYTHON, "-c", "import json",
                                opts=("--uidmap", "0:100000:65536", "--gidmap", "0:100000:65536"))
            lib.check_equal(pod.wait(name), 0, "status of the container")
            tracer.finish()
        found = pods.inside(tracer.trace(), container)
        lib.check_equal(len(found), 1, "Python processes")
        lib.check(FIRST in modules(found[0]), "its first import is missing")
        check_identity(found[0], container, name)


@lib.test()
def test_text():
    """The head of the report says which container it is."""
    with pods.Pods() as pod:
        name = name_of("text")
        with lib.Tracer("--container", name, "--wait", env=pod.env, fmt="text") as tracer:
            container = pod.run(name, pods.PYTHON, "-c", "import json")
            tracer.finish()
        with open(tracer.report, encoding="utf-8") as file:
            text = file.read()
        lib.check("In container %s (podman, %s)." % (name, container[:12]) in text,
                  "not in:\n%s", text)
        lib.check(", 1 in its container)" in text, "its own pid is not in:\n%s", text)


@lib.test()
def test_no_such_container():
    with pods.Pods() as pod:
        name = name_of("right")
        container = pod.create(name, "/bin/true")
        done = subprocess.run([lib.TOOL, "--container", name[:-1] + "x"], stderr=subprocess.PIPE,
                              env=lib.tool_env(pod.env), timeout=lib.PATIENCE_S)
        lib.check_equal(done.returncode, 3, "status")
        lib.check(("%s (%s, podman)" % (name, container[:12])).encode() in done.stderr,
                  "%s is not among the close names:\n%s", name, done.stderr.decode())
        done = subprocess.run([lib.TOOL, "--container", name], stderr=subprocess.PIPE,
                              env=lib.tool_env(pod.env), timeout=lib.PATIENCE_S)
        lib.check_equal(done.returncode, 3, "status for one that does not run")
        lib.check(b"is not running" in done.stderr and b"--wait" in done.stderr, "%s",
                  done.stderr.decode())


@lib.test()
def test_killed_tracer():
    """SIGKILL leaves no probe, no pinned object and nothing stopped: the container goes on."""
    with pods.Pods() as pod:
        name = name_of("kill")
        pod.run(name, pods.PYTHON, "-c", "import time; time.sleep(600)")
        with lib.Tracer("--container", name, env=pod.env) as tracer:
            tracer.proc.send_signal(signal.SIGKILL)
            tracer.proc.wait()
        with open("/proc/%d/stat" % pod.pid(name), encoding="ascii") as file:
            state = file.read().rpartition(")")[2].split()[0]
        lib.check(state in "SR", "the container's process is in state %s", state)
        pod.exec(name, pods.PYTHON, "-c", "import json")


if __name__ == "__main__":
    lib.main()
