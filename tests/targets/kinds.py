# SPDX-License-Identifier: BSD-2-Clause
"""Builtin, frozen, source and bytecode-only modules.

Interpreters: all
Expect:
    zipimport kind=frozen result=loaded
    __main__
        _tracemalloc kind=builtin importer=@builtin file=- result=loaded
        kind_source kind=source importer=@source file=kind_source.py
        kind_bytecode kind=bytecode importer=@bytecode result=loaded
        kind_cached kind=bytecode importer=@cached result=loaded
"""
import os
import py_compile

here = os.path.dirname(os.path.abspath(__file__))
py_compile.compile(os.path.join(here, "kind_gone.py"), cfile=os.path.join(here, "kind_bytecode.pyc"))
py_compile.compile(os.path.join(here, "kind_cached.py"))
import _tracemalloc  #@builtin
import kind_source  #@source
import kind_bytecode  #@bytecode
import kind_cached  #@cached
print(kind_bytecode.VALUE, kind_source.VALUE, kind_cached.VALUE, _tracemalloc.__name__)
