# SPDX-License-Identifier: BSD-2-Clause
"""Groups of processes that did the same, worked out from the imports of each."""
from lib.cases import check, check_equal


def own(process):
    return {(i["module"], i["result"]) for i in process.imports if not i["inherited"]}


def outermost_ns(process):
    """By hand, from the imports: the outermost that are no main module."""
    total = 0
    for load in process.imports:
        above = process.ancestors(load)
        if load["via"] == "main" or load["inherited"] or load["wall_ns"] is None or \
                any(a["via"] != "main" and not a["inherited"] for a in above):
            continue
        total += load["wall_ns"]
    return total


def check_groups(doc):
    """What holds for the groups of any report."""
    by_serial = {p["serial"]: p for p in doc.processes}
    seen = [s for g in doc["groups"] for s in g["serials"]]
    check_equal(sorted(seen), sorted(by_serial), "each process in one group")
    for group in doc["groups"]:
        members = [by_serial[s] for s in group["serials"]]
        check_equal(group["count"], len(members), "count of a group")
        check(all(p["group"] == group["id"] for p in members), "group of its members")
        check(all(own(p) == own(members[0]) for p in members), "members loaded the same")
        times = [p["own_import_ns"] for p in members if p["own_import_ns"] is not None]
        check_equal(times, sorted(times), "members by time")
        if not times:
            continue
        spread = group["own_import_ns"]
        check_equal((spread["min"], spread["median"], spread["max"]),
                        (times[0], times[(len(times) - 1) // 2], times[-1]), "spread")
        check_equal(by_serial[group["typical"]]["own_import_ns"], spread["median"], "typical")
    for process in doc.processes:
        if process["own_import_ns"] is not None:
            check_equal(process["own_import_ns"], outermost_ns(process), "own import time")


def check_inherited(doc, child):
    """As many as the parent had loaded, or inherited, when the child was forked."""
    parent = next(p for p in doc.processes if p["serial"] == child["parent_serial"])
    before = {i["module"] for i in parent.imports if i["result"] == "loaded"
              and not i["inherited"] and i["start_ns"] + i["wall_ns"] <= child["start_ns"]}
    check_equal(child["inherited_modules"], len(before) + (parent["inherited_modules"] or 0),
                    "modules inherited by %d" % child.pid)


def children_of(doc, process):
    return [p for p in doc.processes if p["parent_serial"] == process["serial"]]
