# SPDX-License-Identifier: BSD-2-Clause
"""A namespace package has no body, yet it is a load.

Interpreters: all
Expect:
    __main__
        ns_top.ns_mid.leaf importer=@leaf kind=source
            ns_top.ns_mid kind=namespace result=loaded
                ns_top kind=namespace result=loaded
"""
import ns_top.ns_mid.leaf  #@leaf

print(ns_top.ns_mid.leaf.VALUE)
