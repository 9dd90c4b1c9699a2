# SPDX-License-Identifier: BSD-2-Clause
"""importlib.util.LazyLoader: the body runs at the first attribute, and is charged there.

Interpreters: all
Expect:
    __main__
        lazy_target result=loaded file=lazy_target.py importer=@touch
            lazy_child importer=lazy_target.py@child via=statement
"""
import importlib.util
import sys

spec = importlib.util.find_spec("lazy_target")
loader = importlib.util.LazyLoader(spec.loader)
spec.loader = loader
module = importlib.util.module_from_spec(spec)
sys.modules["lazy_target"] = module
loader.exec_module(module)
print("lazy_child" in sys.modules)


def touch():
    return module.VALUE  #@touch


print(touch(), "lazy_child" in sys.modules)
