#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""`check`: budgets that hold and budgets that do not, on real runs and on captures."""
import json
import os
import re
import string
import subprocess
import urllib.parse
import xml.etree.ElementTree

import lib


URI_CHARS = string.ascii_letters + string.digits + "-._~:/@!$&'()*+,;=%[]"


def tool(*args, env=None):
    return subprocess.run([lib.TOOL, *args], capture_output=True, stdin=subprocess.DEVNULL,
                          cwd=lib.workdir(), env=lib.clean_env(env))


def program():
    lib.write("bd_heavy.py", "import time\ntime.sleep(0.05)\n")
    lib.write("bd_cli.py", "import bd_heavy\nimport json\n")
    return lib.write("bd_main.py", "import bd_cli\nprint('usage')\n")


def capture(script, name="run.cap", *opts):
    path = os.path.join(lib.workdir(), name)
    done = tool("record", "-o", path, *opts, "--", lib.system().exe, script)
    lib.check_equal(done.returncode, 0, "record, %r" % done.stderr)
    return path


def check(budget, *args, status=None, fmt="json", env=None):
    path = lib.write("budget.yaml", budget)
    done = tool("check", "--budget", path, "--format", fmt, *args, env=env)
    if status is not None:
        lib.check_equal(done.returncode, status, "status, %r %r" % (done.stdout, done.stderr))
    return json.loads(done.stdout) if fmt == "json" and done.stdout else done


def results(doc):
    return {c["check"]: c["result"] for c in doc["checks"]}


@lib.test()
def test_limits():
    cap = capture(program())
    doc = check("entries:\n- name: help\n  limits: {time: 10 s, modules: 3}\n"
                "  forbid: [bd_heavy, torch]\n  modules: {'bd_*': 1 s, bd_heavy: 20 ms}\n"
                "  circular: false\n", cap, status=1)
    lib.check_equal(results(doc), {
        "time": "ok", "modules": "broken", "forbidden: bd_heavy": "broken",
        "forbidden: torch": "ok", "time of bd_*": "ok", "time of bd_heavy": "broken",
        "no circular imports": "ok"}, "results")
    broken = [c for c in doc["checks"] if c["check"] == "forbidden: bd_heavy"][0]
    chain = [(os.path.basename(h["importer"]["file"]), h["importer"]["line"], h["module"])
             for h in broken["chain"]]
    lib.check_equal(chain, [("bd_main.py", 1, "bd_cli"), ("bd_cli.py", 1, "bd_heavy")],
                    "the offending chain")
    lib.check((os.path.basename(broken["file"]), broken["line"]) == ("bd_cli.py", 1),
              "points at %s:%s", broken["file"], broken["line"])
    check("entries:\n- limits: {time: 10 s, modules: 500}\n  forbid: torch\n", cap, status=0)


LACKING = """
entries:
- name: it
  limits: {time: 10 s, memory: 1 gb, opens: 5000}
  modules: {'bd_*': {time: 1 s, memory: 1 gb}}
  forbid: torch
  network: false
  circular: false
  compile: false
"""


@lib.test()
def test_not_recorded():
    """What a capture has not cannot be kept: the check says which option records it, once each."""
    script = program()
    doc = check(LACKING, capture(script, "full.cap", "--profile", "full"))
    lib.check("unknown" not in results(doc).values(), "of a full capture: %s", results(doc))
    doc = check(LACKING, capture(script, "loads.cap", "--profile", "loads"), status=1)
    told = {c["check"]: c["message"] for c in doc["checks"] if c["result"] == "unknown"}
    plain = "not recorded; --profile standard records it"
    lib.check_equal(told, {"memory": plain, "opens": plain, "memory of bd_*": plain, "no network": plain,
                           "no circular imports": "not recorded; --profile full records it"},
                    "what was not recorded")
    log = os.path.join(lib.workdir(), "run.log")
    with open(log, "wb") as file:
        subprocess.run([lib.SYSTEM, "-X", "importtime", script], stdout=subprocess.DEVNULL, stderr=file,
                       env=lib.clean_env(), check=True)
    doc = check(LACKING, "--from", "importtime", log, status=1)
    told = {c["check"]: c["message"] for c in doc["checks"] if c["result"] == "unknown"}
    lib.check({"no circular imports", "no compile", "no network"} <= set(told) and
              set(told.values()) == {"a log of -X importtime does not tell"}, "of a log: %s", told)


@lib.test()
def test_over_the_interpreter():
    """A limit over the interpreter is judged without what the interpreter took in the same run."""
    cap = capture(program())
    startup = json.loads(tool("report", cap, "--format", "json").stdout)
    startup = [p["startup"] for p in startup["processes"] if p["imports"]][0]
    # Measured, and what it cannot be less than without the price of tracing.
    over = startup["wall_ns"] - startup["interpreter_ns"]
    least = over - startup["overhead_ns"]
    for limit, status in ((over, 0), (least - 1, 1)):
        doc = check("entries:\n- limits: {time: +%d ns over python -c pass}\n" % limit, cap,
                    status=status)
        value = doc["checks"][0]["value"]
        lib.check(least <= value <= over, "%d ns without the interpreter, not %d to %d", value, least,
                  over)
        lib.check_equal(doc["checks"][0]["over_interpreter"], True, "over_interpreter")
    text = check("entries:\n- limits: {time: +1 ms}\n", cap, status=1, fmt="text").stdout.decode()
    lib.check("allowed over the interpreter itself" in text and "more, with" in " ".join(text.split()),
              text)


@lib.test()
def test_allow():
    """Installed packages beyond those allowed are named, each once, with the chain."""
    base = os.path.join(lib.workdir(), "site-packages")
    for name in ("al_one", "al_two", "al_three"):
        lib.write("site-packages/%s/__init__.py" % name, "from . import part\n")
        lib.write("site-packages/%s/part.py" % name, "")
    lib.write("al_own.py", "import al_two\n")
    script = lib.write("al_main.py", "import sys\nsys.path.append(%r)\nimport json\nimport al_one\n"
                       "import al_own\n" % base)
    cap = capture(script)
    check("entries:\n- allow: [al_one, 'al_t*']\n", cap, status=0)
    doc = check("entries:\n- allow: [al_one]\n", cap, status=1)
    lib.check_equal([(c["check"], c["module"], os.path.basename(c["file"]), c["line"])
                     for c in doc["checks"]], [("only allowed packages", "al_two", "al_own.py", 1)],
                    "what was loaded beside")
    doc = check("entries:\n- allow: []\n", cap, status=1)
    lib.check_equal([c["module"] for c in doc["checks"]], ["al_one", "al_two"], "all of them")


@lib.test()
def test_baseline():
    """What broke is told with its value then, and with the import that came since."""
    then = capture(program(), "then.cap")
    modules = [c for c in check("entries:\n- limits: {modules: 1}\n", then, status=1)["checks"]][0]["value"]
    lib.write("bd_cli.py", "import bd_heavy\nimport json\nimport bd_new\n")
    lib.write("bd_new.py", "import bd_new2, colorsys\n")
    lib.write("bd_new2.py", "")
    now = capture(os.path.join(lib.workdir(), "bd_main.py"))
    budget = "entries:\n- limits: {modules: %d}\n" % modules
    check(budget, then, status=0)
    broken = check(budget, "--baseline", then, now, status=1)["checks"][0]
    lib.check_equal((broken["baseline"], broken["value"], broken["module"]),
                    (modules, modules + 3, "bd_new"), "then, now, and what came")
    lib.check_equal((os.path.basename(broken["file"]), broken["line"]), ("bd_cli.py", 3), "to blame")
    text = " ".join(check(budget, "--baseline", then, now, status=1, fmt="text").stdout.decode().split())
    lib.check("3 (" in text and re.search(r"in the baseline of \d{4}-\d\d-\d\d it was %d, since then came "
                                          "bd_new with 2 modules" % modules, text), text)


@lib.test()
def test_formats():
    """What CI systems read, from one capture."""
    cap = capture(program())
    budget = "entries:\n- name: 'a,b: <c> | %0a'\n  forbid: [bd_heavy]\n  limits: {modules: 9999}\n"
    text = check(budget, cap, status=1, fmt="text").stdout.decode()
    lib.check("FAIL" in text and "bd_cli.py:1" in text, "text:\n%s", text)
    suite = xml.etree.ElementTree.fromstring(check(budget, cap, status=1, fmt="junit").stdout)
    cases = suite.findall(".//testcase")
    lib.check_equal([(c.get("classname"), c.find("failure") is not None) for c in cases],
                    [("a,b: <c> | %0a", False), ("a,b: <c> | %0a", True)], "junit cases")
    lib.check("bd_cli.py:1" in cases[1].find("failure").get("message"), "junit message")
    sarif = json.loads(check(budget, cap, status=1, fmt="sarif").stdout)
    found = sarif["runs"][0]["results"]
    lib.check_equal([(r["ruleId"], r["level"]) for r in found], [("forbidden-module", "error")], "sarif")
    place = found[0]["locations"][0]["physicalLocation"]
    lib.check_equal((place["artifactLocation"]["uri"].split("/")[-1], place["region"]["startLine"]),
                    ("bd_cli.py", 1), "sarif location")
    summary = os.path.join(lib.workdir(), "summary.md")
    github = check(budget, cap, status=1, fmt="github", env={"GITHUB_STEP_SUMMARY": summary})
    lines = github.stdout.decode().splitlines()
    lib.check(len(lines) == 1 and lines[0].startswith("::error file=bd_cli.py,line=1,"
              "title=a%2Cb%3A <c> | %250a::forbidden: bd_heavy"), "github: %r", lines)
    with open(summary) as file:
        table = file.read()
    lib.check("1 of 2 checks failed" in table and "a,b: &#60;c&#62; &#124; %0a" in table, table)


@lib.test()
def test_command_and_update():
    """Runs the entry's own command; --update makes the budget hold, as a diff of limits only."""
    script = program()
    path = lib.write("own.yaml", "# of the team\nentries:\n- name: help\n"
                     "  command: [%s, %s]\n  runs: 2\n  limits: {modules: 2} # tight\n"
                     % (lib.system().exe, script))
    before = tool("check", "--budget", path)
    lib.check_equal(before.returncode, 1, "%r %r" % (before.stdout, before.stderr))
    update = tool("check", "--budget", path, "--update")
    lib.check_equal(update.returncode, 0, "%r" % update.stderr)
    after = tool("check", "--budget", path)
    lib.check_equal(after.returncode, 0, "%r %r" % (after.stdout, after.stderr))
    with open(path) as file:
        text = file.read()
    lib.check(text.startswith("# of the team\n") and "# tight\n" in text, "comments: %s", text)
    lib.check("usage" not in after.stdout.decode(), "the command's own output is in the result")


@lib.test()
def test_first_budget():
    path = os.path.join(lib.workdir(), "new.yaml")
    script = program()
    made = tool("check", "--budget", path, "--update", "-n", "3", "--", lib.system().exe, script)
    lib.check_equal(made.returncode, 0, "%r" % made.stderr)
    with open(path, encoding="utf-8") as file: # this machine may be twice as busy by now
        longer, cnt = re.subn(r"time: .*", "time: 60 s", file.read())
    lib.check_equal(cnt, 1, "times in %s" % longer)
    lib.write("new.yaml", longer)
    held = tool("check", "--budget", path, "-n", "3")
    lib.check_equal(held.returncode, 0, "%r %r" % (held.stdout, held.stderr))


@lib.test()
def test_refuses():
    cap = capture(program())
    for text, said, meant in (
            ("entries:\n- limits: {tiem: 1 s}", "2: no such limit: 'tiem'", "time"),
            ("entries:\n- modules: {a: {moduls: 1}}", "2: no such limit: 'moduls'", "modules"),
            ("entries:\n- modules: {a: {raedy: 1 s}}", "2: no such limit: 'raedy'",
             "one of time, cpu, memory, modules, opens, misses, bytes"),
            ("entries:\n- name: x\n  forbidden: [y]", "3: not a key of an entry: 'forbidden'", "forbid"),
            ("version: 1\nentrys: []", "2: not a key of a budget: 'entrys'", "entries")):
        bad = check(text + "\n", cap, status=1, fmt="text").stderr.decode()
        lib.check("budget.yaml:%s\n" % said in bad and re.search("try: %s\n" % meant, bad), "%s", bad)
    lib.check_equal(tool("check", "--budget", "absent.yaml", cap).returncode, 1, "no such budget")
    lib.check_equal(tool("check", cap).returncode, 2, "no --budget")
    unseen = check("entries:\n- match: nobody\n  limits: {modules: 1}\n", cap, status=1)
    lib.check_equal(results(unseen), {"a run of it": "unknown"}, "an entry that was not seen")
    none = check("entries:\n- limits: {modules: 1}\n", status=1, fmt="text")
    lib.check(b"has no command" in none.stderr, "%r", none.stderr)
    lost = check("entries:\n- limits: {modules: 1}\n", "--", "/nonexistent/python", status=1,
                 fmt="text")
    lib.check(lost.stderr.endswith(b"/nonexistent/python: command not found\n"), "%r", lost.stderr)


@lib.test()
def test_no_rights():
    """Where nothing can be traced that is the status: the budget is neither kept nor broken."""
    path = lib.write("budget.yaml", "entries:\n- limits: {modules: 1}\n")
    weak = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]
    for fmt in ("text", "github", "json"):
        done = subprocess.run([*weak, lib.TOOL, "check", "--budget", path, "--format", fmt, "--",
                               lib.SYSTEM, "-c", "pass"], capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, env=lib.clean_env())
        lib.check_equal((done.returncode, done.stdout), (3, ""), "%s: %s" % (fmt, done.stderr))
        lib.check("cannot trace: " in done.stderr, "%s: %s", fmt, done.stderr)
    # What was recorded elsewhere is judged there all the same.
    cap = capture(program())
    done = subprocess.run([*weak, lib.TOOL, "check", "--budget", path, cap], capture_output=True,
                          text=True, stdin=subprocess.DEVNULL, env=lib.clean_env())
    lib.check_equal(done.returncode, 1, done.stderr)


@lib.test()
def test_repository():
    """Files are named as the repository names them, wherever the program and the check were started;
    what no statement is to blame for stands at the entry of the budget."""
    where = lib.workdir() + "/repo"
    lib.write("repo/src/app/__init__.py", "")
    lib.write("repo/src/app/cli.py", "import json\nimport colorsys\n")
    lib.write("repo/src/main.py", "import app.cli\n")
    lib.write("repo/ci/budget.yaml", "entries:\n- name: it\n  limits: {modules: 1}\n  forbid: [colorsys]\n"
              "- match: nobody\n  limits: {modules: 1}\n")
    os.mkdir(where + "/.git")
    cap = where + "/run.cap"
    done = subprocess.run([lib.TOOL, "record", "-o", cap, "--", lib.system().exe, "-S", "main.py"],
                          capture_output=True, stdin=subprocess.DEVNULL, cwd=where + "/src",
                          env=lib.clean_env())
    lib.check_equal(done.returncode, 0, done.stderr)
    for cwd, budget in ((where, "ci/budget.yaml"), (where + "/ci", "budget.yaml")):
        done = subprocess.run([lib.TOOL, "check", "--budget", budget, "--format", "sarif", cap],
                              capture_output=True, stdin=subprocess.DEVNULL, cwd=cwd,
                              env=lib.clean_env({"GITHUB_WORKSPACE": None}))
        lib.check_equal(done.returncode, 1, done.stderr)
        doc = json.loads(done.stdout)
        check_sarif(doc)
        places = [one["locations"][0]["physicalLocation"] for one in doc["runs"][0]["results"]]
        lib.check_equal([(one["artifactLocation"]["uri"], one["region"]["startLine"]) for one in places],
                        [("src/app/cli.py", 1), ("src/app/cli.py", 2), ("ci/budget.yaml", 5)], "in " + cwd)


SARIF_LEVELS = {"none", "note", "warning", "error"}
HOSTILE = "bd_\x1b[31m%0A::error::\u202e<b>|,: x"
TOLD = HOSTILE.replace("\u202e", "\\u{202e}")
TURNS = "\u202a\u202e\u2066\u2069\u200e\u200f\u061c\u2028\ufeff"


def check_sarif(doc):
    """What the public schema of SARIF requires of each object we write."""
    lib.check_equal(doc["version"], "2.1.0", "version")
    lib.check(doc["$schema"].startswith("https://"), "schema %r", doc["$schema"])
    for run in doc["runs"]:
        driver = run["tool"]["driver"]
        lib.check(isinstance(driver["name"], str), "driver without name")
        lib.check(all(one["id"] and one["shortDescription"]["text"] for one in driver["rules"]), "%r", driver)
        for result in run["results"]:
            lib.check(isinstance(result["message"]["text"], str), "message %r", result)
            lib.check_equal(driver["rules"][result["ruleIndex"]]["id"], result["ruleId"], "its rule")
            lib.check(result["locations"], "GitHub takes none without a place: %r", result)
            lib.check(result["level"] in SARIF_LEVELS, "level %r", result["level"])
            for location in result["locations"]:
                place = location["physicalLocation"]
                uri = place["artifactLocation"]["uri"]
                lib.check(not set(uri) - set(URI_CHARS), "not a URI: %r", uri)
                lib.check(place.get("region", {}).get("startLine", 1) >= 1, "line %r", place)


@lib.test()
def test_no_line():
    """Where a line or a statement is not known, nothing is said of it, nor of a file that is none."""
    lib.write("pth/bd.pth", "import bd_heavy\n")
    lib.write("bd_heavy.py", "")
    lib.write("sitecustomize.py", "")
    cap = capture(lib.write("bd_main.py", "import site, os\n"
                            "site.addsitedir(os.path.dirname(os.path.abspath(__file__)) + '/pth')\n"))
    budget = "entries:\n- name: x\n  forbid: [bd_heavy, sitecustomize, posix]\n" \
             "  modules: {posix: {time: 1 ns}}\n"
    for fmt in ("text", "markdown", "json", "sarif", "github", "junit"):
        done = tool("check", "--budget", lib.write("budget.yaml", budget), "--format", fmt, cap)
        lib.check_equal(done.returncode, 1, "status, %r" % done.stderr)
        text = done.stdout.decode()
        lib.check("posix" in text, "%s lacks posix: %s", fmt, text)
        for wrong in ("line=0", "line=\"0", ".pth:0", "chain: \n", "chain: |", "chain: \"",
                      "chain:  |", "file=<", "file=\"&lt;", "%3Cfrozen"):
            lib.check(wrong not in text, "%r in %s: %s", wrong, fmt, text)
        if fmt == "github":
            lib.check("bd.pth bd_heavy" in text or "bd.pth:1 bd_heavy" in text, text)


@lib.test()
def test_hostile_names():
    """A file and a budget that mean harm to whoever reads the result."""
    lib.write("bd_heavy.py", "")
    script = lib.write(HOSTILE + ".py", "import bd_heavy\n")
    cap = capture(script)
    budget = "entries:\n- name: %s\n  forbid: [bd_heavy]\n" % json.dumps(HOSTILE)
    check_sarif(json.loads(check(budget, cap, status=1, fmt="sarif").stdout))
    found = json.loads(check(budget, cap, status=1, fmt="sarif").stdout)["runs"][0]["results"]
    uri = found[0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    lib.check_equal(urllib.parse.unquote(uri), HOSTILE + ".py", "the file behind the URI")
    github = check(budget, cap, status=1, fmt="github").stdout.decode()
    lib.check_equal(github.count("\n"), 1, "commands in %r" % github)
    lib.check(github.startswith("::error file=") and "\x1b" not in github, "%r", github)
    head, _, message = github[2:].partition("::")
    fields = dict(field.split("=", 1) for field in head.split(" ", 1)[1].split(","))
    lib.check_equal(set(fields), {"file", "line", "title"}, "properties")
    lib.check_equal(urllib.parse.unquote(fields["file"]), TOLD + ".py", "file")
    lib.check_equal(urllib.parse.unquote(fields["title"]), TOLD, "title")
    lib.check("%0A::error" not in message, "a line of its own: %r", message)
    suite = check(budget, cap, status=1, fmt="junit").stdout
    lib.check(xml.etree.ElementTree.fromstring(suite) is not None, "junit")


@lib.test()
def test_directions():
    """Characters that turn a line around or hide come out of no format, nor of a log line."""
    lib.write("bd_heavy.py", "")
    cap = capture(lib.write("turn%s.py" % TURNS, "import bd_heavy\n"))
    budget = "entries:\n- name: %s\n  forbid: [bd_heavy]\n" % json.dumps("entry" + TURNS)
    path = lib.write("budget.yaml", budget)
    for fmt in ("text", "markdown", "json", "sarif", "github", "junit"):
        done = tool("check", "--budget", path, "--format", fmt, cap)
        lib.check_equal(done.returncode, 1, "status, %r" % done.stderr)
        shown = (done.stdout + done.stderr).decode()
        lib.check("entry" in shown and "turn" in shown, "%s says nothing of it: %r", fmt, shown)
        lib.check_equal(set(shown) & set(TURNS), set(), "in " + fmt)
    told = tool("check", "--budget", "no" + TURNS, cap).stderr.decode()
    lib.check("no?" in told, "the log line: %r", told)
    lib.check_equal(set(told) & set(TURNS), set(), "in a log line")


if __name__ == "__main__":
    lib.main()
