# SPDX-License-Identifier: BSD-2-Clause
"""A circle: each module loaded once, and the edge that closes the circle is named.

Interpreters: all
Expect:
    __main__
        circ_a importer=@a result=loaded
            circ_b importer=circ_a.py@b result=loaded
                circ_c importer=circ_b.py@c result=loaded
Edges:
    circ_c.py@back -> circ_a count=1 cached=1 circular=yes
    circ_a.py@b -> circ_b count=1 cached=0 circular=no
    @late -> circ_a count=1 cached=1 circular=no
"""
import circ_a  #@a
import circ_a as again  #@late

print(circ_a.VALUE, again is circ_a)
