# SPDX-License-Identifier: BSD-2-Clause
"""The interpreters of this machine and of the roots, and what a case needs of them."""
import contextlib
import ctypes
import functools
import glob
import json
import os
import re
import shutil
import subprocess

from lib import settings
from lib.cases import Skip


class Interp:
    """An interpreter of this machine or of one of the roots that scripts/test_roots.sh makes."""

    def __init__(self, name, exe, root=""):
        self.name, self.exe, self.root = name, exe, root
        self.host_path = root + exe

    @property
    def argv(self):
        return ["chroot", self.root, self.exe] if self.root else [self.exe]

    @functools.cached_property
    def facts(self):
        """What it says of itself; {} when it does not run here."""
        code = ("import sys,json;print(json.dumps({'version': list(sys.version_info[:3]),"
                "'impl': sys.implementation.name, 'full': '%d.%d.%d' % sys.version_info[:3],"
                "'ft': not getattr(sys, '_is_gil_enabled', lambda: True)()}))")
        try:
            run = subprocess.run(self.argv + ["-I", "-S", "-c", code], stdout=subprocess.PIPE,
                                 stderr=subprocess.DEVNULL, timeout=60, check=True)
            return json.loads(run.stdout)
        except (OSError, subprocess.SubprocessError, ValueError):
            return {}

    @property
    def version(self):
        return tuple(self.facts.get("version", (0, 0, 0)))

    def has(self, *modules):
        """Are these top-level modules importable there? Does not import them."""
        code = ("import sys,importlib.util as u;"
                "sys.exit(any(u.find_spec(m) is None for m in sys.argv[1:]))")
        return subprocess.run(self.argv + ["-c", code, *modules], stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, cwd="/").returncode == 0

    def prepare(self):
        """Makes the scratch space and /proc visible inside its root. tests/run gives every test
        its own mount namespace, so nothing is left behind."""
        if not self.root:
            return self
        inside = self.root + settings.WORK_BASE
        os.makedirs(inside, exist_ok=True)
        if not os.path.ismount(inside):
            private_mounts()
            subprocess.run(["mount", "--bind", settings.WORK_BASE, inside], check=True)
        if not os.path.exists(self.root + "/proc/self"):
            private_mounts()
            subprocess.run(["mount", "-t", "proc", "proc", self.root + "/proc"], check=True)
        for node in ("null", "urandom"):
            path = "%s/dev/%s" % (self.root, node)
            if not os.path.exists(path):
                with contextlib.suppress(OSError):
                    os.close(os.open(path, os.O_CREAT | os.O_EXCL))
                subprocess.run(["mount", "--bind", "/dev/" + node, path], check=True)
        return self

    def __repr__(self):
        return self.name


def private_mounts():
    """Refuses to mount anything into the mount namespace of the machine."""
    if os.environ.get("PYIMPORT_TEST_MNTNS") != "1":
        raise Skip("needs a private mount namespace: start it with tests/run")


@functools.cache
def interpreters():
    """Every CPython 3 that can be had, by name: system, version managers, roots."""
    found = {}
    seen = set()

    def add(name, exe, root=""):
        with contextlib.suppress(OSError):
            stat = os.stat(os.path.realpath(root + exe) if not root else root + exe)
            key = (stat.st_dev, stat.st_ino)
            if key not in seen:
                seen.add(key)
                found[name] = Interp(name, exe, root)

    add("system", settings.SYSTEM)
    for exe in sorted(glob.glob("/usr/bin/python3.*[0-9]")):
        add("usr-" + os.path.basename(exe)[6:], exe)
    for exe in sorted(glob.glob("/usr/local/bin/python3.*[0-9]") +
                      glob.glob("/opt/python*/bin/python3.*[0-9]") +
                      glob.glob("/opt/python*/bin/python3.*[0-9]t")):
        add("local-" + os.path.basename(exe)[6:], exe)
    for base in {os.path.expanduser("~/.pyenv"), os.environ.get("PYENV_ROOT", "")} - {""}:
        for home in sorted(glob.glob(base + "/versions/3.*")):
            version = os.path.basename(home)
            exe = "%s/bin/python%s" % (home, ".".join(version.rstrip("t").split(".")[:2]))
            add("pyenv-" + version, exe + ("t" if version.endswith("t") else ""))
    for marker in sorted(glob.glob(settings.ROOTS + "/*/.complete")):
        root = os.path.dirname(marker)
        for exe in sorted(glob.glob(root + "/usr/bin/python3.*[0-9]")):
            inner = exe[len(root):]
            add("%s-%s" % (os.path.basename(root), os.path.basename(inner)[6:]), inner, root)
    return found


def minor_of(name):
    match = re.search(r"3\.(\d+)", name if name != "system" else os.path.realpath(settings.SYSTEM))
    return int(match.group(1)) if match else 0


def all_interpreters(min_minor=8):
    return {n: i for n, i in interpreters().items() if minor_of(n) >= min_minor}


def core_interpreters(min_minor=8):
    """A few that differ most: the system's, the newest, one shared build with tables."""
    every = all_interpreters(min_minor)
    chosen = {n: i for n, i in every.items() if n == "system"}
    roots = [n for n, i in every.items() if i.root]
    if roots:
        newest = max(roots, key=minor_of)
        chosen[newest] = every[newest]
    shared = [n for n in every if n.startswith("pyenv-")]
    for name in (min(shared, key=minor_of), max(shared, key=minor_of)) if shared else ():
        chosen[name] = every[name]
    return chosen


def system():
    if "system" not in interpreters():
        raise Skip("no %s" % settings.SYSTEM)
    return interpreters()["system"]


def newest(min_minor=0):
    every = {n: i for n, i in interpreters().items() if minor_of(n) >= min_minor and i.facts}
    if not every:
        raise Skip("no CPython 3.%d or later found" % min_minor)
    return every[max(every, key=minor_of)].prepare()


def needs_module(interp, *modules):
    for module in modules:
        if not interp.has(module):
            raise Skip("%s has no %s" % (interp.name, module))


def has_uring():
    fd = ctypes.CDLL(None).syscall(425, 4, (ctypes.c_char * 120)())  # io_uring_setup
    if fd >= 0:
        os.close(fd)
    return fd >= 0


def needs_uring():
    if not has_uring():
        raise Skip("no io_uring here")


def needs_command(*names):
    for name in names:
        if not shutil.which(name):
            raise Skip("no %s on this machine" % name)
