# SPDX-License-Identifier: BSD-2-Clause
"""An exception that nobody catches goes through every open import; all are failed, none unfinished.

Interpreters: all
Status: 1
Expect:
    __main__ result=failed error=KeyError
        un_a result=failed error=KeyError importer=@a
            un_b result=failed error=KeyError importer=un_a.py@b
        ! un_c
"""
import un_a  #@a
import un_c
