#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The report against three witnesses inside the same process: `-X importtime` (every load that an
import statement caused, and how they nest), a finder in sys.meta_path that sees every search, the
ones of importlib.import_module too, and the stack at that moment (who asked, from which line).

What differs is printed; a difference fails. The rules, and why:
  - every name of importtime is a load of ours; ours that are not in importtime were searched for
    by import_module (the finder proves it), or are bodies run without any search (__main__,
    exec_module by hand, reload)
  - the core modules that the interpreter makes before it can import (CORE) have no line in
    importtime; they are real loads
  - of two loads that importtime has, the nearer-below relation is the same in both trees: loads
    that importtime cannot see (import_module, __main__) may stand between
  - the importer is the first frame of the stack that is not importlib's own, or the extension or
    built-in module whose body importlib runs there"""
import json
import os
import re

from lib import expect
import lib

SPY = r'''
import sys
class _Spy:
    seen = []
    @staticmethod
    def find_spec(name, path=None, target=None):
        frame, importer, is_import = sys._getframe(1), None, False
        while frame is not None:
            code = frame.f_code
            own = code.co_filename.startswith("<frozen importlib._bootstrap") or (
                code.co_filename.endswith(("importlib/__init__.py", "<frozen importlib>")) and
                code.co_name in ("import_module", "reload"))
            if own and code.co_name in ("_find_and_load", "_gcd_import"):
                is_import = True
            if own and code.co_name in ("exec_module", "create_module") and \
                    type(frame.f_locals.get("self")).__name__ in ("NoneType",
                                                                  "ExtensionFileLoader"):
                made = frame.f_locals.get("module") or frame.f_locals.get("spec")
                importer = [getattr(made, "__name__", None) or made.name, None, None]
                break
            if not own:
                importer = [frame.f_globals.get("__name__"), code.co_filename, frame.f_lineno]
                break
            frame = frame.f_back
        _Spy.seen.append([name, is_import, importer])
        return None
sys.meta_path.insert(0, _Spy)
_spied_at = sys.argv[1] if len(sys.argv) > 1 else None
def _spy_done():
    sys.meta_path.remove(_Spy)
    if _spied_at:
        text = repr(_Spy.seen)
        with open(_spied_at, "w", encoding="utf-8") as file:
            file.write(text)
'''

# name: (modules it needs, program)
WORKLOADS = {
    "stdlib": ((), """
import json, http.server, asyncio, unittest, email.mime.text, concurrent.futures
import xml.dom.minidom, logging.config
try:
    import ssl, sqlite3
except ImportError:
    pass
import importlib
importlib.import_module('decimal')
importlib.import_module('.policy', 'email')
try:
    import nope_zz
except ImportError:
    pass
try:
    importlib.import_module('nope_yy.below')
except ImportError:
    pass
print(json.dumps({'d': str(sys.modules['decimal'].Decimal(1))}))
"""),
    "pandas": (("pandas",), "import pandas\nprint(pandas.DataFrame({'a': [1, 2]}).sum().tolist())\n"),
    "django": (("django",), """
from django.conf import settings
settings.configure(INSTALLED_APPS=['django.contrib.contenttypes', 'django.contrib.auth'],
                   DATABASES={'default': {'ENGINE': 'django.db.backends.sqlite3',
                                          'NAME': ':memory:'}})
import django
django.setup()
from django.contrib.auth.models import User
from django.core.management import get_commands
print(User._meta.label, 'migrate' in get_commands())
"""),
    "fastapi": (("fastapi",), """
from fastapi import FastAPI
app = FastAPI()
@app.get('/')
def root(): return {}
print(len(app.routes))
"""),
    "ipython": (("IPython",), "import IPython\nprint(IPython.__name__, len(sys.modules) > 200)\n"),
    "boto3": (("boto3",), "import boto3, botocore.session\n"
              "print('s3' in boto3.session.Session().get_available_services())\n"),
    "relative": ((), "import rel_pkg\nprint(rel_pkg.sub.four.VALUE)\n"),
    "plugins": ((), """
import importlib, importlib.util, pkgutil, runpy, plug_pkg
for info in sorted(pkgutil.iter_modules(plug_pkg.__path__), key=lambda i: i.name)[1:]:
    importlib.import_module('plug_pkg.' + info.name)
spec = importlib.util.spec_from_file_location('by_hand', plug_pkg.__path__[0] + '/_hand.py')
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
importlib.reload(plug_pkg.p2)
runpy.run_module('plug_pkg.p3')
print(sorted(m for m in sys.modules if m.startswith('plug')))
"""),
}


def cases():
    table = {}
    for name, interp in lib.all_interpreters(7).items():
        for workload in WORKLOADS:
            needs = WORKLOADS[workload][0]
            if not needs or package_seen(interp, needs[0]):
                table["%s,%s" % (name, workload)] = (interp, workload)
    for workload, (needs, _) in WORKLOADS.items():
        if not any(key.endswith("," + workload) for key in table):
            table[workload] = (None, workload)
    return table


def package_seen(interp, package):
    """Cheap: does any site directory of that interpreter's prefix have it?"""
    minor = lib.minor_of(interp.name)
    places = [interp.root + "/usr/lib/python3/dist-packages"]
    if interp.name.startswith("pyenv-"):
        places = [os.path.dirname(os.path.dirname(interp.exe)) +
                  "/lib/python3.%d/site-packages" % minor]
    elif interp.root or interp.name != "system":
        # Debian's packages are for its default version only.
        default = os.path.basename(os.path.realpath(interp.root + "/usr/bin/python3"))
        if default != os.path.basename(interp.exe):
            return False
    return any(os.path.isdir(os.path.join(p, package)) for p in places)


LINE = re.compile(r"^import time: +\d+ \| +\d+ \| ((?:  )*)(\S.*)$")


class TimeNode:
    """A line of importtime, with its parent."""

    def __init__(self, name, depth):
        self.name, self.depth, self.parent, self.children = name, depth, None, []
        self.load = None


def importtime_tree(text):
    """importtime writes a module after its children; returns all nodes in order of start."""
    waiting, roots = [], []
    for match in filter(None, map(LINE.match, text.splitlines())):
        node = TimeNode(match.group(2), len(match.group(1)) // 2)
        while waiting and waiting[-1].depth > node.depth:
            child = waiting.pop()
            child.parent = node
            node.children.insert(0, child)
        waiting.append(node)
    roots = waiting
    order = []

    def walk(node):
        order.append(node)
        for child in node.children:
            walk(child)

    for root in roots:
        walk(root)
    return order


def one_load_each(nodes):
    """`import p.q` has a line, though p's body has imported p.q by then: that is one load, the inner
    one. Takes the outer lines out; what is below moves up."""
    def has_inner(node, name):
        return any(c.name == name or has_inner(c, name) for c in node.children)
    kept = []
    for node in nodes:
        if not has_inner(node, node.name):
            kept.append(node)
            continue
        for child in node.children:
            child.parent = node.parent
        if node.parent:
            at = node.parent.children.index(node)
            node.parent.children[at:at + 1] = node.children
    return kept


CORE = {"_frozen_importlib", "_imp", "_thread", "_warnings", "_weakref", "_io", "marshal", "posix",
        "sys", "builtins"}


def by_statement(load):
    return load["via"] in ("statement", "native", "lazy", None)


def match_times(nodes, process, problems):
    """Ties each line of importtime to a load of the same name, in order of start."""
    pools = {}
    for load in process.start_loads():
        if by_statement(load):
            pools.setdefault(load["module"], []).append(load)
    for name in CORE & set(pools):
        # Made once without importtime, imported once with it: the later one is importtime's.
        lines = sum(node.name == name for node in nodes)
        pools[name].sort(key=lambda i: i["seq"] + (0 if len(pools[name]) <= lines else
                                                   -1_000_000 * (i["parent"] is not None)))
    for node in nodes:
        pool = pools.get(node.name)
        if pool:
            node.load = pool.pop(0)
        else:
            problems.append("importtime has %s%s, the report has not" % (
                node.name, " once more" if process.named(node.name) else ""))
    return [load for pool in pools.values() for load in pool]


def check_nesting(nodes, process, problems):
    tied = {node.load["id"]: node for node in nodes if node.load}
    for node in nodes:
        if not node.load:
            continue
        above = next((tied[a["id"]] for a in process.ancestors(node.load) if a["id"] in tied), None)
        if above is not node.parent:
            problems.append("%s is below %s, importtime has it below %s" % (
                node.name, above and above.name, node.parent and node.parent.name))


def check_extra(extra, spied, process, problems):
    """Loads that importtime does not have must have been searched for, or be bodies."""
    searched = {name for name, is_import, _ in spied if is_import}
    started = min([i["seq"] for i in process.named("encodings")], default=0)
    for load in extra:
        if load["module"] in CORE and load["seq"] < started:
            continue
        problems.append("%s (via %s) is in the report, not in importtime%s" % (
            load["module"], load["via"], "" if load["module"] in searched else
            ", and was never searched for"))
    for load in process.imports:
        if load["via"] == "import_module" and load["module"] not in searched \
                and load["result"] != "failed":
            problems.append("%s via import_module was never searched for" % load["module"])


def check_spied(spied, process, problems):
    """Every search is a load, with the importer that the stack shows."""
    sites, unseen = {}, set()
    for name, is_import, importer in spied:
        if is_import:
            sites.setdefault(name, []).append(tuple(importer or (None, None, None)))
    for name, wanted in sites.items():
        loads = [i for i in process.start_loads() if i["module"] == name]
        got = [tuple((i["importer"] or {}).get(k) for k in ("module", "file", "line"))
               for i in loads]
        if not got:
            unseen.add(name)
            continue
        # A load may end without a search (sys.modules[name] is None): a subsequence, then.
        at = iter(got)
        for site in wanted:
            if not any(site == other for other in at):
                problems.append("%s: the stack says %s:%s in %s; the report: %s" % (
                    name, site[1], site[2], site[0], got[:3]))
                break
    for name in sorted(unseen):
        problems.append("%s was searched for, the report has no load of it" % name)


def without_times(data):
    return b"".join(l for l in data.splitlines(keepends=True) if not l.startswith(b"import time:"))


def prepare(workload):
    home = lib.workdir() + "/wl"
    os.makedirs(home, exist_ok=True)
    if workload == "relative":
        lib.stage("relative")
        home = os.path.dirname(lib.stage("relative"))
    if workload == "plugins":
        for n in range(4):
            lib.write("wl/plug_pkg/p%d.py" % n, "from . import common\nimport colorsys\n")
        lib.write("wl/plug_pkg/common.py", "import textwrap\n")
        lib.write("wl/plug_pkg/_hand.py", "import plistlib\n")
        lib.write("wl/plug_pkg/__init__.py", "")
    path = os.path.join(home, "workload.py")
    with open(path, "w", encoding="utf-8") as file:
        file.write(SPY + WORKLOADS[workload][1] + "_spy_done()\n")
    return path


@lib.test(params=cases, timeout_s=200)
def test_oracle(arg):
    interp, workload = arg
    if interp is None:
        raise lib.Skip("no interpreter here has %s" % WORKLOADS[workload][0])
    interp.prepare()
    script = prepare(workload)
    needs = WORKLOADS[workload][0]
    if needs and lib.run(interp.argv + ["-c", "import " + ", ".join(needs)]).rc:
        raise lib.Skip("%s cannot import %s" % (interp.name, needs))
    spied_at = lib.workdir() + "/spied"
    command = interp.argv + ["-X", "importtime", script, spied_at]
    with open(spied_at, "w"):
        pass
    plain = lib.run(command)
    lib.check_equal(plain.rc, 0, "status untraced: %s" % without_times(plain.err).decode()[-2000:])
    traced, doc = lib.trace(command)
    lib.check_same(plain, traced, without_times)
    doc.check_complete()
    with open(spied_at, encoding="utf-8") as file:
        spied = eval(file.read())  # our own repr; json would be an import in the workload
    process = doc.python()
    nodes = one_load_each(importtime_tree(traced.err.decode()))
    problems = []
    extra = match_times(nodes, process, problems)
    check_nesting(nodes, process, problems)
    check_extra(extra, spied, process, problems)
    check_spied(spied, process, problems)
    added = {i["module"] for i in process.imports} - {n.name for n in nodes}
    print("%s, %s: %d loads; importtime has %d; searches seen %d; only ours: %s" % (
        interp.name, workload, len(process.imports), len(nodes), len(spied),
        ", ".join(sorted(map(str, added))) or "none"))
    if workload in ("stdlib", "plugins"):
        lib.check(added & {"decimal", "plug_pkg.p0"}, "the import_module ones are not there")
    # The same program without importtime takes other branches of the import function.
    _, again = lib.trace_both(interp.argv + [script, spied_at])
    differ = again.python().names() ^ process.names()
    if differ:
        problems.append("with and without -X importtime the report differs: %s" % sorted(differ))
    if problems:
        print("\n".join(expect.render(process, 400)) if len(process.imports) < 400 else "")
        raise AssertionError("%d differences:\n  %s" % (len(problems), "\n  ".join(problems[:60])))


@lib.test()
def test_oracle_of_the_oracle():
    """importtime_tree and the comparison themselves: a wrong tree must be found wrong."""
    text = ("import time: self [us] | cumulative | imported package\n"
            "import time:        1 |          1 |     c\nimport time:        1 |          2 |   b\n"
            "import time:        1 |          1 |   d\nimport time:        1 |          4 | a\n"
            "import time:        1 |          1 | e\n")
    nodes = importtime_tree(text)
    lib.check_equal([(n.name, n.parent and n.parent.name) for n in nodes],
                    [("a", None), ("b", "a"), ("c", "b"), ("d", "a"), ("e", None)], "tree")
    site = {"module": "m", "file": "f", "line": 1}

    def process(parents):
        ids = {name: n for n, name in enumerate(parents)}
        return lib.Process({"pid": 1, "edges": [], "imports": [
            {"id": ids[name], "parent": ids.get(above), "module": name, "seq": ids[name],
             "via": "statement", "importer": site, "result": "loaded"}
            for name, above in parents.items()]})

    def problems(parents, spied):
        found, nodes = [], importtime_tree(text)
        match_times(nodes, process(parents), found)
        check_nesting(nodes, process(parents), found)
        check_spied(spied, process(parents), found)
        return found

    right = {"a": None, "b": "a", "c": "b", "d": "a", "e": None}
    lib.check_equal(problems(right, [["a", True, ["m", "f", 1]]]), [], "problems of the right tree")
    lib.check(problems(dict(right, c="a"), []), "a wrong parent was not found")
    lib.check(problems({k: v for k, v in right.items() if k != "e"}, []), "a missing name")
    lib.check(problems(right, [["a", True, ["m", "f", 2]]]), "a wrong line was not found")
    lib.check(problems(right, [["zz", True, ["m", "f", 2]]]), "a missing search was not found")
    json.dumps(right)


if __name__ == "__main__":
    lib.main()
