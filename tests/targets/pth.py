# SPDX-License-Identifier: BSD-2-Clause
"""Lines of .pth files: their imports hang under whoever processes the site directory.

Interpreters: all
Expect:
    __main__
        pth_mod via=statement importer=one.pth result=loaded
"""
import os
import site

site.addsitedir(os.path.join(os.path.dirname(os.path.abspath(__file__)), "sitedir"))
import pth_mod

print(pth_mod.VALUE)
