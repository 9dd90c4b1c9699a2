# SPDX-License-Identifier: BSD-2-Clause
"""runpy from inside a program: the body that it runs is seen, and what that imports.

Expect:
    __main__
        rp_mod file=rp_mod.py
            rp_child importer=rp_mod.py@child
        <run_path> file=rp_script.py
            rp_child2 importer=rp_script.py@child
"""
import os
import runpy
import sys

print(runpy.run_module("rp_mod")["VALUE"])
print(runpy.run_path(os.path.join(os.path.dirname(sys.argv[0]), "rp_script.py"))["VALUE"])
