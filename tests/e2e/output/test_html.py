#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The HTML report in a real browser: loaded from disk, clicked, searched, sorted, zoomed, printed;
what it shows is compared with the JSON of the same capture."""
import json
import re
import subprocess

from lib import browser
import lib

APP = {
    "app_main.py": "import app_web\nimport app_db\nimport app_missing_guard\n",
    "app_web.py": "import time\ntime.sleep(0.05)\nimport json\nimport email.message\n",
    "app_db.py": "import time\ntime.sleep(0.02)\nimport app_models\n",
    "app_models.py": "import app_circle\nimport decimal\n",
    "app_circle.py": "import app_models\n",
    "app_missing_guard.py": "try:\n    import app_absent\nexcept ImportError:\n    pass\n",
}


def report(cap, fmt, *opts):
    """A report of a capture; needs no root."""
    path = "%s.%s" % (cap, fmt)
    done = subprocess.run([lib.TOOL, "report", cap, "--format", fmt, "--report", path, *opts],
                          capture_output=True, env=lib.tool_env(), cwd=lib.workdir())
    lib.check_equal(done.returncode, 0, "status, %r" % done.stderr)
    return path


def record(argv, name="trace.cap"):
    """(the capture, its JSON as a Trace, its HTML report's path)."""
    cap = "%s/%s" % (lib.workdir(), name)
    done = subprocess.run([lib.TOOL, "record", "-o", cap, "--", *argv], capture_output=True,
                          env=lib.tool_env(), cwd=lib.workdir(), timeout=lib.PATIENCE_S)
    lib.check_equal(done.returncode, 0, "status, %r" % done.stderr[-2000:])
    with open(report(cap, "json"), "rb") as file:
        doc = lib.Trace(json.load(file))
    return cap, doc, "file://" + report(cap, "html")


def record_app():
    for name, text in APP.items():
        lib.write(name, text)
    script = lib.write("app.py", "import app_main\n")
    return record([lib.system().exe, script])


def modules(process):
    """What the table has a row for: everything but the program itself."""
    return [i for i in process.imports if i["via"] != "main"]


def rows(page):
    """[(id, {column: raw figure})] of the rows that are elements now."""
    return page.js("""[...document.querySelectorAll('#rows tbody tr[data-id]')].map(row =>
        [Number(row.dataset.id), [...row.cells].map(cell => cell.dataset.value === undefined ?
            cell.textContent : Number(cell.dataset.value))])""")


def columns(page):
    return page.js("[...document.querySelectorAll('#rows thead button')].map(b => b.dataset.key)")


@lib.test()
def test_numbers():
    """Every figure of the page is the JSON's."""
    cap, doc, url = record_app()
    process = doc.python()
    with browser.Browser(1280, 1400) as page:
        page.open(url)
        figures = dict(page.js("[...document.querySelectorAll('[data-figure]')].map(e =>"
                               "[e.dataset.figure, Number(e.dataset.value)])"))
        phases = {p["name"]: p["end_ns"] - p["start_ns"] for p in process["phases"]}
        lib.check_equal(figures["startup_ns"], phases["startup"], "start-up")
        lib.check_equal(figures["interpreter_ns"], phases["interpreter"], "interpreter")
        for name in ("loaded", "failed", "cached"):
            lib.check_equal(figures[name], process["counts"][name], name)
        # The text report says the same of the same capture.
        with open(report(cap, "text", "--as-measured"), encoding="utf-8") as file:
            text = " ".join(file.read().split())
        for words in (r"start-up ([0-9.]+ \w+)", r"imports ([0-9.]+ \w+)"):
            told = re.search(words, text)
            lib.check(told and told.group(1) in page.text("#headline"), "%r is not in %r",
                      told and told.group(0), page.text("#headline"))
        taken = process["startup"]["overhead_ns"]
        lib.check_equal("tracing took about" in page.text("#notices"),
                        bool(taken and taken > process["startup"]["wall_ns"] / 1000),
                        "told what tracing took")
        keys = columns(page)
        by_id = {i["id"]: i for i in process.imports}
        shown = rows(page)
        lib.check(len(shown) > 20, "only %d rows", len(shown))
        for ident, cells in shown:
            for key, field in (("self_time", "self_ns"), ("total_time", "wall_ns"),
                               ("self_cpu", "self_cpu_ns"), ("total_cpu", "cpu_ns")):
                if key in keys:
                    got = cells[keys.index(key)]
                    lib.check_equal(got if got != "–" else None, by_id[ident][field], field)
        order = [i["id"] for i in sorted(modules(process), key=lambda i: -(i["self_ns"] or -1))]
        lib.check_equal([i for i, _ in shown][:15], order[:15], "dearest first")
        place = "app.py:1"
        lib.check_equal([c[keys.index("importer")] for i, c in shown
                         if by_id[i]["module"] == "app_main"], [place], "importer of app_main")
        page.check_quiet()


@lib.test()
def test_use():
    """Clicking, zooming, searching, sorting and the keyboard."""
    _, doc, url = record_app()
    process = doc.python()
    everything = len(modules(process))
    with browser.Browser(1280, 1400) as page:
        page.open(url)

        # Search: rows, their number, and back.
        page.press("/")
        lib.check_equal(page.js("document.activeElement.id"), "search", "focus after /")
        page.type("app_ .py:1")
        wanted = {i["id"] for i in modules(process)
                  if "app_" in " ".join(filter(None, (i["module"], i["file"],
                                                      i["importer"]["module"],
                                                      i["importer"]["file"])))
                  and ".py:1" in "%s:%s" % (i["importer"]["file"], i["importer"]["line"])}
        lib.check(3 <= len(wanted) < everything, "%d to be found", len(wanted))
        lib.check_equal({i for i, _ in rows(page)}, wanted, "rows found")
        lib.check_equal(page.text("#found"), "%d found" % len(wanted), "number found")
        page.press("Escape")
        lib.check_equal(page.js("Number(document.querySelector('#rows').getAttribute("
                                "'aria-rowcount'))") - 1, everything, "rows after Escape")

        # Sort by name, up and down.
        page.click('#rows [data-key="module"]')
        names = [c[0] for _, c in rows(page)]
        lib.check_equal(names[:10], sorted(i["module"] for i in modules(process))[:10], "by name")
        lib.check_equal(page.js("document.querySelector('#rows th').getAttribute('aria-sort')"),
                        "ascending", "aria-sort")
        page.click('#rows [data-key="module"]')
        lib.check_equal([c[0] for _, c in rows(page)][0],
                        max(i["module"] for i in modules(process)), "by name, down")

        # A row chosen shows why it was loaded, every hop with its line.
        page.press("/")
        page.type("app_circle")
        page.js("document.querySelector('#rows tbody tr[data-id]').click()")
        page.settle()
        lib.check_equal(page.text("#detail h3"), "app_circle", "detail")
        chain = page.texts("#detail ol li")
        for hop, place in (("app_main", "app.py:1"), ("app_db", "app_main.py:2"),
                           ("app_models", "app_db.py:3"), ("app_circle", "app_models.py:1")):
            lib.check(any(hop in item and place in item for item in chain),
                      "no hop %s at %s in %r", hop, place, chain)
        page.press("Escape")
        lib.check(any("app_circle" in t and "app_models" in t
                      for t in page.texts("#findings li")), "the cycle is not told: %r",
                  page.texts("#findings li"))

        # The icicle by keyboard: down to the dearest, in, and out again.
        page.js("document.querySelector('#icicle').focus()")
        page.press("Home")
        page.press("ArrowDown")
        dearest = page.text("#detail h3")
        lib.check_equal(dearest, "app_main", "the dearest import")
        page.press("Enter")
        lib.check_equal(page.texts("#path button"), ["all imports", "app_main"], "zoomed")
        page.press("ArrowDown")
        lib.check_equal(page.text("#detail h3"), "app_web", "the dearest below")
        page.press("ArrowRight")
        lib.check_equal(page.text("#detail h3"), "app_db", "its neighbour")
        page.press("ArrowLeft")
        page.press("ArrowUp")
        page.press("Backspace")
        lib.check_equal(page.texts("#path button"), ["all imports"], "zoomed out")

        # And by mouse: app_main has most of the width of the second row.
        left, top, width, _ = page.box("#icicle")
        page.click_at(left + width * 0.6, top + 21 * 1.5)
        lib.check_equal(page.texts("#path button")[-1], "app_main", "clicked")
        page.click("#path button")
        lib.check_equal(page.texts("#path button"), ["all imports"], "out by the path")

        # The table by keyboard.
        page.js("document.querySelector('#rows-box').focus()")
        page.press("ArrowDown", 3)
        page.press("Enter")
        on = page.js("document.querySelector('#rows tr.on').cells[0].textContent")
        lib.check_equal(page.text("#detail h3"), on, "chosen by Enter")
        page.press("End")
        last = page.js("[...document.querySelectorAll('#rows tbody tr[data-id]')].at(-1)"
                       ".getAttribute('aria-rowindex')")
        lib.check_equal(int(last), everything + 1, "the last row")
        page.check_quiet()


@lib.test()
def test_looks():
    """Light, dark and paper."""
    _, doc, url = record_app()
    back = "getComputedStyle(document.documentElement).backgroundColor"
    with browser.Browser() as page:
        page.theme("light")
        page.open(url)
        light = page.js(back)
        page.theme("dark")
        dark = page.js(back)
        lib.check(light != dark, "dark is like light: %s", dark)
        page.click("#theme")
        lib.check_equal(page.js(back), light, "light by button")
        page.click("#theme")
        page.theme("light")
        lib.check_equal(page.js(back), dark, "dark by button")
        lib.needs_command("pdftotext")
        path = lib.workdir() + "/report.pdf"
        page.pdf(path)
        text = subprocess.run(["pdftotext", "-layout", path, "-"], capture_output=True,
                              check=True).stdout.decode()
        for word in ("app.py", "What loaded what", "Causes", "Timeline", "Modules", "app_web",
                     "app_models.py:1"):
            lib.check(word in text, "no %r on paper:\n%s", word, text[:3000])
        page.check_quiet()


HOSTILE = r"""
import importlib.machinery, sys
class Finder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if "evil" in name:
            return importlib.machinery.ModuleSpec(name, Finder)
    @staticmethod
    def create_module(spec): return None
    @staticmethod
    def exec_module(module): pass
sys.meta_path.insert(0, Finder)
for name in %r:
    __import__(name)
"""
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
def test_policy():
    """The content security policy: no script but its own, no style, no request."""
    _, _, url = record_app()
    with browser.Browser() as page:
        page.open(url)
        page.check_quiet()
        page.js("""new Promise(done => {
            window.broken = [];
            document.addEventListener('securitypolicyviolation', e => {
                window.broken.push(e.effectiveDirective);
                if (window.broken.length === 4)
                    done(1);
            });
            const script = document.createElement('script');
            try { script.textContent = 'window.pwned = 1'; document.body.append(script); }
            catch (error) { window.broken.push('trusted-types'); }
            const style = document.createElement('style');
            style.textContent = 'body { display: none }';
            document.body.append(style);
            const image = new Image();
            image.src = 'http://127.0.0.1:9/x.png';
            document.body.append(image);
            fetch('http://127.0.0.1:9/').catch(() => 0);
            setTimeout(() => done(0), 3000);
        })""")
        broken = page.js("window.broken")
        lib.check_equal(page.js("typeof window.pwned"), "undefined", "a foreign script ran")
        for what in ("style-src", "img-src", "connect-src"):
            lib.check(any(b.startswith(what) for b in broken), "%s not refused: %r", what, broken)
        lib.check(page.js("getComputedStyle(document.body).display") != "none", "a foreign style")


@lib.test(params={"390": 390, "1280": 1280, "1920": 1920})
def test_widths(width):
    """No page scrolls sideways; importers can be read; the best savings are on the first screen."""
    _, doc, url = record_app()
    with browser.Browser(width, 900) as page:
        page.open(url)
        lib.check(page.js("document.documentElement.scrollWidth <= innerWidth"), "sideways: %s",
                  page.js("document.documentElement.scrollWidth"))
        _, top, _, _ = page.js("(({left, top, width, height}) => [left, top, width, height])"
                               "(document.querySelector('#best').getBoundingClientRect())")
        lib.check(top < 900 and page.texts("#best li strong"), "no savings at %s", top)
        if width >= 1280:
            beside = page.js("document.querySelector('#best').getBoundingClientRect().right <= "
                             "document.querySelector('#icicle').getBoundingClientRect().left")
            lib.check(beside, "savings and icicle are not side by side")
            cut = page.js("[...document.querySelectorAll('#rows td.place')].filter(td => "
                          "td.scrollWidth > td.clientWidth && /app_/.test(td.textContent)).length")
            lib.check_equal(cut, 0, "importers cut")
        page.check_quiet()


@lib.test()
def test_best_and_sums():
    """The savings are those of the JSON; what a search found is summed without counting twice."""
    _, doc, url = record_app()
    process = doc.python()
    best = [f for f in process["findings"] if f["rule"] == "deferrable-import" and f["saving_ns"]
            and not f["evidence"]["group"]][:3]
    by_id = {i["id"]: i for i in modules(process)}
    with browser.Browser(1280, 1400) as page:
        page.open(url)
        lib.check_equal(page.js("[...document.querySelectorAll('#best li')].map(e => e.dataset.finding)"),
                        [f["id"] for f in best], "findings")
        page.press("/")
        page.type("app_db")
        found = {i for i, _ in rows(page)}
        outer = [by_id[i] for i in found if not any(a in found for a in ancestors(by_id, i))]
        want = ": %s, in themselves %s" % tuple(
            page.js("(%s)(%d)" % (FMT, n)) for n in (sum(i["wall_ns"] for i in outer),
                                                     sum(by_id[i]["self_ns"] for i in found)))
        lib.check_equal(page.text("#sums"), want, "sums")
        page.check_quiet()


# As the page writes times of this size: three digits.
FMT = """ns => ns >= 99.95e6 ? Math.floor(ns / 1e6 + 0.5) + " ms" : (Math.floor(ns / 1e5 + 0.5) / 10).toFixed(1) + " ms" """


def ancestors(by_id, ident):
    parent = by_id[ident]["parent"]
    while parent in by_id:
        yield parent
        parent = by_id[parent]["parent"]


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


@lib.test()
def test_nothing():
    """No Python at all: a page that says so."""
    _, _, url = record(["/bin/true"])
    with browser.Browser() as page:
        page.open(url)
        lib.check("No Python program was seen" in page.text("#headline"), page.text("#headline"))
        page.check_quiet()


if __name__ == "__main__":
    lib.main()
