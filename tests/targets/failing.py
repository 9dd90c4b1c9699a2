# SPDX-License-Identifier: BSD-2-Clause
"""Failures are marked, with the exception's type, and what they loaded before stays loaded.

Interpreters: all
Perf: yes
Expect:
    __main__ result=loaded
        nope_missing result=failed error=ModuleNotFoundError importer=@missing via=statement
        bad_syntax result=failed error=SyntaxError importer=@syntax
        bad_body result=failed error=ZeroDivisionError importer=@body
            before_failure result=loaded error=-
        bad_import result=failed error=ImportError importer=@importerror
        outer result=failed error=ValueError importer=@outer
            inner result=failed error=ValueError importer=outer.py@inner
        good result=loaded error=-
        custom_error result=failed error=MyError importer=@custom
        twice result=failed via=statement
        twice result=loaded via=statement
        nope_pkg.absent result=failed error=ModuleNotFoundError importer=@sub
            nope_pkg result=loaded
        exits result=failed error=SystemExit
"""
import sys


def attempt(function):
    try:
        function()
    except BaseException as error:
        print(type(error).__name__, error.args if not isinstance(error, SyntaxError) else "")
    else:
        print("fine")


def missing():
    import nope_missing  #@missing


def syntax():
    import bad_syntax  #@syntax


def body():
    import bad_body  #@body


def import_error():
    import bad_import  #@importerror


def outer():
    import outer  #@outer


def name_missing():
    from good import nosuchname  # noqa: F401


def custom():
    import custom_error  #@custom


def twice():
    import twice  # noqa: F401


def submodule():
    import nope_pkg.absent  #@sub


def exits():
    import exits  # noqa: F401


for function in (missing, syntax, body, import_error, outer, name_missing, custom, twice, twice,
                 submodule, exits):
    attempt(function)
print("before_failure" in sys.modules, "bad_body" in sys.modules)
