# SPDX-License-Identifier: BSD-2-Clause
"""The language in which a target's docstring says what must be observed.

    Needs: 3.8, greenlet          lowest version, modules; otherwise the target is skipped there
    Interpreters: all | core      default core
    Status: 3                     exit status, default 0
    Perf: yes                     run with --perf-uprobes as well
    Args: a b                     arguments of the program (or, with Run:, the whole command)
    Run: {python} -m pkg          instead of `{python} SCRIPT`; {dir} is the script's directory
    Env: A=b {dir}                variables of the target
    Incomplete: yes               the report may say that something was lost
    Expect:
        __main__ via=main                     a tree: indentation is parenthood, directly
            json kind=source importer=@tag    importer=@tag: that marked line of the script
                json.decoder via=statement    importer=mod.py@tag: of another file
        ? maybe.there                         may be missing
        ! not.there                           must not be loaded at all
        never x 3                             so many loads of that name, each as described
    Edges:
        @tag -> json count=10 cached=9        an import statement and how often it ran

Names that are not listed may be there too. A name matches the load that fits its parent."""
import os
import re
import shlex

import lib

FIELDS = ("result", "error", "kind", "via", "importer", "file", "exact", "parent", "from")


class Node:
    def __init__(self, indent, name, checks, count, mode):
        self.indent, self.name, self.checks = indent, name, checks
        self.count, self.mode = count, mode
        self.children = []


class Expectation:
    def __init__(self, docstring):
        self.options, self.roots, self.edges = {}, [], []
        section, stack = None, []
        for line in docstring.splitlines():
            head = re.match(r"\s*([A-Z][a-z]+):(?:\s+(.*))?$", line)
            if head and head.group(1) in ("Needs", "Interpreters", "Status", "Perf", "Args",
                                          "Run", "Env", "Expect", "Edges", "Incomplete", "Opts"):
                section = head.group(1)
                self.options[section] = (head.group(2) or "").strip()
            elif section == "Expect" and line.strip():
                self._add_node(line, stack)
            elif section == "Edges" and line.strip():
                self.edges.append(parse_edge(line))

    def _add_node(self, line, stack):
        node = parse_node(line)
        while stack and stack[-1].indent >= node.indent:
            stack.pop()
        (stack[-1].children if stack else self.roots).append(node)
        stack.append(node)


def parse_node(line):
    indent = len(line) - len(line.lstrip())
    words = shlex.split(line.replace("#", "\\#"))
    mode = "must"
    if words[0] in ("?", "!"):
        mode = {"?": "may", "!": "not"}[words.pop(0)]
    name, count = words.pop(0), 1
    if words and words[0] == "x":
        count = int(words[1])
        words = words[2:]
    checks = dict(w.split("=", 1) for w in words)
    unknown = set(checks) - set(FIELDS)
    lib.check(not unknown, "unknown in expectation: %s", unknown)
    return Node(indent, name, checks, count, mode)


def parse_edge(line):
    match = re.match(r"\s*(\S+)\s*->\s*(\S+)((?:\s+\w+=\S+)*)\s*$", line)
    lib.check(match, "cannot read the edge %r", line)
    return match.group(1), match.group(2), dict(w.split("=") for w in match.group(3).split())


class Matcher:
    """Holds one process of a report against an expectation."""

    def __init__(self, process, script):
        self.process, self.script = process, script
        self.home = os.path.dirname(script) + "/"
        self.problems = []

    def site(self, text):
        """file, line of `file.py@tag`, `@tag`, `file.py:12`; `file.pth`: no line is known."""
        base = os.path.dirname(self.script)
        if "@" in text:
            file, tag = text.split("@", 1)
            path = os.path.join(base, file) if file else self.script
            return path, lib.marked_line(path, tag)
        file, _, line = text.partition(":")
        return file, int(line) if line else None

    def differs(self, load, key, wanted):
        """None, or what is wrong with one field."""
        if key == "importer":
            got = load["importer"] or {}
            if wanted == "-":
                return None if got.get("line") is None else "importer is %r" % got
            file, line = self.site(wanted)
            same = (got.get("file") or "").endswith(file) and got.get("line") == line
            return None if same else "importer is %r, expected %s:%s" % (
                got, file.replace(self.home, ""), line)
        if key == "from":
            got = (load["importer"] or {}).get("module")
            return None if got == wanted else "importer's module is %r" % got
        if key == "file":
            same = (load["file"] or "").endswith(wanted) if wanted != "-" else not load["file"]
            return None if same else "file is %r" % load["file"]
        got = load[key]
        text = {True: "yes", False: "no", None: "-"}.get(got, got)
        return None if text in wanted.split("|") else "%s is %r, expected %s" % (key, got, wanted)

    def match(self, nodes, parent):
        for node in nodes:
            self.match_node(node, parent)

    def match_node(self, node, parent):
        same = self.process.named(node.name)
        if node.mode == "not":
            if same:
                self.problems.append("%s was loaded, and must not be" % node.name)
            return
        found = same
        if parent is not None:
            found = [i for i in same if i["parent"] == parent["id"]]
        if not found and node.mode == "may":
            return
        for key in ("via", "result"):
            # Several loads of one name (reload, a second try): the description chooses.
            if len(found) > node.count and key in node.checks:
                found = [i for i in found if not self.differs(i, key, node.checks[key])]
        if len(found) != node.count:
            places = [(self.process.parent(i) or {}).get("module") for i in same]
            self.problems.append("%d loads of %s below %s, expected %d (all are below: %s)" % (
                len(found), node.name, parent and parent["module"], node.count, places))
            return
        for load in found:
            for key, wanted in node.checks.items():
                wrong = self.differs(load, key, wanted)
                if wrong:
                    self.problems.append("%s: %s" % (node.name, wrong))
        self.match(node.children, found[0])

    def match_edges(self, edges):
        for site, module, checks in edges:
            file, line = self.site(site)
            found = [e for e in self.process.edges_of(module, file, line)]
            if not found:
                near = [(e["importer"], e["count"]) for e in self.process.edges_of(module)]
                self.problems.append("no edge %s:%d -> %s; others to it: %r" % (
                    file, line, module, near[:6]))
                continue
            for key, wanted in checks.items():
                if key in ("count", "cached"):
                    got = str(sum(e[key] for e in found))
                else:
                    got = {True: "yes", False: "no"}.get(found[0].get(key), found[0].get(key))
                if got != wanted:
                    self.problems.append("edge %s:%d -> %s: %s is %s, expected %s" % (
                        file, line, module, key, got, wanted))


def check_process(process, script, expectation):
    matcher = Matcher(process, script)
    matcher.match(expectation.roots, None)
    matcher.match_edges(expectation.edges)
    if matcher.problems:
        raise AssertionError("\n  ".join(["observed otherwise:"] + matcher.problems +
                                         ["the tree was:"] + render(process)))


def render(process, limit=150):
    """The tree as text, for a failure's message."""
    lines = []

    def walk(load, depth):
        importer = load["importer"] or {}
        lines.append("%s%s %s %s via=%s kind=%s from %s:%s%s" % (
            "  " * depth, load["module"], load["result"], load["error"] or "", load["via"],
            load["kind"], importer.get("file"), importer.get("line"),
            "" if load["exact"] else " approximate"))
        for child in sorted(process.children(load), key=lambda i: i["seq"]):
            walk(child, depth + 1)

    for root in process.start_loads():
        if root["parent"] is None:
            walk(root, 1)
    return lines[-limit:]
