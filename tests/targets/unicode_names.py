# SPDX-License-Identifier: BSD-2-Clause
"""Module names of one, two and four bytes per character, whole, in the order of their loads.

Interpreters: all
Expect:
    __main__
        naïve importer=@one file=naïve.py
        имя importer=@two
            имя.модуль importer=имя/__init__.py@sub
        𐐀𐐁 importer=@four
        日本 importer=@cjk
"""
import naïve  #@one
import имя  #@two
import 𐐀𐐁  #@four
import 日本  #@cjk

print(naïve.VALUE, имя.модуль.VALUE, 𐐀𐐁.VALUE, 日本.VALUE)
