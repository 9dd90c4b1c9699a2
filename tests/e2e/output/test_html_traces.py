#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The HTML report of unusual traces: thousands of modules, several processes, two traces, hostile names."""
import json
import subprocess

from lib import browser
from lib.exports import HOSTILE
from lib.pages import modules, record, record_app, rows
import lib

NAMES = ["evil</script><script>pwned=1</script>", "evil<!--<script>", "evil-->",
         "evil<img src=x onerror='pwned=2'>", "evil\u2028pwned=3\u2029",
         "evil&lt;b&gt;&amp;", "evil]]>", "evil\"' onmouseover='pwned=4'",
         "evil\u202etxtexe", "evil\x1b[31m\x07", "evil${pwned=5}`", "evil\\u003c",
         "evil\x00nul", "__proto__evil", "constructorevil", "evil" + "n" * 900]


@lib.test()
def test_hostile():
    """Names that are HTML, script, or invisible: shown as text, run by nobody."""
    script = lib.write("hostile.py", HOSTILE % (NAMES,))
    _, doc, url = record([lib.system().exe, script])
    known = {i["module"] for i in doc.python().imports}
    # The kernel's record ends at a NUL or at its own size; the rest must be whole.
    for name in NAMES:
        if "\x00" not in name and len(name) < 200:
            lib.check(name in known, "%r is not in the JSON", name)
    with open(url[len("file://"):], encoding="utf-8") as file:
        text = file.read()
    lib.check(text.count("</script>") == 2 and text.count("<script") == 2, "a script element more")
    with browser.Browser(1280, 1400) as page:
        page.open(url)
        page.press("/")
        page.type("evil")
        lib.check_equal(page.js("typeof window.pwned"), "undefined", "a name ran")
        lib.check_equal(page.js("document.images.length + document.scripts.length"), 2,
                        "images and scripts")
        shown = [cells[0] for _, cells in rows(page)]
        lib.check(len(shown) >= len(NAMES) - 1, "%d of %d rows", len(shown), len(NAMES))
        for name in NAMES[:4]:
            lib.check(name in shown, "%r is not shown; %r", name, shown)
        for char in "\u202e\u2028\x1b\x07":
            lib.check(not any(char in s for s in page.texts("body *")), "%r is on the page", char)
        lib.check(any("\\u{202e}txtexe" in s for s in shown), "the direction mark is not told")
        # Nothing of it is chosen or hovered without effect on the page either.
        for index in range(len(shown)):
            page.js("document.querySelectorAll('#rows tbody tr[data-id]')[%d].click()" % index)
        page.settle()
        lib.check_equal(page.js("typeof window.pwned"), "undefined", "a name ran")
        page.check_quiet()


@lib.test()
def test_before_and_after():
    """`diff --format html`: both icicles, what came and what went, and the totals of the JSON."""
    before, _, _ = record_app()
    lib.write("app_main.py", "import app_web\nimport app_new\n")
    lib.write("app_new.py", "import colorsys\n")
    after, _, _ = record([lib.system().exe, "app.py"], "after.cap")
    path = lib.workdir() + "/diff.html"
    for fmt, out in (("html", path), ("json", path + ".json")):
        done = subprocess.run([lib.TOOL, "diff", before, after, "--format", fmt, "--report", out],
                              capture_output=True, env=lib.tool_env(), cwd=lib.workdir())
        lib.check_equal(done.returncode, 0, "status, %r" % done.stderr)
    with open(path + ".json", encoding="utf-8") as file:
        pair = json.load(file)["pairs"][0]
    with browser.Browser(1280, 1400) as page:
        page.open("file://" + path)
        text = page.text("#compare-lists")
        for tree in pair["new"] + pair["gone"]:
            lib.check(tree["module"] in text, "%s is not in %s", tree["module"], text)
        lib.check("app_new" in text and "app_db" in text, text)
        cells = page.texts('#compare-totals tr[data-total="loaded"] td')
        lib.check_equal(cells[1:3], [str(pair[side]["loaded"]) for side in ("before", "after")], "loaded")
        boxes = page.js("['before', 'after'].map(s => Number(document.querySelector('#icicle-' + s)"
                        ".dataset.boxes))")
        lib.check(min(boxes) > 5, "icicles of %s boxes", boxes)
        lib.check("went" in page.text("#before-title") and "came" in page.text("#after-title"), "titles")
        page.check_quiet()


@lib.test(timeout_s=240)
def test_thousands():
    """5,000 modules: what is drawn does not grow with them, and the last one is a key away."""
    for n in range(5000):
        lib.write("many/m%04d.py" % n, "import many.m%04d\n" % (n + 1) if n % 50 != 49 else "")
    lib.write("many/__init__.py", "")
    script = lib.write("many_app.py", "".join("import many.m%04d\n" % n for n in range(0, 5000, 50)))
    _, doc, url = record([lib.system().exe, script])
    everything = len(modules(doc.python()))
    lib.check(everything >= 5000, "only %d", everything)
    with browser.Browser(1280, 900) as page:
        page.open(url)
        elements = "document.getElementsByTagName('*').length"
        drawn = page.js("Number(document.querySelector('#icicle').dataset.boxes)")
        lib.check(page.js(elements) < 2500, "%d elements", page.js(elements))
        lib.check(100 < drawn < 50 * 2 * 1280, "%d boxes", drawn)
        page.press("/")
        page.type("m4999")
        lib.check_equal(page.text("#found"), "1 found", "search")
        page.press("Escape")
        page.js("document.querySelector('#rows-box').focus()")
        page.press("End")
        lib.check_equal(page.js("Number([...document.querySelectorAll('#rows tbody tr[data-id]')]"
                                ".at(-1).getAttribute('aria-rowindex'))"), everything + 1,
                        "the last row")
        for key in ("module", "self_time", "start"):
            page.click('#rows [data-key="%s"]' % key)
        lib.check(page.js(elements) < 2500, "%d elements later", page.js(elements))
        # For a reader of the log: no limit, machines differ.
        print("ms from input to frame:", page.js("""(async () => {
            const times = {}, frame = () => new Promise(done => requestAnimationFrame(() =>
                setTimeout(done)));
            const time = async (name, task) => { await frame(); const from = performance.now();
                task(); await frame(); times[name] = Math.round(performance.now() - from); };
            const input = document.querySelector('#search');
            await time('nothing', () => 0);
            await time('resize', () => window.dispatchEvent(new Event('resize')));
            await time('sort', () =>
                document.querySelector('#rows [data-key="self_time"]').click());
            await time('search', () => { input.value = 'm1';
                input.dispatchEvent(new Event('input')); });
            await time('scroll', () => { document.querySelector('#rows-box').scrollTop = 5000; });
            return JSON.stringify(times);
        })()"""))
        page.check_quiet()


@lib.test()
def test_processes():
    """Several processes and threads: each can be chosen; the timeline has them all."""
    lib.write("pr_child.py", "import decimal\n")
    script = lib.write("pr.py", """
import subprocess, sys, threading
def work():
    import email.mime.text
thread = threading.Thread(target=work)
thread.start()
thread.join()
subprocess.run([sys.executable, %r], check=True)
""" % (lib.workdir() + "/pr_child.py"))
    _, doc, url = record([lib.system().exe, script])
    pythons = [p for p in doc.processes if p["is_python"]]
    lib.check_equal(len(pythons), 2, "processes")
    with browser.Browser(1280, 1400) as page:
        page.open(url)
        lib.check_equal(len(page.texts("#processes tbody tr")), 2, "rows of processes")
        lib.check_equal(len(page.texts("#process option")), 2, "choices")
        lanes = page.js("Number(document.querySelector('#timeline').dataset.lanes)")
        lib.check(lanes >= 4, "%d lanes for two processes and two threads", lanes)
        child = [p for p in pythons if p.named("decimal")][0]
        for button, text in enumerate(page.texts("#processes tbody button")):
            if "pid %d" % child.pid in text:
                page.js("document.querySelectorAll('#processes tbody button')[%d].click()" % button)
        page.settle()
        lib.check("pr_child.py" in page.text("#title"), "title %r", page.text("#title"))
        lib.check_equal(page.js("Number(document.querySelector('[data-figure=loaded]')"
                                ".dataset.value)"), child["counts"]["loaded"], "its modules")
        page.check_quiet()


if __name__ == "__main__":
    lib.main()
