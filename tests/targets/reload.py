# SPDX-License-Identifier: BSD-2-Clause
"""importlib.reload runs the body again: a second load, by way of reload.

Interpreters: all
Expect:
    __main__
        reloaded via=statement importer=@first
        reloaded via=reload importer=@again result=loaded
Edges:
    reloaded.py@child -> reload_child count=2 cached=1
"""
import importlib
import reloaded  #@first

importlib.reload(reloaded)  #@again
print(reloaded.VALUE)
