# SPDX-License-Identifier: BSD-2-Clause
"""importlib.import_module: the root that -X importtime has no line for, its parents, relative
names, and a missing one; the importer is who called it, not importlib. Parents come inside the
load of their child; from 3.15.1 on importlib imports them before it locks the child, so beside.

Interpreters: all
Perf: yes
Expect:
    __main__
        im_plain via=import_module importer=@plain kind=source result=loaded from=__main__
            im_child via=statement importer=im_plain.py@child
        im_missing via=import_module importer=@missing result=failed error=ModuleNotFoundError
        im_pkg.deep.leaf via=import_module importer=@parents
            ? im_pkg.deep via=import_module importer=@parents
                ? im_pkg via=import_module importer=@parents
        ? im_pkg.deep via=import_module importer=@parents
            ? im_pkg via=import_module importer=@parents
        ? im_pkg via=import_module importer=@parents
        im_pkg.rel via=import_module importer=@relative
        im_bad via=import_module importer=@bad result=failed error=RuntimeError
            im_child2 result=loaded
"""
import importlib

importlib.import_module("im_plain")  #@plain
try:
    importlib.import_module("im_missing")  #@missing
except ModuleNotFoundError as error:
    print(error)
importlib.import_module("im_pkg.deep.leaf")  #@parents
importlib.import_module(".rel", "im_pkg")  #@relative
try:
    importlib.import_module("im_bad")  #@bad
except RuntimeError as error:
    print(error)
for _ in range(10):
    print(importlib.import_module("im_plain").__name__)
