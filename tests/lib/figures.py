# SPDX-License-Identifier: BSD-2-Clause
"""What figures of a report must be: near the truth, and the sum of their parts."""
from lib.cases import check

MS = 1_000_000


def near(got, truth, what, slack=0):
    """Within 5 % (or @slack)."""
    check(got is not None and abs(got - truth) <= max(truth * 0.05, slack),
          "%s: %s, the truth is %s", what, got, truth)


def check_sums(process):
    """CPU and waits are the wall time; CPU by time slices, which nobody subtracted from anything,
    agrees with it over the whole process."""
    for load in process.imports:
        if load["wall_ns"] is None or load["cpu_ns"] is None:
            continue
        total = load["cpu_ns"] + sum(load["wait_ns"].values())
        check(abs(total - load["wall_ns"]) <= max(load["wall_ns"] * 0.01, MS / 2),
              "%s: cpu + waits %d, wall %d", load["module"], total, load["wall_ns"])
    causes = process["causes"]
    if causes["total"]["cpu_ns"] is None or not process["end_ns"]:
        return
    tids = {i["tid"] for i in process.imports}
    if tids == {process.pid} and not causes["other_threads"]["cpu_ns"]:
        total = causes["total"]["cpu_ns"] + sum(causes["total"]["wait_ns"].values())
        wall = process["end_ns"] - process["start_ns"]
        check(abs(total - wall) <= max(wall * 0.01, MS), "process: cpu + waits %d, wall %d",
              total, wall)
