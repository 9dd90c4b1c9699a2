#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""embed.py DIRECTORY: the page of the HTML report as a C header on standard output.

Puts report.css and the scripts into report.html, with the hashes that its content security policy
allows, and cuts it where the data goes: html_head, html_tail."""
import base64
import hashlib
import os
import sys

# In this order, and in one scope.
SCRIPTS = ("base", "data", "icicle", "timeline", "table", "detail", "causes", "compare", "main")


def sha256(text):
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def c_string(text):
    """Adjacent literals, one per line of @text; no trigraphs, no surprises."""
    lines = []
    for line in text.splitlines(keepends=True):
        out = "".join(c if " " <= c <= "~" and c not in '\\"?' else
                      "\\n" if c == "\n" else
                      "".join("\\%03o" % b for b in c.encode()) for c in line)
        lines.append('\t"%s"' % out)
    return "\n".join(lines)


def main():
    directory = sys.argv[1]

    def read(name):
        with open(os.path.join(directory, name), encoding="utf-8") as file:
            return file.read()

    script = '"use strict";(async () => {\n%s})();\n' % "".join(read(s + ".js") for s in SCRIPTS)
    style = read("report.css")
    if "</" in style or "</script" in script.lower() or "<!--" in script:
        sys.exit("embed.py: a script or style that would end its own element")
    page = read("report.html")
    for key, value in (("@SCRIPT_HASH@", sha256(script)), ("@STYLE_HASH@", sha256(style)),
                       ("@STYLE@", style), ("@SCRIPT@", script)):
        if page.count(key) != 1:
            sys.exit("embed.py: report.html must have %s once" % key)
        page = page.replace(key, value)
    head, tail = page.split("@DATA@")
    print("/* Made by scripts/embed.py from %s. */" % directory)
    print("static const char html_head[] =\n%s;\n" % c_string(head))
    print("static const char html_tail[] =\n%s;" % c_string(tail))


main()
