# SPDX-License-Identifier: BSD-2-Clause
"""A package of relative imports: absolute names, right parents and lines.

Interpreters: all
Perf: yes
Expect:
    __main__
        rel_pkg importer=@rel from=__main__
            rel_pkg.one importer=rel_pkg/__init__.py@one
            rel_pkg.two importer=rel_pkg/__init__.py@two
                rel_pkg.three importer=rel_pkg/two.py@three
            rel_pkg.sub importer=rel_pkg/__init__.py@sub
                rel_pkg.sub.four importer=rel_pkg/sub/__init__.py@four
                    rel_pkg.five importer=rel_pkg/sub/four.py@five
Edges:
    rel_pkg/sub/four.py@cached -> rel_pkg.two count=1 cached=1
"""
import rel_pkg  #@rel

print(rel_pkg.sub.four.VALUE)
