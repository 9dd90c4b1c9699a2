# SPDX-License-Identifier: BSD-2-Clause
"""What every end-to-end test shares: running the tool, reading its JSON, checking what must always
hold, and finding interpreters. Needs nothing but the standard library of Python 3.11 or later."""
import collections
import contextlib
import ctypes
import fcntl
import functools
import glob
import json
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

import adds_up

TESTS = os.path.dirname(os.path.abspath(__file__))
REPO = os.path.dirname(TESTS)
TOOL = os.environ.get("PYIMPORT_BPF") or os.path.join(REPO, "pyimport-bpf")
TARGETS = os.path.join(TESTS, "targets")
ROOTS = os.environ.get("PYIMPORT_ROOTS", "/var/tmp/pyimport-roots")
# Scratch space has the same path inside every root, so that a script's name is the same everywhere.
WORK_BASE = "/var/tmp/pyimport-tests"
SYSTEM = "/usr/bin/python3"
READY = "pyimport-bpf: ready"
# No test measures time: this only ends what hangs.
PATIENCE_S = float(os.environ.get("PYIMPORT_TEST_PATIENCE", "100"))

RESULTS = {"loaded", "failed", "unfinished"}
KINDS = {"source", "bytecode", "extension", "builtin", "frozen", "namespace", "zip", "lazy",
         "unknown", None}
VIAS = {"statement", "import_module", "main", "reload", "native", "lazy", "loader", None}


class Skip(Exception):
    """Raised with the reason: something this test needs is not on this machine."""


# --- cases ---------------------------------------------------------------------------------------

Case = collections.namedtuple("Case", "name func args timeout_s exclusive")
_cases = []


def test(params=None, timeout_s=120, exclusive=False, only_if=None):
    """Decorator: registers a test, once or once per parameter (a dict name -> argument, or a
    function that returns one). An exclusive test runs while no other does."""
    def wrap(func):
        name = func.__name__.removeprefix("test_")
        if params is None:
            _cases.append(Case(name, func, (), timeout_s, exclusive))
        else:
            table = params() if callable(params) else params
            for key, arg in table.items():
                _cases.append(Case("%s[%s]" % (name, key), func, (arg,), timeout_s, exclusive))
        return func
    return wrap


def main():
    """Entry of a test file: --list, or the name of one case to run."""
    if sys.argv[1:] == ["--list"]:
        for case in _cases:
            print(json.dumps([case.name, case.timeout_s, case.exclusive]))
        return
    # One case by name; a person may give several, or none for all.
    chosen = [c for c in _cases if not sys.argv[1:] or c.name in sys.argv[1:]]
    if not chosen:
        sys.exit("no such case; --list shows them")
    for case in chosen:
        try:
            case.func(*case.args)
        except Skip as skip:
            print("SKIP: %s" % skip)
            sys.exit(77)


def check(condition, message, *args):
    """assert that survives -O and formats its message."""
    if not condition:
        raise AssertionError(message % args if args else message)


def check_equal(got, expected, what):
    if got != expected:
        raise AssertionError("%s:\n  got      %r\n  expected %r" % (what, got, expected))


# --- scratch space -------------------------------------------------------------------------------

def workdir():
    """The private directory of this test, made by tests/run; by hand, a fresh one."""
    path = os.environ.get("PYIMPORT_TEST_DIR")
    if not path:
        os.makedirs(WORK_BASE, exist_ok=True)
        os.chmod(WORK_BASE, 0o1777)
        path = tempfile.mkdtemp(prefix="manual.", dir=WORK_BASE)
        os.chmod(path, 0o755)
        os.environ["PYIMPORT_TEST_DIR"] = path
    return path


def stage(name, under=None):
    """Copies targets/NAME.py and the content of targets/NAME.d to the work directory.
    Returns the path of the script."""
    to = os.path.join(under or workdir(), name)
    os.makedirs(to, exist_ok=True)
    script = os.path.join(to, name + ".py")
    shutil.copy(os.path.join(TARGETS, name + ".py"), script)
    extra = os.path.join(TARGETS, name + ".d")
    if os.path.isdir(extra):
        shutil.copytree(extra, to, dirs_exist_ok=True,
                        ignore=shutil.ignore_patterns("__pycache__"))
    return script


def write(name, text):
    path = os.path.join(workdir(), name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def marked_line(path, tag):
    """Number of the line that carries `#@tag`."""
    with open(path, encoding="utf-8") as file:
        lines = [n for n, text in enumerate(file, 1) if re.search(r"#\s?@%s\b" % re.escape(tag), text)]
    check(len(lines) == 1, "%s has %d lines marked @%s", path, len(lines), tag)
    return lines[0]


# --- interpreters --------------------------------------------------------------------------------

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
        inside = self.root + WORK_BASE
        os.makedirs(inside, exist_ok=True)
        if not os.path.ismount(inside):
            private_mounts()
            subprocess.run(["mount", "--bind", WORK_BASE, inside], check=True)
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

    add("system", SYSTEM)
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
    for marker in sorted(glob.glob(ROOTS + "/*/.complete")):
        root = os.path.dirname(marker)
        for exe in sorted(glob.glob(root + "/usr/bin/python3.*[0-9]")):
            inner = exe[len(root):]
            add("%s-%s" % (os.path.basename(root), os.path.basename(inner)[6:]), inner, root)
    return found


def minor_of(name):
    match = re.search(r"3\.(\d+)", name if name != "system" else os.path.realpath(SYSTEM))
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
        raise Skip("no %s" % SYSTEM)
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


# --- running -------------------------------------------------------------------------------------

Run = collections.namedtuple("Run", "rc out err")


def clean_env(env=None):
    """The environment of a target: ours, without what would change Python's behaviour."""
    base = {k: v for k, v in os.environ.items()
            if not k.startswith(("PYTHON", "PYIMPORT_", "SUDO_"))}
    base.update(PYTHONDONTWRITEBYTECODE="1", PYTHONHASHSEED="0", LC_ALL="C.UTF-8")
    base.update(env or {})
    return {k: v for k, v in base.items() if v is not None}


def run(argv, env=None, cwd=None, stdin=b""):
    """An untraced run."""
    done = subprocess.run(argv, input=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          cwd=cwd or workdir(), env=clean_env(env), timeout=PATIENCE_S)
    return Run(done.returncode, done.stdout, done.stderr)


def split_stderr(err):
    """(the target's stderr, the tool's lines): the tool marks each line of its own."""
    ours, theirs = [], []
    for line in err.splitlines(keepends=True):
        (ours if line.startswith((b"pyimport-bpf: ", b"  try: ")) else theirs).append(line)
    return b"".join(theirs), b"".join(ours)


def tool_env(env=None):
    """The tool's own sanitizer settings must not reach the target; PATH stays."""
    return clean_env(env)


def trace(argv, opts=(), env=None, cwd=None, stdin=b"", invariants=True):
    """Runs a command under the tool. Returns (Run as the target's, Trace)."""
    report = tempfile.mktemp(prefix="report.", suffix=".json", dir=workdir())
    done = subprocess.run([TOOL, *opts, "--format", "json", "--report", report, "--", *argv],
                          input=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          cwd=cwd or workdir(), env=tool_env(env), timeout=PATIENCE_S)
    theirs, ours = split_stderr(done.stderr)
    result = Run(done.returncode, done.stdout, theirs)
    if not os.path.exists(report):
        raise AssertionError("no report written; status %d, stderr:\n%s" % (
            done.returncode, done.stderr.decode(errors="replace")[-3000:]))
    with open(report, "rb") as file:
        doc = Trace(json.load(file), ours.decode(errors="replace"))
    check(READY in doc.messages, "no '%s' on stderr:\n%s", READY, done.stderr[-2000:])
    if invariants:
        doc.check_invariants()
    return result, doc


def trace_both(argv, opts=(), env=None, cwd=None, stdin=b"", same=True, normalise=None,
               invariants=True):
    """Runs a command untraced and traced; output and exit status must be the same."""
    plain = run(argv, env=env, cwd=cwd, stdin=stdin)
    traced, doc = trace(argv, opts=opts, env=env, cwd=cwd, stdin=stdin, invariants=invariants)
    if same:
        check_same(plain, traced, normalise)
    return traced, doc


def check_same(plain, traced, normalise=None):
    """The contract: the target cannot tell that it was traced. The tool launches a command and
    reports death by signal N as status 128+N, as a shell does."""
    rc = 128 - plain.rc if plain.rc < 0 else plain.rc
    traced_rc = 128 - traced.rc if traced.rc < 0 else traced.rc
    normalise = normalise or (lambda data: data)
    check_equal(normalise(traced.out), normalise(plain.out), "stdout traced against untraced")
    check_equal(normalise(traced.err), normalise(plain.err), "stderr traced against untraced")
    check_equal(traced_rc, rc, "exit status traced against untraced")


class Tracer:
    """The tool running beside its targets (-p, -a): start, wait for readiness, stop, report."""

    def __init__(self, *args, env=None, fmt="json"):
        self.report = tempfile.mktemp(prefix="report.", suffix="." + fmt, dir=workdir())
        self.argv = [TOOL, *map(str, args), "--format", fmt, "--report", self.report]
        self.env = env
        self.proc = None
        self.err = b""
        self._lines = threading.Condition()
        self._eof = False

    def __enter__(self):
        self.proc = subprocess.Popen(self.argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                     stderr=subprocess.PIPE, cwd=workdir(), env=tool_env(self.env),
                                     start_new_session=True)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        try:
            self.wait_for(READY)
        except BaseException:
            self.proc.kill()
            self.proc.wait()
            raise
        return self

    def _read(self):
        for line in self.proc.stderr:
            with self._lines:
                self.err += line
                self._lines.notify_all()
        with self._lines:
            self._eof = True
            self._lines.notify_all()

    def wait_for(self, text):
        """Waits for a line on stderr."""
        with self._lines:
            ok = self._lines.wait_for(lambda: text.encode() in self.err or self._eof,
                                      timeout=PATIENCE_S)
            check(ok and text.encode() in self.err, "the tool never said '%s'; it said:\n%s",
                  text, self.err.decode(errors="replace"))

    def stop(self, sig=signal.SIGINT):
        """First Ctrl-C: stop, drain, report."""
        with contextlib.suppress(ProcessLookupError):
            self.proc.send_signal(sig)
        return self.finish()

    def finish(self):
        """Waits for the tool's own end."""
        try:
            self.rc = self.proc.wait(timeout=PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.proc.kill()
            self.proc.wait()
            raise AssertionError("the tool did not end; stderr:\n%s" %
                                 self.err.decode(errors="replace")) from None
        self._reader.join()
        self.out = self.proc.stdout.read()
        return self

    def trace(self, invariants=True):
        """The parsed report, after stop or finish."""
        check(os.path.exists(self.report), "no report; status %s, stderr:\n%s", self.rc,
              self.err.decode(errors="replace"))
        with open(self.report, "rb") as file:
            doc = Trace(json.load(file), self.err.decode(errors="replace"))
        if invariants:
            doc.check_invariants()
        return doc

    def __exit__(self, *exc):
        if self.proc.poll() is None:
            if exc[0] is None:
                self.stop()
            else:
                self.proc.kill()
                self.proc.wait()


class Target:
    """A target that talks to the test: prints lines, waits for lines."""

    def __init__(self, argv, env=None, cwd=None):
        # No buffer: select() does not see lines that one read brought in along with another.
        self.proc = subprocess.Popen(argv, bufsize=0, stdin=subprocess.PIPE,
                                     stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                     cwd=cwd or workdir(), env=clean_env(env))
        self.pid = self.proc.pid

    def expect(self, text):
        """Reads lines until one is `text`."""
        while True:
            ready, _, _ = select.select([self.proc.stdout], [], [], PATIENCE_S)
            check(ready, "target said nothing, expected %r", text)
            line = self.proc.stdout.readline()
            check(line, "target ended before saying %r: %s", text,
                  self.proc.stderr.read().decode(errors="replace") if not line else "")
            if line.strip() == text.encode():
                return

    def say(self, text="go"):
        self.proc.stdin.write(text.encode() + b"\n")
        self.proc.stdin.flush()

    def finish(self):
        out, err = self.proc.communicate(timeout=PATIENCE_S)
        return Run(self.proc.returncode, out, err)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        if self.proc.poll() is None:
            self.proc.kill()
        self.proc.wait()
        for pipe in (self.proc.stdin, self.proc.stdout, self.proc.stderr):
            with contextlib.suppress(OSError):
                pipe.close()


# --- reading the report --------------------------------------------------------------------------

class Process:
    """One process of the report."""

    def __init__(self, doc):
        self.doc = doc
        self.pid = doc["pid"]
        self.imports = doc["imports"]
        self.edges = doc["edges"]
        self.by_id = {i["id"]: i for i in self.imports}

    def __getitem__(self, key):
        return self.doc[key]

    def named(self, module):
        """Its own loads; those that began in the parent, before fork, are the parent's."""
        return [i for i in self.imports if i["module"] == module and not i.get("inherited")]

    def one(self, module):
        found = self.named(module)
        check(len(found) == 1, "%d loads of %s in process %d; it has: %s", len(found), module,
              self.pid, ", ".join(str(i["module"]) for i in self.imports)[-1500:])
        return found[0]

    def names(self):
        return {i["module"] for i in self.imports if not i.get("inherited")}

    def parent(self, load):
        return self.by_id[load["parent"]] if load["parent"] is not None else None

    def children(self, load):
        return [i for i in self.imports if i["parent"] == load["id"]]

    def ancestors(self, load):
        """From the parent up."""
        chain = []
        while load["parent"] is not None:
            load = self.by_id[load["parent"]]
            chain.append(load)
        return chain

    def edges_of(self, module, file=None, line=None):
        return [e for e in self.edges if e["module"] == module
                and (file is None or (e["importer"]["file"] or "").endswith(file))
                and (line is None or e["importer"]["line"] == line)]

    def start_loads(self):
        return sorted(self.imports, key=lambda i: i["seq"])


class Trace:
    """The report of one run."""

    def __init__(self, doc, messages=""):
        self.doc, self.messages = doc, messages
        self.processes = [Process(p) for p in doc["processes"]]

    def __getitem__(self, key):
        return self.doc[key]

    def python(self):
        """The only process that imported anything."""
        found = [p for p in self.processes if any(not i.get("inherited") for i in p.imports)]
        check(len(found) == 1, "%d processes with imports, expected one: %s", len(found),
              [(p.pid, p["cmdline"]) for p in self.processes])
        return found[0]

    def pid(self, pid):
        found = [p for p in self.processes if p.pid == pid]
        check(found, "no process %d in the report, it has %s", pid,
              [(p.pid, p["cmdline"]) for p in self.processes])
        return found[-1]

    def having(self, module):
        """Processes that loaded a module themselves."""
        return [p for p in self.processes if p.named(module)]

    def check_complete(self):
        check(self.doc["complete"] is True, "not complete: %s", losses(self.doc))

    def check_invariants(self):
        check_invariants(self.doc)


def losses(doc):
    return {k: v for k, v in doc["loss"].items() if v}


IMPORT_FIELDS = ("id parent tid seq module result error kind file via importer start_ns wall_ns "
                 "self_ns cpu_ns self_cpu_ns wait_ns stages_ns io rss_delta exact").split()
PROCESS_FIELDS = ("pid nspid ppid start_ns end_ns comm cmdline exe cwd python cgroup container "
                  "attached_late exit phases imports edges files libs net findings").split()


def check_invariants(doc):
    """What holds for every report, whatever was traced (the JSON contract's last paragraph)."""
    check(isinstance(doc["schema_version"], int), "schema_version: %r", doc["schema_version"])
    for key in ("tool", "host", "complete", "loss", "processes"):
        check(key in doc, "no %r in the document", key)
    check(isinstance(doc["complete"], bool), "complete: %r", doc["complete"])
    check(all(isinstance(v, int) and v >= 0 for v in doc["loss"].values()), "loss: %r", doc["loss"])
    if doc["complete"]:
        check(not losses(doc), "complete, yet lost: %s", losses(doc))
    ids = set()
    for process in doc["processes"]:
        missing = [f for f in PROCESS_FIELDS if f not in process]
        check(not missing, "process %s lacks %s", process.get("pid"), missing)
        check_process(process, ids)


def check_process(process, ids):
    imports = process["imports"]
    by_id = {}
    adds_up.check_startup(process)
    for load in imports:
        where = "import %s of process %s" % (load.get("module"), process["pid"])
        missing = [f for f in IMPORT_FIELDS if f not in load]
        check(not missing, "%s lacks %s", where, missing)
        check(load["id"] not in by_id, "%s: id %s twice", where, load["id"])
        by_id[load["id"]] = load
        check(load["result"] in RESULTS, "%s: result %r", where, load["result"])
        check(load["kind"] in KINDS, "%s: kind %r", where, load["kind"])
        check(load["via"] in VIAS, "%s: via %r", where, load["via"])
        check(load["module"] is None or isinstance(load["module"], str), "%s: module", where)
        if load["error"] is not None:
            check(load["result"] == "failed", "%s: error %r though %s", where, load["error"],
                  load["result"])
        importer = load["importer"] or {}
        line = importer.get("line")
        check(importer.get("file") or not importer.get("module"), "%s: importer of no file: %r",
              where, importer)
        check(line is None or line > 0, "%s: line %r is invented", where, line)
        for key in ("wall_ns", "self_ns", "start_ns"):
            check(load[key] is None or (isinstance(load[key], int) and load[key] >= 0),
                  "%s: %s is %r", where, key, load[key])
        if load["result"] != "unfinished":
            check(load["wall_ns"] is not None, "%s: finished without wall time", where)
            if load["self_ns"] is not None:
                check(load["self_ns"] <= load["wall_ns"], "%s: self > wall", where)
        for stage, ns in (load["stages_ns"] or {}).items():
            check(ns is None or ns >= 0, "%s: stage %s is %r", where, stage, ns)
    seqs = [i["seq"] for i in imports]
    check(len(seqs) == len(set(seqs)), "process %s: seq not unique", process["pid"])
    check_times(process, by_id)
    for edge in process["edges"]:
        check(edge["count"] >= 1 and 0 <= edge["cached"] <= edge["count"], "edge %r", edge)
        check(edge["module"], "edge without module: %r", edge)


def check_times(process, by_id):
    """Parents exist, enclose their children, and add up."""
    children = collections.defaultdict(list)
    for load in process["imports"]:
        if load["parent"] is not None:
            check(load["parent"] in by_id, "process %s: %s has unknown parent %s", process["pid"],
                  load["module"], load["parent"])
            children[load["parent"]].append(load)
    for load in process["imports"]:
        seen, at = set(), load
        while at["parent"] is not None:
            check(at["id"] not in seen, "process %s: cycle through %s", process["pid"],
                  at["module"])
            seen.add(at["id"])
            at = by_id[at["parent"]]
    for parent_id, loads in children.items():
        parent = by_id[parent_id]
        same = [c for c in loads if c["tid"] == parent["tid"]]
        for child in same:
            if not (parent["exact"] and child["exact"]):
                continue
            check(child["start_ns"] >= parent["start_ns"], "%s starts before its parent %s",
                  child["module"], parent["module"])
            if None not in (child["wall_ns"], parent["wall_ns"]):
                check(child["start_ns"] + child["wall_ns"] <= parent["start_ns"] +
                      parent["wall_ns"], "%s ends after its parent %s", child["module"],
                      parent["module"])
    for load in process["imports"]:
        same = [c for c in children[load["id"]] if c["tid"] == load["tid"]]
        known = [load] + same
        if all(i["exact"] and i["wall_ns"] is not None for i in known) \
                and load["self_ns"] is not None:
            total = load["self_ns"] + sum(c["wall_ns"] for c in same)
            check(total == load["wall_ns"], "%s: wall %d is not self %d + children %d",
                  load["module"], load["wall_ns"], load["self_ns"], total - load["self_ns"])


# --- small helpers -------------------------------------------------------------------------------

def wait_until(predicate, what):
    """Polls for something that has no event to wait for."""
    deadline = time.monotonic() + PATIENCE_S
    while not predicate():
        check(time.monotonic() < deadline, "waited in vain for %s", what)
        time.sleep(0.01)


def set_nonblocking(fd):
    fcntl.fcntl(fd, fcntl.F_SETFL, fcntl.fcntl(fd, fcntl.F_GETFL) | os.O_NONBLOCK)
