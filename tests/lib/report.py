# SPDX-License-Identifier: BSD-2-Clause
"""Reading a report, and what holds for every one."""
import collections

from lib import adds_up
from lib.cases import check

RESULTS = {"loaded", "failed", "unfinished"}
KINDS = {"source", "bytecode", "extension", "builtin", "frozen", "namespace", "zip", "lazy",
         "unknown", None}
VIAS = {"statement", "import_module", "main", "reload", "native", "lazy", "loader", None}


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
        # The body of an extension module has no file of its own, and no lines.
        check(importer.get("file") or not importer.get("module") or
              load["unknown"][:1] == ["importer.line"], "%s: importer of no file: %r", where, importer)
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


def own_ns(load, key="self_ns"):
    """A time of its own without what tracing took, as text and savings have it."""
    return None if load[key] is None else load[key] - (load["overhead_ns"] or 0)


def check_overhead(process, children):
    """What tracing took is never more than what was measured, and adds up like it."""
    for load in process["imports"]:
        own, total = load["overhead_ns"], load["overhead_total_ns"]
        check((own is None) == (total is None), "%s: overhead %r, %r", load["module"], own, total)
        if own is None:
            continue
        check(0 <= own <= load["self_ns"] and total <= load["wall_ns"],
              "%s: tracing took more than all", load["module"])
        inside = [c["overhead_total_ns"] or 0 for c in children[load["id"]]
                  if c["tid"] == load["tid"]]
        check(not load["exact"] or total == own + sum(inside),
              "%s: overhead %d is not %d and the children's", load["module"], total, own)


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
    check_overhead(process, children)
    for load in process["imports"]:
        same = [c for c in children[load["id"]] if c["tid"] == load["tid"]]
        known = [load] + same
        if all(i["exact"] and i["wall_ns"] is not None for i in known) \
                and load["self_ns"] is not None:
            total = load["self_ns"] + sum(c["wall_ns"] for c in same)
            check(total == load["wall_ns"], "%s: wall %d is not self %d + children %d",
                  load["module"], load["wall_ns"], load["self_ns"], total - load["self_ns"])
