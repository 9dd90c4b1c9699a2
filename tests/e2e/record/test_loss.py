#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What is lost is counted and shown; nothing is lost when it need not be."""
import os
import signal

import lib

BURST = """
import sys
sys.path.insert(0, %(home)r)
print("up", flush=True)
sys.stdin.readline()
for n in range(%(count)d):
    __import__("ls_%%d" %% n)
print(sum(m.startswith("ls_") for m in sys.modules), flush=True)
"""


def burst(count, *opts):
    """Imports `count` modules while the tool is stopped, so that only the ring holds them."""
    for n in range(count):
        lib.write("ls/ls_%d.py" % n, "VALUE = 1\n")
    script = lib.write("ls.py", BURST % {"home": lib.workdir() + "/ls", "count": count})
    with lib.Target([lib.system().exe, script]) as target:
        target.expect("up")
        with lib.Tracer(*opts, "-p", target.pid) as tracer:
            os.kill(tracer.proc.pid, signal.SIGSTOP)
            target.say()
            target.expect(str(count))
            run = target.finish()
            os.kill(tracer.proc.pid, signal.SIGCONT)
            tracer.finish()
    lib.check_equal(run.rc, 0, "status of the target")
    return tracer


@lib.test(params={"uprobe_multi": (), "perf": ("--perf-uprobes",)})
def test_tiny_ring(opts):
    """64 kb hold a few hundred records: the rest is counted, and what is there is right."""
    tracer = burst(3000, "--ring", "64kb", *opts)
    lib.check_equal(tracer.rc, 0, "status without --strict")
    doc = tracer.trace()
    lib.check(doc["complete"] is False, "said to be complete")
    lib.check(lib.losses(doc.doc), "no counter: %s", doc["loss"])
    found = {i["module"] for p in doc.processes for i in p.imports}
    lib.check(len([m for m in found if m and m.startswith("ls_")]) < 3000, "nothing was lost")


@lib.test()
def test_tiny_ring_text():
    """The text views say it too."""
    for n in range(3000):
        lib.write("ls/ls_%d.py" % n, "VALUE = 1\n")
    script = lib.write("ls.py", BURST % {"home": lib.workdir() + "/ls", "count": 3000})
    for view in ("summary", "tree", "blame"):
        with lib.Target([lib.system().exe, script]) as target:
            target.expect("up")
            tracer = lib.Tracer("--ring", "64kb", "--view", view, "-p", target.pid, fmt="text")
            with tracer:
                os.kill(tracer.proc.pid, signal.SIGSTOP)
                target.say()
                target.finish()
                os.kill(tracer.proc.pid, signal.SIGCONT)
                tracer.finish()
        with open(tracer.report) as file:
            text = file.read()
        lib.check("lost" in text.lower() or "incomplete" in text.lower() or
                  "not complete" in text.lower(), "the %s view does not say it:\n%s", view,
                  text[-1500:])


@lib.test()
def test_strict():
    """--strict: status 4 on loss, 0 without."""
    tracer = burst(3000, "--ring", "64kb", "--strict")
    lib.check_equal(tracer.rc, 4, "status, %r" % tracer.err)
    tracer = burst(20, "--strict")
    lib.check_equal(tracer.rc, 0, "status, %r" % tracer.err)


@lib.test()
def test_default_ring_holds_a_pause():
    """The default ring bridges a tool that does not run for 1,000 modules."""
    tracer = burst(1000)
    doc = tracer.trace()
    doc.check_complete()
    lib.check_equal(len([i for p in doc.processes for i in p.imports
                         if i["module"].startswith("ls_")]), 1000, "modules")


@lib.test()
def test_strict_passes_the_status_on():
    traced, _ = lib.trace([lib.system().exe, "-c", "raise SystemExit(6)"], opts=["--strict"])
    lib.check_equal(traced.rc, 6, "status of the command")


if __name__ == "__main__":
    lib.main()
