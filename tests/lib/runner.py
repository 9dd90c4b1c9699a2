# SPDX-License-Identifier: BSD-2-Clause
"""Running targets, alone and under the tool."""
import collections
import contextlib
import json
import os
import select
import signal
import subprocess
import tempfile
import threading

from lib import settings
from lib.cases import check, check_equal, workdir
from lib.report import Trace

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
                          cwd=cwd or workdir(), env=clean_env(env), timeout=settings.PATIENCE_S)
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
    done = subprocess.run([settings.TOOL, *opts, "--format", "json", "--report", report, "--", *argv],
                          input=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          cwd=cwd or workdir(), env=tool_env(env), timeout=settings.PATIENCE_S)
    theirs, ours = split_stderr(done.stderr)
    result = Run(done.returncode, done.stdout, theirs)
    if not os.path.exists(report):
        raise AssertionError("no report written; status %d, stderr:\n%s" % (
            done.returncode, done.stderr.decode(errors="replace")[-3000:]))
    with open(report, "rb") as file:
        doc = Trace(json.load(file), ours.decode(errors="replace"))
    check(settings.READY in doc.messages, "no '%s' on stderr:\n%s", settings.READY, done.stderr[-2000:])
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
        self.report = tempfile.mktemp(prefix="report.", suffix="." + (fmt or "none"), dir=workdir())
        self.argv = [settings.TOOL, *map(str, args)]
        if "-a" in args and "--ring" not in args: # other tests and their tracers fill it as well
            self.argv += ["--ring", "32mb"]
        if fmt: # `record` writes no report
            self.argv += ["--format", fmt, "--report", self.report]
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
            self.wait_for(settings.READY)
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
                                      timeout=settings.PATIENCE_S)
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
            self.rc = self.proc.wait(timeout=settings.PATIENCE_S)
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
        check(os.path.exists(self.report) and os.path.getsize(self.report),
              "no report; status %s, stderr:\n%s", self.rc, self.err.decode(errors="replace"))
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
            ready, _, _ = select.select([self.proc.stdout], [], [], settings.PATIENCE_S)
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
        out, err = self.proc.communicate(timeout=settings.PATIENCE_S)
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
