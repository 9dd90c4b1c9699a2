# SPDX-License-Identifier: BSD-2-Clause
"""Modules inside a zip archive, imported the usual way.

Interpreters: all
Expect:
    __main__
        zipped kind=zip importer=@zipped result=loaded
            zipped.inner kind=zip importer=archive.zip/zipped/__init__.py:3
"""
import os
import sys
import zipfile

archive = os.path.join(os.path.dirname(os.path.abspath(__file__)), "archive.zip")
with zipfile.ZipFile(archive, "w") as file:
    file.writestr("zipped/__init__.py", "\n\nfrom . import inner\n")
    file.writestr("zipped/inner.py", "VALUE = 4\n")
sys.path.insert(0, archive)
import zipped  #@zipped

print(zipped.inner.VALUE)
