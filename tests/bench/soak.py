#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""`make soak`: traces the whole host while Pythons start and end, and prints what the tracer holds
over time. What grows here grows without end.

Usage: soak.py [--minutes N] [--rate STARTS_PER_S] [--samples N] [--tool PATH] [--cgroup]
               [--code CODE] [TOOL ARGUMENT ...]"""
import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

import tables

# What could fill: processes, code, statements, names of files, what is counted of files and imports.
TABLES = ("procs", "code_slots", "codes", "edge_slots", "edges", "path_slots", "paths", "file_cnts", "files",
          "charges", "links", "conns", "effects")
REPO = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def family(pid):
    """The tracer and the process that holds for it."""
    with open("/proc/%d/task/%d/children" % (pid, pid), encoding="ascii") as file:
        return [pid] + [int(word) for word in file.read().split()]


def resident_kb(pid):
    with open("/proc/%d/status" % pid, encoding="ascii", errors="replace") as file:
        return next((int(l.split()[1]) for l in file if l.startswith("VmRSS")), 0)


def descriptors(pid):
    return len(os.listdir("/proc/%d/fd" % pid))


def exec_ms(workdir):
    """How long a program that nobody has seen takes from fork to end: it is held until it is known."""
    path = workdir + "/fresh"
    shutil.copy("/bin/true", path)
    began = time.monotonic()
    subprocess.run([path], check=True)
    took = time.monotonic() - began
    os.unlink(path)
    return took * 1e3


def held(tool, capture):
    """What the report says of all holds."""
    done = subprocess.run([tool, "report", "--format", "json", capture], stdout=subprocess.PIPE, check=False)
    try:
        return json.loads(done.stdout)["held"]
    except ValueError:
        return None


class Load:
    """Starts the rate's Pythons until stopped."""
    def __init__(self, rate, code, cgroup):
        self.started, self.end, self.cgroup = 0, threading.Event(), cgroup
        self.thread = threading.Thread(target=self.run, args=(rate, code), daemon=True)

    def join_cgroup(self):
        if self.cgroup:
            with open(self.cgroup + "/cgroup.procs", "w", encoding="ascii") as file:
                file.write(str(os.getpid()))

    def run(self, rate, code):
        begin, live = time.monotonic(), []
        while not self.end.is_set():
            due = int((time.monotonic() - begin) * rate)
            while self.started < due and len(live) < 64:
                live.append(subprocess.Popen(["/usr/bin/python3", "-c", code], stdout=subprocess.DEVNULL,
                                             preexec_fn=self.join_cgroup))
                self.started += 1
            live = [p for p in live if p.poll() is None]
            self.end.wait(0.02)
        for process in live:
            process.wait()


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--minutes", type=float, default=120)
    parser.add_argument("--rate", type=float, default=20)
    parser.add_argument("--samples", type=int, default=12)
    parser.add_argument("--tool", default=os.path.join(REPO, "pyimport-bpf"))
    parser.add_argument("--code", default="import json, decimal")
    parser.add_argument("--cgroup", action="store_true")
    opts, words = parser.parse_known_args()
    workdir = tempfile.mkdtemp(prefix="pyimport-soak.", dir="/var/tmp")
    cgroup = None
    if opts.cgroup:
        tops = ("/sys/fs/cgroup", "/sys/fs/cgroup/pids") # version 2, or a hierarchy of version 1
        top = next(t for t in tops if os.path.exists(t + "/cgroup.procs"))
        cgroup = tempfile.mkdtemp(prefix="pyimport-soak.", dir=top)
    words = words or ["record", "-o", workdir + "/soak.cap"]
    scope = ["--cgroup", cgroup] if cgroup else ["-a"]
    print("%s %s: %g starts a second of %r" % (" ".join(words), scope[0], opts.rate, opts.code), flush=True)
    with open(workdir + "/log", "w+", encoding="utf-8") as log:
        tracer = subprocess.Popen([opts.tool, *words, *scope], stderr=log, stdout=log)
        while "pyimport-bpf: tracing" not in open(log.name, encoding="utf-8").read():
            if tracer.poll() is not None:
                sys.exit(open(log.name, encoding="utf-8").read())
            time.sleep(0.1)
        load = Load(opts.rate, opts.code, cgroup)
        load.thread.start()
        begin = time.monotonic()
        print("minutes  starts  tracer MB  holder MB  descriptors  exec ms  " + "  ".join(TABLES), flush=True)
        for sample in range(opts.samples + 1):
            wait = begin + sample * opts.minutes * 60 / opts.samples - time.monotonic()
            time.sleep(max(wait, 2 if not sample else 0))
            if tracer.poll() is not None:
                break
            pids = family(tracer.pid)
            entries = tables.of_process(tracer.pid, TABLES)
            print("%7.1f %7d %10.1f %10.1f %12d %8.1f  " % (
                (time.monotonic() - begin) / 60, load.started, resident_kb(tracer.pid) / 1024,
                sum(resident_kb(p) for p in pids[1:]) / 1024, sum(descriptors(p) for p in pids),
                exec_ms(workdir)) + "  ".join(
                    "-".rjust(len(name)) if entries[name] is None else "%*d" % (len(name), entries[name])
                    for name in TABLES), flush=True)
        load.end.set()
        load.thread.join()
        tracer.send_signal(signal.SIGINT)
        peak = 0
        while tracer.poll() is None:
            try:
                peak = max(peak, resident_kb(tracer.pid))
            except OSError:
                break
            time.sleep(0.02)
        status = tracer.wait()
    print("at the end: status %d, peak %.1f MB while finishing" % (status, peak / 1024))
    for line in open(workdir + "/log", encoding="utf-8", errors="replace").read().splitlines()[-6:]:
        print("  " + line[:160])
    if os.path.exists(workdir + "/soak.cap"):
        print("held: %s" % json.dumps(held(opts.tool, workdir + "/soak.cap")))
    for name in os.listdir(workdir):
        print("  %s: %.1f MB" % (name, os.path.getsize(os.path.join(workdir, name)) / 1e6))
    shutil.rmtree(workdir)
    if cgroup:
        os.rmdir(cgroup)


if __name__ == "__main__":
    main()
