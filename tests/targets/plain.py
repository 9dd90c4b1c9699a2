# SPDX-License-Identifier: BSD-2-Clause
"""A plain chain: every module once, each below the one that asked, with the asking line.

Interpreters: all
Perf: yes
Expect:
    __main__ via=main result=loaded kind=source importer=-
        plain_a via=statement result=loaded kind=source importer=@a file=plain_a.py exact=yes from=__main__
            plain_b via=statement importer=plain_a.py@b file=plain_b.py from=plain_a
                plain_c via=statement importer=plain_b.py@c file=plain_c.py from=plain_b
        plain_d importer=@d
Edges:
    @a -> plain_a count=1 cached=0
    @again -> plain_c count=1 cached=1
"""
import plain_a  #@a
import plain_d  #@d
import plain_c  #@again

print(plain_a.plain_b.plain_c is plain_c, plain_d.VALUE)
