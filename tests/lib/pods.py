# SPDX-License-Identifier: BSD-2-Clause
"""Real containers for the end-to-end tests: podman with runc, an image of Debian's Python, no network.
The storage lies under PYIMPORT_PODS and keeps the image; each test has a run directory of its own."""
import contextlib
import fcntl
import json
import os
import subprocess

import lib

PODS = os.environ.get("PYIMPORT_PODS", "/var/tmp/pyimport-pods")
IMAGE_TAR = os.path.join(os.environ.get("PYIMPORT_IMAGE", "/var/tmp/pyimport-image"), "rootfs.tar")
IMAGE = "localhost/pyimport-test"
PYTHON = "/usr/bin/python3"


class Pods:
    """podman with settings that work in a nested machine, too: explicit limits, cgroupfs, runc."""

    def __init__(self):
        lib.needs_command("podman", "runc")
        if not os.path.exists(IMAGE_TAR):
            raise lib.Skip("no %s; run scripts/test_image.sh" % IMAGE_TAR)
        lib.private_mounts()
        os.makedirs(PODS, exist_ok=True)
        run = os.path.join(lib.workdir(), "pod")
        storage = lib.write("pod/storage.conf", '[storage]\ndriver = "overlay"\n'
                            'graphroot = "%s/root"\nrunroot = "%s/run"\n' % (PODS, run))
        conf = lib.write("pod/containers.conf", '[containers]\n'
                         'default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]\n[engine]\n'
                         'cgroup_manager = "cgroupfs"\nevents_logger = "file"\n'
                         'runtime = "runc"\ntmp_dir = "%s/tmp"\n' % run)
        self.env = {"CONTAINERS_STORAGE_CONF": storage, "CONTAINERS_CONF": conf}
        self.names = []
        with open(os.path.join(PODS, ".lock"), "w", encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if self.podman("image", "exists", IMAGE, ok=False).returncode:
                self.podman("import", "-q", IMAGE_TAR, IMAGE)

        self.sweep()

    def sweep(self):
        """Removes what tests left behind that were killed: the pid ends the container's name."""
        for name in self.podman("ps", "-a", "--format", "{{.Names}}").stdout.decode().split():
            if name.startswith("pyi-") and not os.path.exists("/proc/" + name.split("-")[-1]):
                self.podman("rm", "-f", "-t", "0", name, ok=False)

    def podman(self, *args, ok=True):
        done = subprocess.run(["podman", "--runtime", "runc", *args], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              env=lib.clean_env(self.env), timeout=lib.PATIENCE_S)
        if ok and done.returncode:
            raise AssertionError("podman %s: status %d\n%s" % (
                " ".join(args), done.returncode, done.stderr.decode(errors="replace")))
        return done

    def create(self, name, *command, opts=()):
        """Makes a container, not yet running. Returns its id."""
        self.names.append(name)
        return self.podman("create", "--name", name, "--pull=never", "--network=none", *opts,
                           IMAGE, *command).stdout.decode().strip()

    def run(self, name, *command, opts=()):
        """Starts a container in the background. Returns its id."""
        container = self.create(name, *command, opts=opts)
        self.podman("start", name)
        return container

    def exec(self, name, *command):
        return self.podman("exec", name, *command)

    def pid(self, name):
        return json.loads(self.podman("inspect", name).stdout)[0]["State"]["Pid"]

    def wait(self, name):
        """Waits for its end; the status of its command."""
        def state():
            return json.loads(self.podman("inspect", name).stdout)[0]["State"]
        lib.wait_until(lambda: not state()["Running"], "the end of container " + name)
        return state()["ExitCode"]

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        for name in self.names:
            with contextlib.suppress(AssertionError, subprocess.TimeoutExpired):
                self.podman("rm", "-f", "-t", "0", name, ok=False)


def inside(trace, container):
    """Processes of a container that ran Python, by start."""
    found = [p for p in trace["processes"] if p["is_python"] and
             (p["container"] or {}).get("id") == container]
    return sorted(found, key=lambda p: p["start_ns"])
