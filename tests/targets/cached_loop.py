# SPDX-License-Identifier: BSD-2-Clause
"""Cached imports are edges with counts, never loads.

Interpreters: all
Perf: yes
Expect:
    __main__
        cached_mod x 1 importer=@first
Edges:
    @first -> cached_mod count=1 cached=0
    @loop -> cached_mod count=1000 cached=1000
    @sys -> sys count=500 cached=500
"""
import cached_mod  #@first

for _ in range(1000):
    import cached_mod  #@loop
for _ in range(500):
    import sys  #@sys
print(cached_mod.VALUE, len(sys.argv))
