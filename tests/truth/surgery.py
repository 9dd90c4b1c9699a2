# SPDX-License-Identifier: BSD-2-Clause
"""Takes import statements out of source text: the names they would have bound are TRUTH_STUB (spy.py),
and all lines stay where they are."""
import ast
import os
import py_compile
import zipfile


class Cannot(Exception):
    """There is no statement that could be taken out."""


def bound_names(node):
    return [a.asname or (a.name.split(".")[0] if isinstance(node, ast.Import) else a.name)
            for a in node.names if a.name != "*"]


def split_names(node, names):
    """Of `import a, b` those that go; of `from` all do."""
    if isinstance(node, ast.Import) and len(node.names) > 1:
        kept = [a for a in node.names if a.name not in names]
        if len(kept) < len(node.names):
            return kept
    return []


def without(text, lines):
    """The source without the import statements {line they begin in: modules that they name}."""
    rows = text.encode().splitlines(keepends=True)
    nodes = [n for n in ast.walk(ast.parse(text)) if isinstance(n, (ast.Import, ast.ImportFrom)) and
             n.lineno in lines]
    if {n.lineno for n in nodes} != set(lines):
        raise Cannot("no statement in line %s" % sorted(set(lines) - {n.lineno for n in nodes}))
    for node in sorted(nodes, key=lambda n: (n.lineno, n.col_offset), reverse=True):
        kept = split_names(node, lines[node.lineno])
        node.names = [a for a in node.names if a not in kept]
        names = bound_names(node)
        new = " = ".join(names + ["TRUTH_STUB"]) if names else "pass"
        if kept:
            new = ast.unparse(ast.Import(kept)) + "; " + new
        first, last = node.lineno - 1, node.end_lineno - 1
        tail = rows[last][node.end_col_offset:]
        new = rows[first][:node.col_offset] + new.encode()
        if first == last:
            rows[first] = new + tail
        else: # what follows in the last line (a comment, say) has no statement of its own
            rows[first:last + 1] = [new + b"\n"] + [b"\n"] * (last - first)
    return b"".join(rows).decode()


def changed_file(file, lines, to):
    """Writes the changed file to the directory @to. Returns [(its path, the path it stands for)]."""
    with open(file, encoding="utf-8") as source:
        text = without(source.read(), lines)
    path = os.path.join(to, "%d-%s" % (len(os.listdir(to)), os.path.basename(file)))
    with open(path, "w", encoding="utf-8") as out:
        out.write(text)
    pairs = [(path, file)]
    cached = os.path.join(os.path.dirname(file), "__pycache__",
                          os.path.basename(file).removesuffix(".py") + ".cpython-311.pyc")
    if os.path.exists(cached):
        py_compile.compile(path, cfile=path + "c", dfile=file, doraise=True)
        pairs.append((path + "c", cached))
    return pairs


def changed_zip(archive, inside, to):
    """The same for {name inside the archive: lines}."""
    path = os.path.join(to, "%d-%s" % (len(os.listdir(to)), os.path.basename(archive)))
    with zipfile.ZipFile(archive) as old, zipfile.ZipFile(path, "w") as new:
        for info in old.infolist():
            data = old.read(info)
            if info.filename in inside:
                data = without(data.decode(), inside[info.filename]).encode()
            new.writestr(info, data)
    return [(path, archive)]


def changed(places, to):
    """All files that differ without the statements of places_of(): [(new, stands for)]."""
    os.makedirs(to, exist_ok=True)
    plain, zipped, pairs = {}, {}, []
    for file, line, asked in places:
        if not file:
            raise Cannot("no file")
        archive = next((file[:n] for n, c in enumerate(file) if c == "/" and
                        os.path.isfile(file[:n])), None)
        if archive:
            inside = zipped.setdefault(archive, {}).setdefault(file[len(archive) + 1:], {})
            inside.setdefault(line, set()).add(asked)
        elif os.path.isfile(file):
            plain.setdefault(file, {}).setdefault(line, set()).add(asked)
        else:
            raise Cannot("no file " + file)
    for file, lines in plain.items():
        pairs += changed_file(file, lines, to)
    for archive, inside in zipped.items():
        pairs += changed_zip(archive, inside, to)
    return pairs
