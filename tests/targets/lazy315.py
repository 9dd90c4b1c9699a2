# SPDX-License-Identifier: BSD-2-Clause
"""3.15's lazy imports: nothing at the declaration, a load by way of `lazy` at the first use, with
the line that used it; never used, never loaded.

Needs: 3.15
Interpreters: all
Expect:
    __main__
        lz_used via=lazy result=loaded importer=@use
            lz_child via=statement importer=lz_used.py@child
        lz_from via=lazy importer=@usefrom
        lz_fails via=lazy result=failed error=ModuleNotFoundError importer=@fails
        ! lz_never
"""
import sys

lazy import lz_used  #@declared
lazy import lz_never
lazy from lz_from import VALUE
lazy import lz_fails

print("lz_used" in sys.modules)


def use():
    return lz_used.VALUE  #@use


print(use())
print(VALUE)  #@usefrom
try:
    lz_fails.VALUE  #@fails
except ImportError as error:
    print(type(error).__name__)
print("lz_never" in sys.modules)
