#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The HTML report in a real browser: loaded from disk, clicked, searched, sorted, zoomed, printed;
what it shows is compared with the JSON of the same capture."""
import re
import subprocess

from lib import browser
from lib.pages import modules, record, record_app, report, rows
import lib

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
def test_nothing():
    """No Python at all: a page that says so."""
    _, _, url = record(["/bin/true"])
    with browser.Browser() as page:
        page.open(url)
        lib.check("No Python program was seen" in page.text("#headline"), page.text("#headline"))
        page.check_quiet()


if __name__ == "__main__":
    lib.main()
