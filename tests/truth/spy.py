# SPDX-License-Identifier: BSD-2-Clause
"""usercustomize of an untraced run: when the outermost imports of the first thread begin and end, and
what sys.modules holds at the end. And TRUTH_STUB, what a statement's names are when it was removed."""
import sys


def watch():
    import atexit
    import os
    import time
    boot = sys.modules["_frozen_importlib"]
    find, now, main = boot._find_and_load, time.monotonic_ns, boot._thread.get_ident()
    spans, busy = [], []

    def find_and_load(name, import_):
        if busy or name in sys.modules or boot._thread.get_ident() != main:
            return find(name, import_)
        busy.append(name)
        begin = now()
        try:
            return find(name, import_)
        finally:
            spans.append((begin, now()))
            busy.clear()

    def wrap(loader): # a LazyLoader's module runs when it is used, outside of any search
        old = loader.exec_module

        def exec_module(self, module):
            if busy or boot._thread.get_ident() != main:
                return old(self, module)
            busy.append(module)
            begin = now()
            try:
                return old(self, module)
            finally:
                spans.append((begin, now()))
                busy.clear()
        loader.exec_module = exec_module

    def tell():
        end = now()
        with open(os.environ["TRUTH_OUT"], "w") as out:
            out.write("%d\n%r\n%s\n" % (end, spans, "\n".join(sorted(sys.modules))))

    boot._find_and_load = find_and_load
    external = sys.modules["_frozen_importlib_external"]
    wrap(external._LoaderBasics)
    wrap(external.ExtensionFileLoader)
    atexit.register(tell)


class Stub:
    """Anything to anybody, so that a module's body runs on without what it imports."""
    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __call__(self, *args, **kwargs):
        return args[0] if len(args) == 1 and callable(args[0]) and not kwargs else self

    def __mro_entries__(self, bases):
        return ()

    def __instancecheck__(self, other):
        return False

    def __iter__(self):
        return iter(())

    def __hash__(self):
        return 1

    def same(self, *args):
        return self

    def false(self, *args):
        return False

    __getitem__ = __enter__ = __or__ = __ror__ = __and__ = __rand__ = __add__ = __radd__ = same
    __sub__ = __mul__ = __rmul__ = __truediv__ = __neg__ = __invert__ = same
    __exit__ = __contains__ = __lt__ = __gt__ = __le__ = __ge__ = false

    def __len__(self):
        return 0

    def __int__(self):
        return 0

    __index__ = __int__


__builtins__["TRUTH_STUB"] = Stub()
watch()
