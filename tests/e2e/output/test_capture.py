#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Capture files of real traces: the same reports as live, without root, in pipes, after a crash of
ours, on a full disk."""
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
import lib  # noqa: E402

GOLDEN = os.path.join(lib.TESTS, "golden", "captures")
PROGRAM = """
import os, threading
def load():
    import decimal
thread = threading.Thread(target=load)
thread.start()
import decimal
thread.join()
try:
    import cp_absent
except ImportError:
    pass
if not os.fork():
    import csv
    os._exit(3)
os.wait()
for _ in range(3):
    import csv
print("done")
"""


def tool(*args, rc=0, **kwargs):
    """Runs the tool; checks its status."""
    kwargs.setdefault("cwd", lib.workdir())
    done = subprocess.run([lib.TOOL, *args], capture_output=True, env=lib.clean_env(),
                          timeout=lib.PATIENCE_S, **kwargs)
    lib.check(rc is None or done.returncode == rc, "status %d of %s, expected %s:\n%s",
              done.returncode, args, rc, done.stderr[-2000:].decode(errors="replace"))
    return done


def as_nobody(*args, rc=0, **kwargs):
    """The same without any privilege, from a directory everybody may enter."""
    lib.needs_command("setpriv")
    done = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all",
                           "--bounding-set=-all", lib.TOOL, *args], capture_output=True, cwd="/",
                          env=lib.clean_env(), timeout=lib.PATIENCE_S, **kwargs)
    lib.check_equal(done.returncode, rc, "status of %s, %s" % (args, done.stderr[-2000:]))
    return done


def public_tool():
    """A copy of the tool that nobody may run: the checkout may lie in somebody's home."""
    path = os.path.join(lib.workdir(), "tool")
    if not os.path.exists(path):
        shutil.copy(lib.TOOL, path)
        os.chmod(path, 0o755)
    lib.settings.TOOL = path


def record(path, *command, opts=()):
    return tool("record", *opts, "-o", path, "--", *command, rc=None)


@lib.test()
def test_live_and_replayed():
    """Every document of a capture equals that of the trace which wrote it, byte for byte."""
    capture, report = (os.path.join(lib.workdir(), name) for name in ("a.cap", "a.json"))
    script = lib.write("cp.py", PROGRAM)
    done = tool("-o", capture, "--format", "json", "--report", report, "--",
                lib.system().exe, script)
    lib.check_equal(done.stdout, b"done\n", "the command's output")
    with open(report, "rb") as file:
        live = file.read()
    lib.check(len(json.loads(live)["processes"]) == 2, "not two processes")
    lib.check_invariants(json.loads(live))
    public_tool()
    os.chmod(capture, 0o644)
    replayed = as_nobody("report", capture, "--format", "json").stdout
    lib.check(replayed == live, "the replayed document differs from the live one")
    for args in (["--view", "tree"], ["--view", "blame"], ["--format", "importtime"], []):
        lib.check(b"csv" in as_nobody("report", capture, *args).stdout, "no csv in %s", args)


@lib.test()
def test_text_live_and_replayed():
    """The text of the trace, too: it has the standard output to itself."""
    capture = os.path.join(lib.workdir(), "t.cap")
    done = tool("-o", capture, "--", lib.system().exe, "-c", "import json")
    lib.check_equal(tool("report", capture).stdout, done.stdout, "text of the capture against the trace's")


@lib.test()
def test_record_is_transparent():
    """`record` writes no report, and hands the command's status on."""
    capture = os.path.join(lib.workdir(), "r.cap")
    done = record(capture, lib.system().exe, "-c", "import json; print(1); raise SystemExit(7)")
    lib.check_equal(done.returncode, 7, "status")
    lib.check_equal(done.stdout, b"1\n", "output of the command")
    lib.check(re.search(rb"^pyimport-bpf: [\d,]+ records, [\d,]+ bytes to ", done.stderr, re.M),
              "not told what was written: %r", done.stderr)
    lib.check(b"Most expensive" not in done.stderr, "a report")
    lib.check(b"json.decoder" in tool("report", capture, "--view", "tree").stdout, "no tree")


@lib.test()
def test_started_again():
    """A program that starts again adds less than a third of what its first start took: it tells the same."""
    sizes = []
    for cnt in 1, 9:
        path = os.path.join(lib.workdir(), "again.cap")
        starts = "import subprocess, sys\nfor _ in range(%d):\n" \
                 "    subprocess.run([sys.executable, '-c', 'import json, decimal'])" % cnt
        lib.check_equal(record(path, lib.system().exe, "-S", "-c", starts).returncode, 0, "status")
        lib.check(b"json.decoder" in tool("report", path, "--view", "tree").stdout, "no tree")
        sizes.append(os.path.getsize(path))
    lib.check((sizes[1] - sizes[0]) / 8 < sizes[0] / 3, "bytes of a first start and of nine: %s", sizes)


@lib.test()
def test_pipe():
    """record -o - | report -; the command's output goes elsewhere."""
    writer = subprocess.Popen([lib.TOOL, "record", "-o", "-", "--", lib.system().exe, "-c",
                               "import json; print('noise')"], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, env=lib.clean_env(), cwd=lib.workdir())
    done = tool("report", "-", "--view", "tree", stdin=writer.stdout)
    writer.stdout.close()
    err = writer.stderr.read()
    lib.check_equal(writer.wait(timeout=lib.PATIENCE_S), 0, "status of record, %r" % err)
    lib.check(b"json.decoder" in done.stdout, "no tree:\n%s", done.stdout)
    lib.check(b"noise" in err, "the command's output is lost: %r", err)


@lib.test()
def test_closed_pipe():
    """Nobody reads on: the command still runs to its end, and it is told."""
    done = os.path.join(lib.workdir(), "done")
    script = lib.write("cl.py", "import time, xml.dom.minidom\ntime.sleep(2.5)\nimport csv\n"
                       "open(%r, 'w').close()\n" % done)
    read, write = os.pipe()
    os.close(read)
    run = subprocess.run([lib.TOOL, "record", "-o", "-", "--", lib.system().exe, script],
                         stdout=write, stderr=subprocess.PIPE, env=lib.clean_env(),
                         cwd=lib.workdir(), timeout=lib.PATIENCE_S)
    os.close(write)
    lib.check_equal(run.returncode, 1, "status")
    lib.check(b"the reader of the capture has gone away" in run.stderr, "not told: %r", run.stderr)
    lib.check(os.path.exists(done), "the command did not end by itself")


@lib.test()
def test_full_disk():
    """The report still comes, the file holds what came before and says that it is cut."""
    lib.private_mounts()
    full = os.path.join(lib.workdir(), "full")
    os.mkdir(full)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32k", "tmpfs", full], check=True)
    capture = os.path.join(full, "f.cap")
    code = ("import time, json, decimal, csv\ntime.sleep(1.5)\n"
            "import xml.dom.minidom, unittest, asyncio, email.message, http.server\n")
    done = tool("-o", capture, "--view", "tree", "--", lib.system().exe, "-c", code, rc=1)
    lib.check(b"No space left" in done.stderr, "not told: %r", done.stderr[-1500:])
    lib.check(b"http.server" in done.stdout, "the report of the trace is lost")
    lib.check(os.path.getsize(capture) > 1000, "nothing was kept")
    done = tool("report", capture, "--view", "tree", rc=1)
    lib.check(b"ends before its trace did" in done.stderr, "not told: %r", done.stderr)
    lib.check(b"the capture ends before the trace did" in done.stdout, "not in the report")
    lib.check(b"_frozen_importlib_external" in done.stdout or b"zipimport" in done.stdout,
              "nothing of what came before:\n%s", done.stdout)
    doc = json.loads(tool("report", capture, "--format", "json", rc=1).stdout)
    lib.check(doc["trace"]["cut"] and not doc["complete"], "cut, but not marked")
    subprocess.run(["umount", full], check=True)


@lib.test()
def test_tracer_killed():
    """SIGKILL of the tracer: what it had flushed is a readable capture, marked as cut."""
    capture = os.path.join(lib.workdir(), "k.cap")
    script = lib.write("kl.py", "import sys, json\nprint('up', flush=True)\nsys.stdin.readline()\n"
                       "import decimal\nprint('again', flush=True)\nsys.stdin.readline()\n")
    target = lib.Target([lib.system().exe, script])
    target.expect("up")
    with open(os.path.join(lib.workdir(), "err"), "wb") as err:
        tracer = subprocess.Popen([lib.TOOL, "record", "--no-hold", "-o", capture, "-p",
                                   str(target.pid)], stderr=err, env=lib.clean_env())
    deadline = time.monotonic() + lib.PATIENCE_S

    def wait_until(condition, what):
        while not condition():
            lib.check(time.monotonic() < deadline and tracer.poll() is None, "never %s", what)
            time.sleep(0.1)
    wait_until(lambda: lib.READY in open(err.name, encoding="utf-8").read(), "ready")
    target.proc.stdin.write(b"\n")
    target.expect("again")
    # Flushed once a second; what it holds can be told without stopping it.
    wait_until(lambda: b"decimal" in subprocess.run(
        [lib.TOOL, "report", capture, "--view", "tree"], capture_output=True,
        env=lib.clean_env()).stdout, "flushed")
    tracer.send_signal(signal.SIGKILL)
    tracer.wait()
    done = tool("report", capture, "--format", "json", rc=1)
    doc = json.loads(done.stdout)
    lib.check(doc["trace"]["cut"] and not doc["complete"], "cut, but not marked")
    names = {i["module"] for p in doc["processes"] for i in p["imports"]}
    lib.check("decimal" in names, "no decimal in %s", names)
    lib.check(doc["host"]["kernel"] == os.uname().release, "no host")
    lib.check(doc["processes"][0]["python"], "no interpreter")
    target.proc.stdin.write(b"\n")
    lib.check_equal(target.proc.wait(timeout=lib.PATIENCE_S), 0, "status of the target")


@lib.test()
def test_destination():
    """What cannot be written is told before the command runs; an existing file becomes private."""
    mark = os.path.join(lib.workdir(), "ran")
    command = [lib.system().exe, "-c", "open(%r, 'w')" % mark]
    for path in ("/nonexistent/x.cap", lib.workdir(), "/proc/x.cap"):
        done = record(path, *command)
        lib.check_equal(done.returncode, 1, "status for %s" % path)
        lib.check(b"cannot write the capture to " in done.stderr, "not told: %r", done.stderr)
    lib.check(not os.path.exists(mark), "the command ran although nothing could be kept")
    old = lib.write("old.cap", "x" * 100000)
    os.chmod(old, 0o644)
    lib.check_equal(record(old, *command).returncode, 0, "status over an old file")
    lib.check_equal(os.stat(old).st_mode & 0o777, 0o600, "mode of an old file")
    tool("report", old)
    # Nothing stays behind of a trace that never began.
    none = os.path.join(lib.workdir(), "none.cap")
    record(none, "/nonexistent/program")
    lib.check(not os.path.exists(none), "a capture of nothing")
    tool("record", "--", "true", rc=2)
    tool("report", rc=2)
    tool("report", "a", "b", rc=2)


@lib.test()
def test_refused():
    """Files that are none: a line that names them, status 1."""
    lib.write("text.cap", "import time: self [us] | cumulative | imported package\n")
    lib.write("empty.cap", "")
    with open(os.path.join(GOLDEN, "plain.cap"), "rb") as file:
        good = file.read()
    newer = bytearray(good)
    newer[8] = 255
    damaged = bytearray(good)
    damaged[len(good) // 2] ^= 0xff
    for name, data in (("newer", newer), ("damaged", damaged), ("cut", good[:-500])):
        with open(os.path.join(lib.workdir(), name + ".cap"), "wb") as file:
            file.write(data)
    for name, words in (("text.cap", b"is no capture"), ("empty.cap", b"is no capture"),
                        ("newer.cap", b"newer pyimport-bpf"), ("absent.cap", b"No such file"),
                        (".", b"Is a directory"), ("damaged.cap", b"is damaged near byte"),
                        ("cut.cap", b"ends before its trace did")):
        done = tool("report", name, rc=1)
        lib.check(words in done.stderr, "%s: %r", name, done.stderr)


@lib.test(params={n: n for n in ("plain", "fork")})
def test_schema(name):
    """--json-schema describes what --format json writes."""
    try:
        import jsonschema
    except ImportError as error:
        raise lib.Skip("no python3-jsonschema") from error
    schema = json.loads(tool("--json-schema").stdout)
    check = jsonschema.Draft202012Validator(schema)
    check.check_schema(schema)
    doc = json.loads(tool("report", os.path.join(GOLDEN, name + ".cap"), "--format", "json").stdout)
    problems = ["%s: %s" % ("/".join(map(str, e.absolute_path)), e.message[:200])
                for e in check.iter_errors(doc)]
    lib.check(not problems, "%s", "\n".join(problems[:10]))
    doc["processes"][0]["imports"][0]["wall_ns"] = "long"
    lib.check(not check.is_valid(doc), "the schema lets everything through")


@lib.test()
def test_sqlite():
    """The database opens, holds what the JSON holds, and answers the questions of its page."""
    lib.needs_command("sqlite3")
    golden, path = os.path.join(GOLDEN, "fork.cap"), os.path.join(lib.workdir(), "f.db")
    tool("report", golden, "--format", "sqlite", "--report", path)

    def ask(sql):
        done = subprocess.run(["sqlite3", "-json", path, sql], capture_output=True)
        lib.check(done.returncode == 0 and not done.stderr, "%s: %s", sql, done.stderr.decode())
        return json.loads(done.stdout or b"[]")
    lib.check_equal(ask("PRAGMA integrity_check"), [{"integrity_check": "ok"}], "integrity")
    doc = json.loads(tool("report", golden, "--format", "json").stdout)
    for table, key in (("import", "imports"), ("edge", "edges"), ("lib", "libs")):
        lib.check_equal(ask('SELECT count(*) AS n FROM "%s"' % table)[0]["n"],
                        sum(len(p[key]) for p in doc["processes"]), "rows of " + table)
    theirs = ask('SELECT process, id, parent, module, importer_line, wall_ns, self_ns, error FROM "import"'
                 " ORDER BY process, id")
    ours = [{"process": p["serial"], "importer_line": i["importer"]["line"],
             **{k: i[k] for k in ("id", "parent", "module", "wall_ns", "self_ns", "error")}}
            for p in doc["processes"] for i in p["imports"]]
    lib.check_equal(theirs, sorted(ours, key=lambda i: (i["process"], i["id"])), "imports")
    with open(os.path.join(lib.REPO, "docs", "sqlite.md"), encoding="utf-8") as file:
        queries = re.findall(r"```sql\n(.*?)```", file.read(), re.S)
    lib.check(len(queries) > 4, "no queries in docs/sqlite.md")
    for query in queries:
        if "'json'" in query:
            query = query.replace("'json'", "'xml.dom.minidom'")
        lib.check(ask(query), "no answer to: %s", query)


@lib.test()
def test_diff():
    """What changed between two runs, and by which statement."""
    lib.write("df_slow.py", "import time\ntime.sleep(0.01)\n")
    lib.write("df_views.py", "import csv\n")
    script = lib.write("df.py", "import df_slow\nimport df_views\n")
    a, b = (os.path.join(lib.workdir(), name) for name in ("before.cap", "after.cap"))
    lib.check_equal(record(a, lib.system().exe, script).returncode, 0, "status")
    lib.write("df_slow.py", "import time\ntime.sleep(0.3)\n")
    lib.write("df_views.py", "import os\nimport decimal\n")
    lib.check_equal(record(b, lib.system().exe, script).returncode, 0, "status")
    doc = json.loads(tool("diff", a, b, "--format", "json").stdout)
    pair = doc["pairs"][0]
    changes = {m["module"]: m["change"] for m in pair["modules"]}
    lib.check_equal(changes["df_slow"], "slower", "df_slow")
    lib.check_equal((changes["csv"], changes["decimal"]), ("gone", "new"), "csv, decimal")
    new = [t for t in pair["new"] if t["module"] == "decimal"]
    lib.check(new and new[0]["statement_on_one_side_only"] and
              new[0]["importer"]["file"].endswith("df_views.py") and
              new[0]["importer"]["line"] == 2, "by what decimal came: %r", pair["new"])
    lib.check(any("_decimal" in l["path"] and l["change"] == "new" for l in pair["libs"]),
              "its shared object: %r", pair["libs"])
    lib.check_equal(doc["doubts"] + pair["doubts"], [], "nothing speaks against comparing")
    text = tool("diff", a, b).stdout.decode()
    lib.check(re.search(r"decimal +df_views\.py:2 +a new statement", text), "%s", text)
    same = json.loads(tool("diff", a, a, "--format", "json").stdout)["pairs"][0]
    lib.check_equal({m["change"] for m in same["modules"]}, {"same"}, "a capture with itself")


if __name__ == "__main__":
    lib.main()
