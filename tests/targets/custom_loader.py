# SPDX-License-Identifier: BSD-2-Clause
"""Loaders of one's own: a meta_path finder that makes modules from strings, and a plug-in system
that calls exec_module by hand.

Interpreters: all
Expect:
    __main__
        fromstring via=statement importer=@string result=loaded
            cl_child importer=<fromstring>:2
        plugin importer=@exec result=loaded file=plugin_file.py
            cl_child2 importer=plugin_file.py@child
        nobody via=statement importer=@nobody result=loaded
"""
import importlib.abc
import importlib.machinery
import importlib.util
import os
import sys


class Strings(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    sources = {"fromstring": "\nimport cl_child\n", "nobody": None}

    def find_spec(self, name, path, target=None):
        return importlib.machinery.ModuleSpec(name, self) if name in self.sources else None

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        source = self.sources[module.__name__]
        if source is not None:
            exec(compile(source, "<fromstring>", "exec"), module.__dict__)


sys.meta_path.insert(0, Strings())
import fromstring  #@string
import nobody  #@nobody

spec = importlib.util.spec_from_file_location(
    "plugin", os.path.join(os.path.dirname(os.path.abspath(__file__)), "plugin_file.py"))
plugin = importlib.util.module_from_spec(spec)
spec.loader.exec_module(plugin)  #@exec
print(fromstring.__name__, nobody.__name__, plugin.VALUE)
