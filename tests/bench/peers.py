# SPDX-License-Identifier: BSD-2-Clause
"""What else one would use in place of this tool, as modes of a bench row."""
import contextlib
import shutil
import signal
import subprocess

import lib


@contextlib.contextmanager
def nothing():
    yield


@contextlib.contextmanager
def bpftrace(python):
    """Entry and return probe with a histogram, what one would write by hand."""
    probe = python + ":PyImport_ImportModuleLevelObject"
    text = ("uprobe:%s { @start[tid] = nsecs; } uretprobe:%s /@start[tid]/ "
            "{ @ns = hist(nsecs - @start[tid]); delete(@start[tid]); } "
            "interval:ms:100 { printf(\"alive\\n\"); }" % (probe, probe))
    proc = subprocess.Popen(["bpftrace", "-e", text], stdout=subprocess.PIPE,
                            stderr=subprocess.DEVNULL, start_new_session=True)
    for line in proc.stdout:
        if b"alive" in line:
            break
    else:
        raise lib.Skip("bpftrace does not work here")
    try:
        yield
    finally:
        proc.send_signal(signal.SIGINT)
        proc.communicate()


def peers(python, argv):
    """What else one would use, where it is here."""
    to_null = {"strace -f -c": ["strace", "-f", "-c", "-o", "/dev/null"],
               "perf trace -s": ["perf", "trace", "-s", "-o", "/dev/null"],
               "py-spy record": ["py-spy", "record", "-o", lib.workdir() + "/py-spy.svg", "--"]}
    modes = {"-X importtime": (nothing, argv[:1] + ["-X", "importtime"] + argv[1:], (), (), "")}
    if shutil.which("bpftrace"):
        modes["bpftrace, uprobe + uretprobe"] = (lambda: bpftrace(python), argv, (), (), "")
    for name, words in to_null.items():
        if shutil.which(words[0]):
            modes[name] = (nothing, argv, (), words, "")
    return modes
