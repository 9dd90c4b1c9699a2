# SPDX-License-Identifier: BSD-2-Clause
"""Holds a process of a report against what the spy saw of the same program. Each difference has a
class, `field: form of the statement`, by which they are counted."""
import collections
import difflib
import functools
import re

import generate


class Difference:
    def __init__(self, field, form, text):
        self.name, self.text = "%s: %s" % (field, form), text


@functools.lru_cache(maxsize=None)
def lines_of(path):
    try:
        with open(path) as file:
            return file.read().splitlines()
    except OSError:
        return None


def form_of(importer):
    """The form of the statement that stands there."""
    _, file, line = importer
    lines = lines_of(file) if file else None
    if lines is None:
        return "code of exec" if file else "unknown"
    found = re.search(r"#: (.*)$", lines[line - 1]) if line and line <= len(lines) else None
    return found.group(1) if found else "no statement"


class Load:
    def __init__(self, name, parent, result, error, via, importer, has_searched=True):
        self.name, self.parent, self.result, self.error = name, parent, result, error
        self.via, self.importer, self.has_searched = via, importer, has_searched

    @property
    def path(self):
        """With what it lies in, as far as a reader needs it."""
        names, at = [], self
        while at and len(names) < 4:
            names.append(at.name)
            at = at.parent
        return ("…/" if at else "") + "/".join(reversed(names))


def is_served(spied_load):
    """One module is one load: `import p.q` loads p first, and when p's body has loaded p.q, all
    that is left of the outer one is to find it."""
    *_, result, _, via, _, has_searched, _ = spied_load
    return result == "loaded" and via != "reload" and not has_searched


def of_spy(spied):
    """The loads of our names, in order of start; what is not ours is left out of the tree."""
    every = []
    for name, parent, _, result, error, via, importer, has_searched, _ in spied["loads"]:
        every.append(Load(name, every[parent] if parent is not None else None, result, error, via,
                          tuple(importer), has_searched))
    return kept([load for load, seen in zip(every, spied["loads"])
                 if is_ours(load) and not is_served(seen)])


def of_report(process):
    by_id, every = {}, []
    for load in process.start_loads():
        site = load["importer"] or {}
        made = Load(load["module"] or "", by_id.get(load["parent"]), load["result"],
                    load["error"], load["via"],
                    (site.get("module"), site.get("file"), site.get("line")))
        by_id[load["id"]] = made
        every.append(made)
    return kept([load for load in every if is_ours(load)])


def is_ours(load):
    return load.name.startswith(generate.PREFIX)


def kept(loads):
    """These alone, each below the nearest of them that it was below."""
    chosen = {id(load) for load in loads}
    for load in loads:
        while load.parent and id(load.parent) not in chosen:
            load.parent = load.parent.parent
    return loads


def compare_loads(want, got):
    # Paired by name and parent's name: a load in another place is found as `parent`, not as two.
    pairs = difflib.SequenceMatcher(None, [l.name for l in want], [l.name for l in got],
                                    autojunk=False)
    found, partner = [], {}
    for tag, a, b, c, d in pairs.get_opcodes():
        if tag == "equal":
            for one, two in zip(want[a:b], got[c:d]):
                partner[id(one)] = two
                found += compare_load(one, two, partner)
            continue
        found += [Difference("missing load" if l.has_searched else "missing load without a search",
                             form_of(l.importer), "%s, from %s" % (l.path, l.importer))
                  for l in want[a:b]]
        found += [Difference("load that never was", form_of(l.importer), "%s, from %s, %s %s" % (
            l.path, l.importer, l.result, l.error)) for l in got[c:d]]
    return found


def compare_load(one, two, partner):
    found, form = [], form_of(one.importer)

    def differ(field, want, got):
        if want != got:
            found.append(Difference(field, form, "%s from %s: %s is %r, expected %r" % (
                one.path, one.importer, field, got, want)))

    if one.parent is None or two.parent is None or partner.get(id(one.parent)) is not two.parent:
        differ("parent", one.parent and one.parent.path, two.parent and two.parent.path)
    if two.result == "unfinished":
        differ("end not seen", one.result, two.result)
    else:
        differ("result", one.result, two.result)
        differ("error not known" if one.result == two.result and two.error is None else
               "error", one.error, two.error)
    differ("via", one.via, two.via)
    for n, field in enumerate(("importer's module", "importer's file", "importer's line")):
        differ(field, one.importer[n], two.importer[n])
    return found


def compare_runs(spied, process):
    """Each statement's runs, and how many of them found the module."""
    got, found = {}, []
    for edge in process.edges:
        if not edge["module"].startswith(generate.PREFIX):
            continue
        site = edge["importer"]
        count = got.setdefault((site["module"], site["file"], site["line"], edge["module"]), [0, 0])
        count[0] += edge["count"]
        count[1] += edge["cached"]
    found_there = collections.Counter((*load[6], load[0]) for load in spied["loads"]
                                      if is_served(load) and load[5] == "statement")
    # Of `import p.q` the report has an edge to p as well, where that loads p.
    on_the_way = collections.Counter((*load[6], load[0]) for load in spied["loads"] if load[8])
    for key, (count, cached) in spied["runs"].items():
        want = [count + on_the_way[key], cached + found_there[key]]
        if key[3].startswith(generate.PREFIX) and got.get(key) != want:
            found.append(Difference("runs of a statement", form_of(key[:3]),
                                    "%s: runs and cached are %s, expected %s" % (
                                        key, got.get(key), want)))
    return found


def compare(spied, process):
    found = compare_loads(of_spy(spied), of_report(process)) + compare_runs(spied, process)
    if process.doc.get("complete") is False:
        found.append(Difference("incomplete", "", repr(process.doc.get("loss"))))
    return found
