# SPDX-License-Identifier: BSD-2-Clause
"""A witness inside programs: spy.py LIST runs each script of LIST in a child of its own (forks.py)
and writes to SCRIPT.spied what was loaded and which statements ran, as Python itself sees it. It
replaces functions of importlib that Python calls, and takes nothing from the tracer. Runs on
CPython 3.6 and later.

  loads: [name, parent (index or None), thread, result, error, via, importer [module, file, line],
          searched (whether the module was looked for, not served by what was loaded below),
          on the way (to a part of it, that the statement asks for)]
  runs:  [importer module, file, line, name] -> [count, cached]"""
import builtins
import importlib
import marshal
import sys
import threading

import forks

bootstrap = sys.modules["_frozen_importlib"]
loads, runs = [], {}
stacks = threading.local()
OWN = {__file__, forks.__file__, "<frozen importlib._bootstrap>", "<frozen importlib._bootstrap_external>",
       importlib.__file__, "<frozen importlib>"}


def asker():
    """(module, file, line) of the first frame that is neither importlib's nor ours; and whether
    import_module was on the way."""
    frame, is_call = sys._getframe(2), False
    while frame is not None and frame.f_code.co_filename in OWN:
        is_call = is_call or frame.f_code.co_name == "import_module"
        frame = frame.f_back
    if frame is None:
        return [None, None, None], is_call
    return [frame.f_globals.get("__name__"), frame.f_code.co_filename, frame.f_lineno], is_call


def observed(name, via, importer, function):
    stack = stacks.__dict__.setdefault("open", [])
    asked = stacks.__dict__.get("asked")
    load = [name, stack[-1] if stack else None, threading.get_ident(), None, None, via, importer,
            False, via == "statement" and bool(asked) and asked[-1].startswith(name + ".")]
    stack.append(len(loads))
    loads.append(load)
    try:
        result = function()
        load[3] = "loaded"
        return result
    except BaseException as error:
        load[3], load[4] = "failed", type(error).__name__
        raise
    finally:
        stack.pop()


real_find_and_load = bootstrap._find_and_load
real_find_spec = bootstrap._find_spec
real_import = builtins.__import__
real_reload = importlib.reload


def find_and_load(name, import_, **more): # 3.15 has more
    if sys.modules.get(name) is not None:
        return real_find_and_load(name, import_, **more)
    importer, is_call = asker()
    via = "import_module" if is_call else "statement"
    return observed(name, via, importer, lambda: real_find_and_load(name, import_, **more))


def find_spec(name, *rest):
    stack = stacks.__dict__.get("open")
    if stack and loads[stack[-1]][0] == name:
        loads[stack[-1]][7] = True
    return real_find_spec(name, *rest)


def absolute(name, namespace, level):
    """None where it cannot be told."""
    if level == 0:
        return name
    namespace = namespace or {}
    package = namespace.get("__package__")
    if package is None:
        package = namespace.get("__name__") or ""
        if "__path__" not in namespace:
            package = package.rpartition(".")[0]
    if not package or package.count(".") < level - 1:
        return None
    base = package.rsplit(".", level - 1)[0]
    return "%s.%s" % (base, name) if name else base


def import_(name, globals=None, locals=None, fromlist=(), level=0):
    full = absolute(name, globals, level)
    if full:
        importer, _ = asker()
        run = runs.setdefault((*importer, full), [0, 0])
        run[0] += 1
        run[1] += sys.modules.get(full) is not None
    asked = stacks.__dict__.setdefault("asked", [])
    asked.append(full or "")
    try:
        return real_import(name, globals, locals, fromlist, level)
    finally:
        asked.pop()


def reload(module):
    name = getattr(getattr(module, "__spec__", None), "name", None) or module.__name__
    parent = name.rpartition(".")[0]
    # Refused, or being reloaded already: then nothing is loaded.
    if sys.modules.get(name) is not module or name in importlib._RELOADING or \
            (parent and parent not in sys.modules):
        return real_reload(module)
    return observed(name, "reload", asker()[0], lambda: real_reload(module))


def main(script):
    bootstrap._find_and_load = find_and_load
    bootstrap._find_spec = find_spec
    builtins.__import__ = import_
    importlib.reload = reload
    try:
        forks.run(script)
    finally:
        builtins.__import__ = real_import
        bootstrap._find_and_load = real_find_and_load
        bootstrap._find_spec = real_find_spec
        with open(script + ".spied", "wb") as file:
            marshal.dump({"loads": loads, "runs": runs}, file, 2)


chosen = forks.child_of_each(forks.entries_of(sys.argv[1]))
if chosen:
    main(chosen)
