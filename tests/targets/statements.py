# SPDX-License-Identifier: BSD-2-Clause
"""Where a statement stands: over several lines, in functions, classes, conditions, loops,
comprehensions and handlers; several on one line.

Interpreters: all
Perf: yes
Expect:
    __main__
        st_multi importer=@multi
        st_multi.one importer=@multi
        st_multi.two importer=@multi
        st_back1 importer=@back
        st_back2 importer=@back
        st_func importer=@func
        st_class importer=@class
        st_method importer=@method
        st_handler importer=@handler
        st_comp importer=@comp
        st_lambda importer=@lambda
        st_line1 importer=@line
        st_line2 importer=@line
        st_far importer=@far
        st_gen importer=@gen
        st_exec importer=<made>:4
        st_star importer=@star
"""
from st_multi import (  #@multi
    one,
    two,
)
import st_back1, st_back2  #@back


def function():
    if True:
        import st_func  #@func
    return st_func


class Class:
    VALUE = 1
    import st_class  #@class

    def method(self):

        import st_method  #@method
        return st_method


function()
Class().method()
try:
    raise ValueError
except ValueError:
    import st_handler  #@handler
[__import__(name) for name in ["st_comp"]]  #@comp
(lambda: __import__("st_lambda"))()  #@lambda
import st_line1; import st_line2  #@line
















































































































































































import st_far  #@far


def generator():
    yield 1
    import st_gen  #@gen
    yield 2


list(generator())
exec(compile("\n\n\nimport st_exec\n", "<made>", "exec"))
from st_star import *  #@star

print(one.VALUE, two.VALUE, st_back1.VALUE + st_back2.VALUE)
