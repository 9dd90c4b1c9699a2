# SPDX-License-Identifier: BSD-2-Clause
"""Programs whose savings are not obvious, and programs made at random. {path: text} each; modules sleep,
so that what vanishes is worth a finding on any machine. A name that its import did not bring is not
used: that is what the program looks like when the import is deferred."""
import random

SLEEP_S = 0.02


def body(*lines, sleep=SLEEP_S):
    return "\n".join((*lines, "import time", "time.sleep(%g)" % sleep, ""))


def use(name, call):
    return "if %r in globals(): %s" % (name, call)


def calls(*lines):
    """A module with functions that import: `def fN(): <line>`."""
    return body(*("def f%d():\n    %s" % (n, line) for n, line in enumerate(lines)))


CALL_F0, CALL_F1 = (("import sys", "heavy = sys.modules.get('heavy')",
                     "if heavy: heavy.f%d()" % n) for n in range(2))
LAZY_LOADER = """import sys
from importlib.machinery import PathFinder
from importlib.util import LazyLoader
class Finder:
    def find_spec(name, path=None, target=None):
        spec = PathFinder.find_spec(name, path) if name == 'later' else None
        if spec:
            spec.loader = LazyLoader(spec.loader)
        return spec
sys.meta_path.insert(0, Finder)
"""
CALL_GET = ("import sys", "get = getattr(sys.modules.get('helper'), 'get', len)")
LAZY = ("import importlib\ndef __getattr__(n):\n    if n in %r:\n"
        "        return importlib.import_module(__name__ + '.' + n)\n"
        "    raise AttributeError(n)\n")

KNOWN = {
    # A function's import needs the module it stands in: with heavy goes what heavy.f0 brings.
    "function": {"main.py": "import heavy\n" + use("heavy", "heavy.f0()") + "\n",
                 "heavy.py": calls("import heavy2"), "heavy2.py": body()},
    # And its caller: without caller nobody calls heavy.f0.
    "caller": {"main.py": "import heavy\nimport caller\n", "heavy.py": calls("import heavy2"),
               "caller.py": body(*CALL_F0),
               "heavy2.py": body()},
    # It is called from two places: neither alone is to blame.
    "callers": {"main.py": "import heavy\nimport one\nimport two\n",
                "heavy.py": calls("import heavy2", "import heavy2"),
                "one.py": body(*CALL_F0),
                "two.py": body(*CALL_F1), "heavy2.py": body()},
    # The same function twice.
    "twice": {"main.py": "import heavy\nimport one\nimport two\n",
              "heavy.py": calls("import heavy2"),
              "one.py": body(*CALL_F0),
              "two.py": body(*CALL_F0), "heavy2.py": body()},
    "getattr": {"main.py": "from lz import thing\n", "lz/__init__.py": LAZY % (("thing",),),
                "lz/thing.py": body("import below"), "below.py": body()},
    "served": {"main.py": "import pkg.sub\n", "pkg/__init__.py": "from . import sub\n",
               "pkg/sub.py": body()},
    "served_from": {"main.py": "from pkg.core import App\n",
                    "pkg/__init__.py": "from .core import App\n",
                    "pkg/core.py": body("class App: pass", "import below"), "below.py": body()},
    "together": {"main.py": "import one\nimport two\n", "one.py": body("import big"),
                 "two.py": body("import big.sub"), "big/__init__.py": body(),
                 "big/sub.py": body()},
    "one_line": {"main.py": "import other\nimport common, mine\n", "other.py": body("import common"),
                 "common.py": body(sleep=0.05), "mine.py": body()},
    "cycle": {"main.py": "import one\nimport two\n", "one.py": body("import two"),
              "two.py": body("import one", "import below"), "below.py": body()},
    "diamond": {"main.py": "import one\nimport two\n", "one.py": body("import deep"),
                "two.py": body("import deep"), "deep.py": body("import deeper"),
                "deeper.py": body()},
    "plugins": {"main.py": "import loader\n" + use("loader", "loader.f0()") + "\n",
                "loader.py": "import importlib\n" + calls("importlib.import_module('plug.a')"),
                "plug/__init__.py": "", "plug/a.py": body("import below"), "below.py": body()},
    "import_hook": {"main.py": "import hook\nimport one\n",
                    "hook.py": "import builtins\nold = builtins.__import__\n"
                    "def new(*args, **kwargs):\n    return old(*args, **kwargs)\n"
                    "builtins.__import__ = new\n" + body(), "one.py": body("import below"),
                    "below.py": body()},
    # A function imports what its caller names: without the caller nobody names it.
    "helper": {"main.py": "import helper\nimport one\nimport two\n",
               "helper.py": body("def get(name):\n    return __import__(name, globals(), {}, ['x'])"),
               "one.py": body(*CALL_GET, "for name in 'a', 'b', 'a':\n    get(name)"),
               "two.py": body(*CALL_GET, "for name in 'c', 'd', 'c':\n    get(name)"),
               **{name + ".py": body() for name in "abcd"}},
    # It keeps what it imported: who calls it next asks for nothing that could be seen.
    "helper_keeps": {"main.py": "import keep\nimport one\nimport two\n",
                     "keep.py": body("kept = {}", "def get(name):\n    if name not in kept:\n"
                                     "        kept[name] = __import__(name)\n    return kept[name]"),
                     **{name + ".py": body("import keep", use("keep", "[keep.get(n) for n in 'abc']"))
                        for name in ("one", "two")}, **{name + ".py": body() for name in "abc"}},
    # A module that runs when it is used: without who used it first, the next one does.
    "lazy_loader": {"main.py": "import lazy\nimport later\nimport one\nimport two\nimport never\n",
                    "lazy.py": LAZY_LOADER, "later.py": body("import below"), "below.py": body(),
                    "one.py": body("import later", "getattr(globals().get('later'), 'x', 0)"),
                    "two.py": body("import later", "getattr(globals().get('later'), 'x', 0)"),
                    "never.py": body("import later")},
    "failing": {"main.py": "import one\n", "one.py": body(
        "try:\n    import not_there_at_all\nexcept ImportError:\n    import instead"),
        "instead.py": body()},
    "packages": {"main.py": "import p.a.x\nimport p.b.y\n", "p/__init__.py": body(),
                 "p/a/__init__.py": body(), "p/a/x.py": body("from ..b import y"),
                 "p/b/__init__.py": body(), "p/b/y.py": body("import below"), "below.py": body()},
    "main_function": {"main.py": "import sys\ndef main():\n    import one\n    import two\n"
                      "sys.exit(main())\n", "one.py": body("import below"),
                      "two.py": body("import below"), "below.py": body()},
    "classes": {"main.py": "class A:\n    import one\nimport two\n", "one.py": body("import below"),
                "two.py": body(), "below.py": body()},
    # C code of the interpreter keeps the first sys.modules, importlib uses what stands there.
    "modules_replaced": {"main.py": "import sys\nclass Modules(dict):\n    pass\n"
                         "sys.modules = Modules(sys.modules)\nimport one\nimport two\nimport one\n"
                         "import two\nimport alone\n",
                         "one.py": body("import below"), "two.py": body("import below"),
                         "alone.py": body(), "below.py": body()},
    # A module that puts something else in its place is found there by the next.
    "self_replaced": {"main.py": "import one\nimport two\n", "below.py": body(),
                      "one.py": body("import sys, types, below",
                                     "sys.modules[__name__] = types.SimpleNamespace()"),
                      "two.py": body("import one")},
    # The second load has two who ask for it, and its body finds what the first one's loaded.
    "loaded_again": {"main.py": "import one\nimport sys\nsys.modules.pop('one', None)\nimport one\n"
                     "import two\nimport alone\nsys.modules.setdefault('one', None)\n",
                     "one.py": body("import below"), "two.py": body("import one"),
                     "alone.py": body(), "below.py": body()},
    "loaded_twice": {"main.py": "import one\nimport sys\nsys.modules.pop('one', None)\nimport one\n"
                     "import alone\nsys.modules.setdefault('one', None)\n",
                     "one.py": body("import below"), "alone.py": body(), "below.py": body()},
    "star": {"main.py": "from one import *\n", "one.py": body("from below import *"),
             "below.py": body("x = 1")},
}


def at_random(seed):
    """Some tens of modules, in packages and not, that import each other in bodies and functions."""
    rnd = random.Random(seed)
    names = []
    # A package can be met half done: then what is called is a matter of order.
    has_packages = bool(seed % 2)
    for n in range(rnd.randint(6, 16)):
        package = rnd.choice([None, None] + [name for name in names if has_packages and
                                             name.count(".") < 2])
        names.append("%sm%d" % (package + "." if package else "", n))
    packages = {name.rpartition(".")[0] for name in names} - {""}
    path = {name: name.replace(".", "/") + ("/__init__.py" if name in packages else ".py")
            for name in names}
    files = {}
    for at, name in enumerate(names):
        later = [x for x in names[at + 1:] if not x.startswith(name + ".") or rnd.random() < 0.3]
        lines = []
        for other in rnd.sample(later, min(len(later), rnd.randint(0, 3))):
            lines.append(rnd.choice(["import %s", "import %s", "try:\n    import %s\nfinally:\n    pass"])
                         % other)
        functions = rnd.sample(later, min(len(later), rnd.randint(0, 2)))
        lines += ["def f%d():\n    import %s" % pair for pair in enumerate(functions)]
        # A function of what it has imported itself: what is called must not hang on the order.
        for other in rnd.sample(later, min(len(later), 0 if has_packages else rnd.randint(0, 1))):
            lines.append("import %s as other\nif 'other' in globals() and hasattr(other, 'f0'): "
                         "other.f0()" % other)
        rnd.shuffle(lines)
        files[path[name]] = body(*lines, sleep=0.005)
    tops = [name for name in names if rnd.random() < 0.4] or names[:1]
    files["main.py"] = "".join("import %s\n" % name for name in tops) + (
        "import sys\nfor name in %r:\n    m = sys.modules.get(name)\n"
        "    if hasattr(m, 'f1'): m.f1()\n" % (names,))
    return files
