#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What the agent takes at a steady rate of the shortest starts of Python, and what a scrape takes: root, no load beside.

  tests/bench/rate.py [--rate 50] [--seconds 30] [--series 12] [-- COMMAND]

A start costs this machine more than the agent: what all of them took, with the agent and without, says whose
limit it is when the rate is not reached."""
import argparse
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import lib  # noqa: E402
from lib.agents import Agent, Cgroup  # noqa: E402

# In the cgroup from before the agent looks: it is no start itself.
SPAWNER = """import os, resource, sys, time
open(sys.argv[1] + "/cgroup.procs", "w").write(str(os.getpid()))
rate, seconds, argv = float(sys.argv[2]), float(sys.argv[3]), sys.argv[4:]
print("here", flush=True)
sys.stdin.readline()
begin, count, alive = time.monotonic(), 0, 0
while time.monotonic() < begin + seconds:
    time.sleep(max(0, begin + count / rate - time.monotonic()))
    while alive:
        if not os.waitpid(-1, os.WNOHANG if alive < 40 else 0)[0]:
            break
        alive -= 1
    os.posix_spawn(argv[0], argv, os.environ)
    count, alive = count + 1, alive + 1
while alive:
    os.wait()
    alive -= 1
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(count, time.monotonic() - begin, used.ru_utime + used.ru_stime)
"""


class Spawner:
    def __init__(self, cgroup, args):
        self.proc = subprocess.Popen([lib.settings.SYSTEM, "-c", SPAWNER, cgroup.path, str(args.rate), str(args.seconds),
                                      *args.command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                     env=lib.clean_env(), cwd=lib.workdir())
        self.proc.stdout.readline()

    def run(self):
        """(starts, seconds, their CPU time)"""
        return [float(word) for word in self.proc.communicate("go\n")[0].split()]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rate", type=float, default=50)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--series", type=int, default=12)
    parser.add_argument("command", nargs="*")
    args = parser.parse_args()
    args.command = args.command or [os.path.realpath(lib.settings.SYSTEM), "-I", "-S", "-c", "pass"]
    with Cgroup() as cgroup:
        count, _, used = Spawner(cgroup, args).run()
        print("without the agent: %.2f ms of CPU time a start" % (used * 1e3 / count), flush=True)
        spawner = Spawner(cgroup, args)
        with Agent(cgroup, "--max-series", "1000") as agent:
            for i in range(args.series):
                cgroup.start([args.command[0], "-I", "-S", lib.write("entry%d.py" % i, "pass\n")]).wait()
            lib.wait_until(lambda: agent.sum_of("pyimport_starts_total") >= args.series, "the entry points")
            before, load = agent.cpu_s(), os.getloadavg()[0]
            count, took, used = spawner.run()
            after = agent.cpu_s()
            lost = {dict(labels)["cause"]: value for (name, labels), value in agent.samples().items()
                    if name == "pyimport_lost_records_total" and value}
            lib.wait_until(lambda: lost or agent.sum_of("pyimport_starts_total") >= args.series + count, "all starts")
            print("with it: %.1f starts a second for %.0f s, %.2f ms of CPU time each, load %.1f" % (
                count / took, took, used * 1e3 / count, load))
            print("the agent: %.2f ms a start, %.2f %% of a core; its holder: %.2f %%" % (
                (after[0] - before[0]) * 1e3 / count, (after[0] - before[0]) * 100 / took, (after[1] - before[1]) * 100 / took))
            print("%d started, %d counted; lost: %r" % (count, agent.sum_of("pyimport_starts_total") - args.series, lost))
            series, times = agent.scrapes(20)
            print("a scrape of %d series: median %.1f ms, at most %.1f" % (series, times[10], times[-1]))


if __name__ == "__main__":
    main()
