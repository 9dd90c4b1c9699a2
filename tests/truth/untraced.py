# SPDX-License-Identifier: BSD-2-Clause
"""Untraced runs of one command in a mount namespace of their own, in which changed files stand for
the real ones. So every run has the same paths, whatever was taken out of it."""
import collections
import ctypes
import json
import os
import shutil
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

import lib  # noqa: E402

GAP_NS = 1000000000 # docs/glossary.md: a second without an import ends the run of them
CLONE_NEWNS, MS_BIND, MS_REC, MS_PRIVATE = 0x20000, 4096, 16384, 1 << 18
libc = ctypes.CDLL(None, use_errno=True)

# Times in ns: the start-up by the definition of the glossary, and until the program ran to its end.
Run = collections.namedtuple("Run", "rc startup_ns imports_ns whole_ns modules")


def mount(source, target, flags):
    if libc.mount(source.encode(), target.encode(), b"none", flags, None):
        raise OSError(ctypes.get_errno(), "mount %s" % target)


def spy_dir():
    path = os.path.join(lib.workdir(), "spy")
    if not os.path.isdir(path):
        os.makedirs(path)
        shutil.copy(os.path.join(os.path.dirname(os.path.abspath(__file__)), "spy.py"),
                    path + "/usercustomize.py")
    return path


def read_run(path, begin_ns, rc):
    with open(path, encoding="utf-8") as file:
        end_ns, spans, *modules = file.read().splitlines()
    last_ns, imports_ns = 0, 0
    for begin, end in json.loads(spans.replace("(", "[").replace(")", "]")):
        if last_ns and begin - last_ns > GAP_NS:
            break
        last_ns, imports_ns = end, imports_ns + end - begin
    return [rc, (last_ns or int(end_ns)) - begin_ns, imports_ns, int(end_ns) - begin_ns, modules]


def run_once(argv, cwd, env):
    """First in line for a processor, so that what else runs here is no part of the question."""
    out = env["TRUTH_OUT"]
    if os.path.exists(out):
        os.unlink(out)
    os.chdir(cwd)
    null = [(os.POSIX_SPAWN_OPEN, fd, "/dev/null", os.O_RDWR, 0) for fd in (0, 1)]
    err = (os.POSIX_SPAWN_OPEN, 2, out + ".err", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    begin_ns = time.monotonic_ns()
    pid = os.posix_spawn(argv[0], argv, env, file_actions=null + [err],
                         scheduler=(os.SCHED_FIFO, os.sched_param(10)))
    rc = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if not os.path.exists(out):
        return [rc, 0, 0, 0, []]
    return read_run(out, begin_ns, rc)


class Place:
    """A process in a mount namespace with @pairs [(changed file, the path it stands for)]."""
    open = [] # a pipe must have no other end in a process that was forked later

    def __init__(self, argv, cwd, pairs, env=None):
        env = lib.clean_env({"PYTHONPATH": spy_dir(), "TRUTH_OUT": "%s/out.%d" % (
            lib.workdir(), id(self)), **(env or {})})
        self.err = env["TRUTH_OUT"] + ".err"
        ask_r, ask_w = os.pipe()
        answer_r, answer_w = os.pipe()
        self.pid = os.fork()
        if not self.pid:
            for other in Place.open:
                other.ask.close()
                other.answer.close()
            os.close(ask_w)
            os.close(answer_r)
            self._serve(os.fdopen(ask_r), os.fdopen(answer_w, "w"), argv, cwd, pairs, env)
        os.close(ask_r)
        os.close(answer_w)
        self.ask, self.answer = os.fdopen(ask_w, "w"), os.fdopen(answer_r)
        Place.open.append(self)

    def _serve(self, ask, answer, argv, cwd, pairs, env):
        status = 1
        try:
            if libc.unshare(CLONE_NEWNS):
                raise OSError(ctypes.get_errno(), "unshare")
            mount("none", "/", MS_REC | MS_PRIVATE)
            for source, target in pairs:
                mount(source, target, MS_BIND)
            for _ in ask:
                print(json.dumps(run_once(argv, cwd, env)), file=answer, flush=True)
            status = 0
        finally:
            os._exit(status)

    def run(self):
        print("run", file=self.ask, flush=True)
        return Run(*json.loads(self.answer.readline()))

    def why(self):
        with open(self.err, encoding="utf-8", errors="replace") as file:
            return (file.read().strip().splitlines() or ["nothing on stderr"])[-1]

    def close(self):
        Place.open.remove(self)
        self.ask.close()
        self.answer.close()
        os.waitpid(self.pid, 0)
