# SPDX-License-Identifier: BSD-2-Clause
"""Random programs that import in every way we know: program(seed, directory) writes one, and the
same one each time. It runs on CPython 3.6 and later, ends quickly, and prints nothing.

Each statement that imports stands on a line of its own, whose comment names its form (`#: form`):
a difference is told by it. All names that are looked for begin with PREFIX."""
import os
import random

PREFIX = "rnd_"
# A failed module is run again by whoever asks next, which multiplies, and it may be itself: the
# spy's frames must not decide where the recursion ends.
LOADS_MAX = 60

HEAD = "import sys\nsys.rnd_count = getattr(sys, 'rnd_count', 0) + 1\n" \
       "if sys.rnd_count > %d:\n    raise RuntimeError('enough')\n" % LOADS_MAX


# In the script: any module that is there already.
SOME = """sys.setrecursionlimit(9000)
def some(n):
    there = [m for name, m in sorted(sys.modules.items()) if name.startswith(%r) and m]
    return there[n %% len(there)]
sys.rnd_some = some
""" % PREFIX


class Module:
    def __init__(self, name, is_package, is_namespace=False):
        self.name, self.is_package, self.is_namespace = name, is_package, is_namespace
        self.ending = "" # what its body does last

    @property
    def package(self):
        return self.name if self.is_package else self.name.rpartition(".")[0]


class Program:
    def __init__(self, seed):
        self.rng = random.Random(seed)
        self.modules = []
        self.page_cnt = 0
        self._make_modules()

    def _make_modules(self):
        rng = self.rng
        for n in range(rng.randint(3, 9)):
            is_package = rng.random() < .4
            self._add("%s%d" % (PREFIX, n), is_package, 0)

    def _add(self, name, is_package, depth):
        rng = self.rng
        module = Module(name, is_package, is_package and rng.random() < .12)
        module.ending = rng.choice([""] * 12 + ["raise ValueError('at the end')", "1 / 0", "x = = 1",
                                                "raise ImportError('so')", "sys.exit(3)"])
        self.modules.append(module)
        if is_package:
            for n in range(rng.randint(1, 3)):
                self._add("%s.s%d" % (name, n), depth < 2 and rng.random() < .3, depth + 1)

    # --- what a statement asks for

    def target(self, inside):
        """The name of a module: mostly one that exists; at times a part of it does not."""
        chosen = self.rng.choice(self.modules).name
        roll = self.rng.random()
        if roll < .06:
            return PREFIX + "nope"
        if roll < .09:
            return chosen + ".nope"
        if roll < .11:
            return PREFIX + "nope.deep.er"
        return chosen

    def relative(self, inside):
        """(dots, rest) that reach a module of the same top package; None when there is none."""
        package = inside.package if inside else ""
        if not package:
            return None
        levels = self.rng.randint(1, package.count(".") + 1)
        base = package.rsplit(".", levels - 1)[0] if levels > 1 else package
        below = [m.name[len(base) + 1:] for m in self.modules if m.name.startswith(base + ".")]
        rest = self.rng.choice(below + ["nope"]) if below else "nope"
        return "." * levels, rest

    # --- statements: (form, lines), the first line that imports bears the comment

    def statement(self, inside):
        rng = self.rng
        name = self.target(inside)
        plain = [self.import_name, self.import_as, self.from_name, self.from_sub, self.from_star]
        calls = [self.dunder, self.dunder_full, self.import_module, self.reload, self.execs,
                 self.page, self.evals, self.forget, self.again]
        pick = rng.choice(plain * 3 + calls + [self.relative_form] * (6 if inside else 0) +
                          [self.own_submodule] * (3 if inside and inside.is_package else 0))
        return pick(name, inside)

    def import_name(self, name, _):
        return "import", "import %s" % name

    def import_as(self, name, _):
        return "import as", "import %s as alias" % name

    def from_name(self, name, _):
        return "from", "from %s import VALUE" % name

    def from_star(self, name, inside):
        return "from star", "exec('from %s import *', globals())" % name

    def from_sub(self, name, _):
        packages = [m for m in self.modules if m.is_package]
        if not packages:
            return "from", "from %s import VALUE" % name
        package = self.rng.choice(packages)
        subs = [m.name[len(package.name) + 1:] for m in self.modules
                if m.name.startswith(package.name + ".")]
        subs = [s for s in subs if "." not in s] + ["nope"]
        chosen = self.rng.sample(subs, self.rng.randint(1, min(2, len(subs))))
        return "from submodule", "from %s import %s" % (package.name, ", ".join(chosen))

    def relative_form(self, name, inside):
        found = self.relative(inside)
        if not found:
            return self.import_name(name, inside)
        dots, rest = found
        kind = self.rng.randrange(4)
        if kind == 0 and "." not in rest:
            return "from dots", "from %s import %s" % (dots, rest)
        if kind == 1:
            return "import_module relative", "importlib.import_module('%s%s', %r)" % (
                dots, rest, inside.package)
        if kind == 2:
            return "__import__ relative", "__import__('%s', globals(), locals(), ['VALUE'], %d)" % (
                rest, len(dots))
        return "from relative", "from %s%s import VALUE" % (dots, rest)

    def own_submodule(self, _, inside):
        subs = [m.name for m in self.modules if m.name.startswith(inside.name + ".")]
        name = self.rng.choice(subs + [inside.name + ".nope"])
        if self.rng.random() < .5:
            return "own import_module", "importlib.import_module('%s')" % name
        return "own import", "import %s" % name

    def dunder(self, name, _):
        return "__import__", "__import__('%s')" % name

    def dunder_full(self, name, _):
        return "__import__ full", "__import__('%s', globals(), locals(), ['VALUE'], 0)" % name

    def import_module(self, name, _):
        return "import_module", "importlib.import_module('%s')" % name

    def reload(self, name, _):
        if self.rng.random() < .2:
            return "reload", "importlib.reload(sys.modules['%s'])" % name
        return "reload", "importlib.reload(sys.rnd_some(%d))" % self.rng.randrange(100)

    def execs(self, name, _):
        space = self.rng.choice(["globals()", "{}", "{'__name__': 'space'}", "dict(globals())"])
        return "exec", "exec('import %s', %s)" % (name, space)

    def page(self, name, _):
        """Code of many pages that lives shortly, as template engines make it."""
        self.page_cnt += 1
        return "exec page", "exec(compile('\\n' * %d + 'import %s', 'page_%d.html', 'exec'), " \
            "{'__name__': 'page_%d'})" % (self.rng.randrange(9), name, self.page_cnt,
                                          self.page_cnt)

    def evals(self, name, _):
        return "eval", "eval(\"__import__('%s')\")" % name

    def forget(self, name, _):
        return "import after del", "sys.modules.pop('%s', None); import %s" % (name, name)

    def again(self, name, _):
        return "import repeated", "import %s; import %s" % (name, name)

    # --- text

    def shaped(self, form, text, n, inside):
        """The statement within some surroundings; what it raises is caught."""
        rng = self.rng
        mark = "  #: " + form
        simple = [text + mark]
        kind = rng.randrange(10)
        if kind == 0:
            lines = ["def f%d(a=1):" % n, "    'doc'"] + ["    " + s for s in simple] + ["f%d()" % n]
        elif kind == 1:
            lines = ["class C%d:" % n, "    a = 1"] + ["    " + s for s in simple]
        elif kind == 2:
            lines = ["for i%d in range(%d):" % (n, rng.randint(2, 4)), "    try:"]
            lines += ["        " + s for s in simple] + ["    except Exception:", "        pass"]
        elif kind == 3:
            lines = ["def g%d():" % n, "    yield 1"] + ["    " + s for s in simple] + \
                ["list(g%d())" % n]
        elif kind == 4 and not inside: # elsewhere it could wait for what we load
            lines = ["def t%d():" % n, "    try:"] + ["        " + s for s in simple] + \
                ["    except BaseException:", "        pass",
                 "th%d = threading.Thread(target=t%d)" % (n, n), "th%d.start()" % n,
                 "th%d.join()" % n]
        elif kind == 5:
            lines = ["sys.rnd_later = getattr(sys, 'rnd_later', [])", "def l%d():" % n] + \
                ["    " + s for s in simple] + ["sys.rnd_later.append(l%d)" % n]
        elif kind == 6:
            lines = ["if getattr(sys, 'rnd_later', []):", "    (sys.rnd_later.pop())()"] + simple
        else:
            lines = simple
        return ["try:"] + ["    " + s for s in lines] + ["except %s:" % rng.choice(
            ["Exception", "BaseException", "(ImportError, Exception, SystemExit)"]), "    pass"]

    def body(self, inside, statement_cnt):
        lines = (HEAD if inside else HEAD + SOME).splitlines() + ["import importlib, threading", "VALUE = 1"]
        for n in range(statement_cnt):
            lines += [""] * self.rng.choice([0, 0, 1, 3])
            form, text = self.statement(inside)
            if self.rng.random() < .06 and inside:
                lines += [text + "  #: " + form] # what it raises ends this module
            else:
                lines += self.shaped(form, text, n, inside)
        if inside and inside.ending:
            lines.append(inside.ending)
        return "\n".join(lines) + "\n"


def program(seed, directory):
    """Writes the program of this seed; the path of its script."""
    made = Program(seed)
    for module in made.modules:
        path = os.path.join(directory, *module.name.split("."))
        if module.is_package:
            os.makedirs(path, exist_ok=True)
            if module.is_namespace:
                continue
            path += "/__init__"
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path + ".py", "w") as file:
            file.write(made.body(module, made.rng.randint(0, 4)))
    script = os.path.join(directory, "main.py")
    with open(script, "w") as file:
        file.write(made.body(None, made.rng.randint(4, 10)))
    return script
