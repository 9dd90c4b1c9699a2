# SPDX-License-Identifier: BSD-2-Clause
"""What a command imports, measured in processes of their own: measure(), and the binary's path.

Where the machine allows it the command is traced, which changes nothing about it. Elsewhere it runs
with PYTHONPROFILEIMPORTTIME, whose log has no lines of statements and no failed imports; a Run says
in `how` which it was, and in `why_not` why it was not traced."""
import fnmatch
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile

__all__ = ["Run", "Module", "binary", "measure", "floor_ms"]

STATUS_UNTRACED = 3 # of pyimport-bpf: could not trace


class Module:
    """One module that a run loaded: its name, who asked for it, and its import's time."""

    def __init__(self, entry):
        self.name = entry["module"]
        importer = entry.get("importer") or {}
        self.file, self.line = importer.get("file"), importer.get("line")
        self.parent = entry.get("parent")
        self.ms = None if entry["wall_ns"] is None else entry["wall_ns"] / 1e6

    @property
    def place(self):
        """`file:line` of the statement that loaded it; a log of -X importtime has none."""
        return "%s:%d" % (self.file, self.line) if self.file and self.line else ""


class Run:
    """One start-up of a command: its modules by name, its time in ms, its status and its output."""

    def __init__(self, document, how, why_not, done):
        process = first_python(document)
        self.how, self.why_not = how, why_not
        self.status, self.stderr = done.returncode, done.stderr
        entries = process["imports"] if process else []
        self.by_id = {one["id"]: Module(one) for one in entries}
        self.modules = {}
        for one in entries:
            if one["result"] == "loaded" and one["module"] and one["module"] != "__main__":
                self.modules.setdefault(one["module"], self.by_id[one["id"]])
        self.ms = time_of(process)
        self.floor_ms = interpreter_of(process)

    def matching(self, pattern):
        """Loaded modules that a pattern means: `a.b` is the package with all below it, or a glob."""
        return [self.modules[name] for name in self.modules if matches(name, pattern)]

    def chain(self, module):
        """The statements that led to a module, the program's own first, as lines of text."""
        hops = []
        while module is not None:
            hops.append(module)
            module = self.by_id.get(module.parent)
        width = max(len(hop.place) for hop in hops)
        return [("%-*s  %s%s" % (width, hop.place, hop.name, "" if hop.ms is None else
                                 "  %.1f ms" % hop.ms)).strip() for hop in reversed(hops)
                if hop.name != "__main__"]

    def is_below(self, module, name):
        """Was a module loaded on behalf of another one, by its name?"""
        while module is not None:
            if module.name == name:
                return True
            module = self.by_id.get(module.parent)
        return False


def matches(name, pattern):
    if any(letter in pattern for letter in "*?["):
        return fnmatch.fnmatchcase(name, pattern)
    return name == pattern or name.startswith(pattern + ".")


def first_python(document):
    """The Python that loaded most: a wrapper in front of it loads little."""
    pythons = [one for one in document["processes"] if one["is_python"] and one["imports"]]
    return max(pythons, key=lambda one: len(one["imports"]), default=None)


def time_of(process):
    if not process:
        return None
    for phase in process.get("phases") or []:
        if phase["name"] == "startup" and phase["end_ns"] is not None:
            return (phase["end_ns"] - phase["start_ns"]) / 1e6
    roots = [one["wall_ns"] for one in process["imports"] if one["parent"] is None]
    return sum(ns for ns in roots if ns) / 1e6


def interpreter_of(process):
    """What the interpreter itself took in this very run, in ms; None: a log does not tell."""
    startup = (process or {}).get("startup") or {}
    ns = startup.get("interpreter_ns")
    return None if ns is None else ns / 1e6


def binary():
    """Path of pyimport-bpf: $PYIMPORT_BPF, the one this package brought, or one on the PATH."""
    given = os.environ.get("PYIMPORT_BPF")
    if given:
        return given
    for scripts in (sysconfig.get_path("scripts"), os.path.dirname(sys.executable)):
        path = os.path.join(scripts, "pyimport-bpf")
        if os.access(path, os.X_OK):
            return path
    found = shutil.which("pyimport-bpf")
    if not found:
        raise FileNotFoundError("pyimport-bpf is not installed: set PYIMPORT_BPF to its path")
    return found


def run_tool(argv, **more):
    return subprocess.run([binary(), *argv], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, check=False, **more)


def measure(command, env=None, cwd=None, timeout_s=120):
    """Runs a command once and tells what it imported. `python` as its first word is this Python."""
    command = list(command)
    if command[0] in ("python", "python3"):
        command[0] = sys.executable
    with tempfile.TemporaryDirectory(prefix="pyimport-bpf-") as scratch:
        report = os.path.join(scratch, "report.json")
        done = run_tool(["--format", "json", "--report", report, "--", *command], env=env, cwd=cwd,
                        timeout=timeout_s)
        if done.returncode != STATUS_UNTRACED or os.path.exists(report):
            return Run(load(report, done), "traced", None, done)
        why_not = first_line(done.stderr)
        log = os.path.join(scratch, "importtime.log")
        with open(log, "wb") as file:
            done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=file, cwd=cwd, timeout=timeout_s, check=False,
                                  env=dict(os.environ if env is None else env,
                                           PYTHONPROFILEIMPORTTIME="1"))
        read = run_tool(["report", "--from", "importtime", log, "--format", "json", "--report", report])
        with open(log, "rb") as file:
            done.stderr = file.read()
        if not os.path.exists(report):
            raise RuntimeError("no log of imports: %s" % last_line(read.stderr))
        return Run(load(report, read), "-X importtime", why_not, done)


def load(report, done):
    if not os.path.exists(report):
        raise RuntimeError("pyimport-bpf: status %d: %s" % (done.returncode, last_line(done.stderr)))
    with open(report, encoding="utf-8") as file:
        return json.load(file)


def first_line(text):
    lines = text.decode(errors="replace").strip().splitlines()
    return lines[0].removeprefix("pyimport-bpf: ").removeprefix("error: ") if lines else "no message"


def last_line(text):
    lines = text.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else "no message"


def floor_ms(runs=3, env=None):
    """Least time of a Python that does nothing, in ms: what no program can be faster than."""
    return min(measure(["python", "-c", "pass"], env=env).ms for _ in range(runs))
