#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""speedscope in a browser: its own format, Chrome traces and folded stacks."""
import collections
import json
import os

from lib import browser
from lib.exports import EVERY, export, record_script, save
import lib

TOOLS = os.environ.get("PYIMPORT_TOOLS", "/var/tmp/pyimport-tools")


def open_in_speedscope(page, path):
    """Loads a file the way speedscope's own command line does: as a script with its content."""
    import base64
    index = TOOLS + "/speedscope/dist/release/index.html"
    if not os.path.exists(index):
        raise lib.Skip("no speedscope in %s: scripts/test_tools.sh fetches it" % TOOLS)
    with open(path, "rb") as file:
        data = base64.b64encode(file.read()).decode()
    script = save(os.path.basename(path) + ".js", "speedscope.loadFileFromBase64(%s, %s)" % (
        json.dumps(os.path.basename(path)), json.dumps(data)))
    page.dialogs.clear()
    page.open("about:blank")
    page.open("file://%s#localProfilePath=%s" % (index, script))
    page.wait("document.title !== 'speedscope'", "speedscope to show %s" % path)
    lib.check(not page.dialogs, "speedscope says: %s", page.dialogs)
    page.settle()


def sandwich(page):
    """{name: (total, self)} as speedscope's own table has them, for the rows in sight."""
    page.js("""[...document.querySelectorAll('div')].filter(e =>
        e.childElementCount <= 1 && e.textContent.trim().endsWith('Sandwich')).at(-1).click()""")
    table = """[...document.querySelectorAll('table tr')].map(row => [...row.cells].map(cell =>
        cell.textContent)).filter(cells => cells.length === 3 && cells[0].endsWith('%)'))"""
    page.wait(table + ".length > 0", "the sandwich view")
    return {row[2]: row[:2] for row in page.js(table)}


def has_ns(cell, ns):
    """speedscope writes 1.23ms (4.5%); is that this many ns?"""
    units = {"ns": 1, "µs": 1e3, "us": 1e3, "ms": 1e6, "s": 1e9}
    text = cell.split("(")[0].strip()
    number = text.rstrip("nµums")
    return abs(float(number) * units[text[len(number):].strip()] - ns) <= max(ns * 0.01, 10)


@lib.test(params=EVERY, timeout_s=200)
def test_speedscope(name):
    """speedscope's own format: it opens, and its sums are ours."""
    cap, doc = record_script(name)
    process = doc.python()
    text = export(cap, "speedscope")
    profile = json.loads(text)
    for one in profile["profiles"]:
        stack, last = [], one["startValue"]
        for event in one["events"]:
            lib.check(event["at"] >= last, "%s goes back", one["name"])
            last = event["at"]
            if event["type"] == "O":
                stack.append(event["frame"])
            else:
                lib.check_equal(stack.pop() if stack else None, event["frame"], "closed frame")
        lib.check(not stack and last <= one["endValue"], "%s does not end", one["name"])
    tids = {i["tid"] for i in process.imports}
    times = [p for p in profile["profiles"] if "thread %d" % process.pid in p["name"]]
    lib.check(len(times) == 1 and len([p for p in profile["profiles"] if "thread" in p["name"]])
              >= len(tids), "profiles: %r", [p["name"] for p in profile["profiles"]])
    with browser.Browser() as page:
        open_in_speedscope(page, save(name + ".speedscope.json", text))
        rows = sandwich(page)
        # All profiles can be chosen, each under its name.
        offered = page.texts("table tr td:nth-child(2)")
        for one in profile["profiles"]:
            lib.check(len(profile["profiles"]) == 1 or one["name"] in offered,
                      "%r is not offered: %r", one["name"], offered)
        main = collections.Counter()
        for load in process.imports:
            if load["tid"] == process.pid:
                main[load["module"]] += load["self_ns"]
        for shared in process["libs"]: # a frame of its own inside the module's
            if shared["import"] in process.by_id and shared["wall_ns"]:
                main[process.by_id[shared["import"]]["module"]] -= shared["wall_ns"]
        often = collections.Counter(load["module"] for load in process.imports)
        for load_name, _ in main.most_common(3): # these are in sight
            if often[load_name] > 1: # of each file a frame of its own
                continue
            cell = [r for n, r in rows.items() if n == load_name]
            lib.check(cell, "no %s in speedscope: %r", load_name, list(rows)[:20])
            lib.check(any(has_ns(c, main[load_name]) for c in cell[0]), "%s: self %d ns, "
                      "speedscope has %r", load_name, main[load_name], cell[0])
        page.check_quiet()


@lib.test()
def test_speedscope_reads_the_others():
    """It also reads Chrome traces and folded stacks, and says so where they do not nest."""
    cap, doc = record_script("app")
    process = doc.python()
    total = {i["module"]: i["wall_ns"] for i in process.imports}
    self_ns = {i["module"]: lib.own_ns(i) for i in process.imports}
    with browser.Browser() as page:
        open_in_speedscope(page, save("app.trace.json", export(cap, "chrome")))
        cell = [r for n, r in sandwich(page).items() if n.startswith("ex_slow")]
        lib.check(cell and any(has_ns(c, total["ex_slow"]) for c in cell[0]), "Chrome: %r", cell)
        warned = [e for e in page.errors if "nest" in e.lower() or "overlap" in e.lower()]
        lib.check(not warned, "speedscope: %r", warned)
        open_in_speedscope(page, save("app.folded.txt", export(cap, "folded")))
        cell = [r for n, r in sandwich(page).items() if n == "ex_slow"]
        lib.check(cell, "no ex_slow in the folded stacks")
        number = "{:,}".format(self_ns["ex_slow"])
        lib.check(any(number.split(",")[0] in c.replace(",", "") for c in cell[0]),
                  "folded: self %s, speedscope has %r", number, cell[0])


if __name__ == "__main__":
    lib.main()
