# SPDX-License-Identifier: BSD-2-Clause
"""Imports asked for by C code: pickle's find_class. The line is that of the Python code that
called into C.

Interpreters: all
Expect:
    __main__
        nat_pickled via=native importer=@pickle result=loaded
            nat_child via=statement importer=nat_pickled.py@child
"""
import _pickle

data = b"cnat_pickled\nThing\n."  # protocol 0: the global nat_pickled.Thing
print(_pickle.loads(data).__name__)  #@pickle
