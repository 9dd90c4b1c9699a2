# SPDX-License-Identifier: BSD-2-Clause
"""Rules about files among each other. Each gets {path: Source} and yields (path, line, message). Run
by lint_rules.py; each directory below tests/lint/RULE/good and bad is a tree of its own."""
import os
import re
import subprocess
import tempfile

TREE_RULES = {}
FILES_MAX = 20
CODE = ("bpf/", "include/", "user/")
FOLDERS = CODE + ("scripts/", "tests/bench/", "tests/e2e/", "tests/lib/", "tests/model/",
                  "tests/truth/", "tests/unit/") # elsewhere files are data


def tree_rule(function):
    TREE_RULES[function.__name__.replace("_", "-")] = function
    return function


def signatures(source):
    """(line number, text) of what precedes each body at the left margin."""
    lines = source.bare
    for number, line in enumerate(lines):
        if line.startswith("{"):
            first = number
            while first and re.match(r"[\t \w]", lines[first - 1]) and \
                    not lines[first - 1].rstrip().endswith((";", "}")):
                first -= 1
            yield first + 1, " ".join(lines[first:number])


def functions(source):
    """Functions that others can call."""
    for _, text in signatures(source):
        name = re.search(r"(\w+)\s*\(", text)
        if name and not re.match(r"\s*(static|SEC|int BPF_|int main)\b", text):
            yield name.group(1)


def calls(sources):
    """{path: {path: {name}}}: who calls whom, of each side of the program by itself."""
    sides = {}
    for path, source in sources.items():
        if path.endswith(".c") and path.startswith(CODE):
            sides.setdefault(path.split("/")[0], {})[path] = source
    found = {}
    for side in sides.values():
        owner = {name: path for path, source in side.items() for name in functions(source)}
        for path, source in side.items():
            text = "\n".join(source.bare)
            own = set(re.findall(r"^static\b[^;={(]*?(\w+)\s*\(", text, re.M))
            for name in set(re.findall(r"\b\w+\b", text)) & set(owner):
                if owner[name] != path and name not in own:
                    found.setdefault(path, {}).setdefault(owner[name], set()).add(name)
    return found


def circles(edges):
    """Groups of nodes that reach each other (Tarjan), each sorted."""
    index, low, stack, out = {}, {}, [], []

    def visit(node):
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in edges.get(node, ()):
            if other not in index:
                visit(other)
            if other in stack:
                low[node] = min(low[node], low[other])
        if low[node] == index[node]:
            group = stack[stack.index(node):]
            del stack[stack.index(node):]
            if len(group) > 1:
                out.append(sorted(group))

    for node in sorted(edges):
        if node not in index:
            visit(node)
    return out


def includes(sources):
    """{header: {header}}"""
    found = {}
    for path, source in sources.items():
        top = path.split("/")[0]
        for line in source.code:
            name = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
            if name and path.endswith(".h"):
                for other in (top + "/" + name.group(1), "include/" + name.group(1)):
                    if other in sources:
                        found.setdefault(path, {}).setdefault(other, set()).add(name.group(1))
    return found


def describe(group, edges):
    parts = []
    for node in group:
        for other in group:
            names = sorted(edges.get(node, {}).get(other, ()))
            if names:
                parts.append("%s -> %s (%s)" % (node, other, ", ".join(names[:3])))
    return "; ".join(parts)


@tree_rule
def no_circles(sources):
    """No file needs one that needs it, by calls or by includes, and no folder. Of a folder with
    folders below it each file counts by itself: some are the door, some are built on all below."""
    edges = calls(sources)
    parents = {os.path.dirname(os.path.dirname(path)) for path in sources}

    def room(path):
        folder = os.path.dirname(path)
        return path if folder in parents else folder

    rooms = {}
    for path, others in edges.items():
        for other, names in others.items():
            if room(path) != room(other):
                rooms.setdefault(room(path), {}).setdefault(room(other), set()).update(names)
    for graph in (edges, includes(sources), rooms):
        for group in circles(graph):
            yield group[0], 1, "a circle: " + describe(group, graph)


@tree_rule
def folder_size(sources):
    """A folder with more files than one can overlook is several."""
    counts = {}
    for path in sources:
        if path.startswith(FOLDERS):
            counts.setdefault(os.path.dirname(path), []).append(path)
    for folder, paths in sorted(counts.items()):
        if len(paths) > FILES_MAX:
            yield min(paths), 1, "%s has %d files, the limit is %d" % (folder, len(paths), FILES_MAX)


@tree_rule
def header_alone(sources):
    """A header includes what it needs: each compiles as the first thing of a file. The skeleton may
    not have been made yet."""
    headers = sorted(path for path in sources if path.endswith(".h") and
                     path.startswith(("user/", "include/")))
    if not headers:
        return
    root = sources[headers[0]].root
    with tempfile.TemporaryDirectory() as work:
        for path in headers:
            name = os.path.join(work, path.replace("/", "+") + ".c")
            with open(name, "w", encoding="utf-8") as file:
                file.write('#include "%s"\n' % os.path.join(root, path))
        done = subprocess.run(
            ["cc", "-std=gnu11", "-D_GNU_SOURCE", "-w", "-fsyntax-only", "-Iinclude", "-Iuser"] +
            [os.path.join(work, path.replace("/", "+") + ".c") for path in headers],
            cwd=root, stderr=subprocess.PIPE, check=False, env=dict(os.environ, LC_ALL="C"))
    told = set()
    for line in done.stderr.decode().splitlines():
        match = re.match(r"(?:%s/)?(\S+?\.h):(\d+):.*?error: (.*)" % re.escape(root), line)
        if match and match.group(1) not in told and ".skel.h" not in match.group(3):
            told.add(match.group(1))
            yield match.group(1), int(match.group(2)), match.group(3)


def title_problem(title):
    """What is wrong with a commit's title, or None."""
    if not re.match(r"[\w][\w/,.() -]*: \S+ \S", title):
        return "a commit's title is `area: what changes`: %r" % title
    if len(title) > 72:
        return "a commit's title has at most 72 characters: %r" % title
    return None
