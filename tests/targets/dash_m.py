# SPDX-License-Identifier: BSD-2-Clause
"""python -m: the package is loaded, the module itself is __main__.

Interpreters: all
Env: PYTHONPATH={dir}
Run: {python} -m dash_pkg.tool
Expect:
    dash_pkg result=loaded
    __main__ via=main result=loaded file=dash_pkg/tool.py kind=source
        dash_pkg.helper via=statement importer=dash_pkg/tool.py@helper
    ! dash_pkg.tool
"""
