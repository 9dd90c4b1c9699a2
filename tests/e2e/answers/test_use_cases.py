#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The four start-ups this project began with, as programs of that shape: each question is answered
by one command. Times are those of sleeps and of real packages; nothing is compared with a clock."""
import json
import os
import subprocess

import lib

DEFER = "deferrable-import"


def heavy(ms):
    """The body of a module that takes that long to import."""
    return "import time\ntime.sleep(%f)\n" % (ms / 1000)


def environment():
    """What is called fake_… is an installed package, not the program's own."""
    return {"PYTHONPATH": os.path.join(lib.workdir(), "site-packages")}


def program(name, files):
    for path, text in files.items():
        lib.write(os.path.join("site-packages" if path.startswith("fake_") else name, path), text)
    return os.path.join(lib.workdir(), name)


def traced(base, *args):
    done, trace = lib.trace([lib.system().exe, base + "/main.py", *args], env=environment())
    lib.check_equal(done.rc, 0, "status, %r" % done.err[-500:])
    return trace.python()


def tool(*args):
    return subprocess.run([lib.TOOL, *args], capture_output=True, stdin=subprocess.DEVNULL,
                          cwd=lib.workdir(), env=lib.clean_env(environment()))


def finding(process, rule, place):
    file, line = place.rsplit(":", 1)
    found = [f for f in process["findings"] if f["rule"] == rule and f["line"] == int(line)
             and (f["file"] or "").endswith("/" + file)]
    lib.check(len(found) == 1, "%s at %s: %d findings, of %s", rule, place, len(found),
              [f["id"] for f in process["findings"]])
    return found[0]


def check_saving(process, place, ms, module):
    """At least what its modules slept, and named after what it brings."""
    found = finding(process, DEFER, place)
    lib.check(found["saving_ns"] >= ms * 1e6, "%s saves %s ns", place, found["saving_ns"])
    lib.check_equal(found["evidence"]["module"], module, place)
    return found


# --- A: a training pipeline that instantiates what its configuration names -------------------------

def pipeline():
    return program("pipeline", {
        "main.py": "from pipe.hydra import instantiate\nfrom pipe import train\n"
                   "job = instantiate({'_target_': 'pipe.data.Loader'})\n",
        "pipe/__init__.py": "",
        "pipe/hydra.py": "import importlib\n\n\ndef instantiate(config):\n"
                         "    path, name = config['_target_'].rsplit('.', 1)\n"
                         "    module = importlib.import_module(path)\n"
                         "    return getattr(module, name)()\n",
        "pipe/data.py": "import fake_cv2\n\n\nclass Loader:\n    pass\n",
        "pipe/train.py": "import fake_lightning\n\n\ndef run():\n    return fake_lightning\n",
        "fake_lightning/__init__.py": "from . import pytorch\n",
        "fake_lightning/pytorch.py": "import fake_torch\n" + heavy(60),
        "fake_torch.py": heavy(120), "fake_cv2.py": heavy(50)})


@lib.test()
def test_pipeline():
    """A: every statement that pulls something in, with what it would save; _target_ included."""
    process = traced(pipeline())
    train = check_saving(process, "pipe/train.py:1", 180, "fake_lightning")
    lib.check_equal([s["line"] for s in train["evidence"]["same"]], [2], "main.py:2 is the same")
    target = check_saving(process, "pipe/data.py:1", 50, "fake_cv2")
    data = process.one("pipe.data")
    lib.check_equal((data["via"], data["importer"]["line"]), ("import_module", 6),
                    "what _target_ named is loaded by")
    savings = [f["saving_ns"] for f in process["findings"]
               if f["rule"] == DEFER and not f["evidence"]["group"]]
    lib.check_equal(savings, sorted(savings, reverse=True), "dearest first")
    lib.check(target["saving_ns"] < train["saving_ns"], "order")


# --- B: a command-line tool whose __init__ imports every command ----------------------------------

def command_line_tool():
    return program("typer", {
        "main.py": "import sys\nfrom cli import app\napp(sys.argv[1:])\n",
        "cli/__init__.py": "from .commands import db, serve\nfrom . import telemetry\n\n\n"
                           "def app(args):\n    print('usage: main [db|serve]')\n",
        "cli/commands/__init__.py": "",
        "cli/commands/db.py": "import fake_pandas\n",
        "cli/commands/serve.py": "import fake_fastapi\nimport fake_httpx\n",
        "cli/telemetry.py": "import fake_opentelemetry.fastapi\n",
        "fake_pandas.py": heavy(120),
        "fake_fastapi.py": heavy(60), "fake_httpx.py": heavy(40),
        "fake_opentelemetry/__init__.py": heavy(20),
        "fake_opentelemetry/fastapi.py": "import fake_fastapi\n" + heavy(30)})


@lib.test()
def test_command_line_tool():
    """B: the table, the chain to opentelemetry, honest savings, and a CI check for --help."""
    base = command_line_tool()
    process = traced(base, "--help")
    check_saving(process, "cli/commands/db.py:1", 120, "fake_pandas")
    check_saving(process, "cli/telemetry.py:1", 50, "fake_opentelemetry.fastapi")
    # FastAPI is what telemetry needs as well: serve's import and telemetry's are one finding.
    both = finding(process, "deferrable-together", "cli/commands/serve.py:1")
    lib.check_equal(both["evidence"]["module"], "fake_fastapi", "what they bring")
    lib.check_equal([(s["line"], os.path.relpath(s["file"], base))
                     for s in both["evidence"]["statements"]],
                    [(1, "cli/commands/serve.py"), (1, "cli/telemetry.py")], "statements")
    lib.check(both["saving_ns"] >= 60e6 + 50e6, "both: %s", both)
    capture = os.path.join(lib.workdir(), "help.cap")
    done = tool("record", "-o", capture, "--", lib.system().exe, base + "/main.py", "--help")
    lib.check_equal(done.returncode, 0, "record, %r" % done.stderr)
    why = tool("why", "fake_opentelemetry", capture).stdout.decode()
    for place in ("main.py:2", "cli/__init__.py:2", "cli/telemetry.py:1"):
        lib.check(place in why, "%s is not in the chain:\n%s", place, why)
    budget = lib.write("help.yaml", "entries:\n- name: help\n  forbid: [fake_opentelemetry]\n")
    check = tool("check", "--budget", budget, capture)
    lib.check_equal(check.returncode, 1, "a broken budget")
    lib.check(b"cli/telemetry.py:1" in check.stdout, "the offending chain: %r", check.stdout)


@lib.test()
def test_joint_saving():
    """B: lazy loading in one go, before anyone writes it."""
    base = command_line_tool()
    path = os.path.join(lib.workdir(), "joint.txt")
    done = tool("--defer", "fake_pandas,cli/commands/serve.py:1,fake_opentelemetry", "--report", path,
                "--", lib.system().exe, base + "/main.py")
    lib.check_equal(done.returncode, 0, "%r" % done.stderr)
    with open(path) as file:
        lines = {l.split(":")[0].strip(): l for l in file if ": saves " in l or "nothing of" in l}
    lib.check("cli/commands/serve.py" in lines and "saves 0" in lines["cli/commands/serve.py"],
              "alone: %s", lines)
    lib.check("together" in lines and "4 modules" in lines["together"], "together: %s", lines)


# --- C: a service that downloads and reads its model at import -------------------------------------

def service():
    return program("service", {
        "main.py": "import api\n",
        "api.py": "import ocr\nimport aux\n",
        "ocr.py": "import os\nimport socket\nHERE = os.path.dirname(os.path.abspath(__file__))\n"
                  "model = open(HERE + '/hub/model.bin', 'rb').read()\n"
                  "s = socket.socket()\ns.settimeout(5)\n"
                  "try:\n    s.connect(('127.0.0.1', 9))\nexcept OSError:\n    pass\n",
        "aux.py": "import os\nHERE = os.path.dirname(os.path.abspath(__file__))\n"
                  "model = open(HERE + '/cache/model.bin', 'rb').read()\n",
        "hub/model.bin": "m" * 3000000, "cache/model.bin": "m" * 3000000})


@lib.test()
def test_service():
    """C: which module read the model and which one reached for the network, as a budget."""
    base = service()
    process = traced(base)
    for module, file in (("ocr", "hub/model.bin"), ("aux", "cache/model.bin")):
        load = process.one(module)
        read = [f for f in process["files"] or [] if f["path"].endswith(file)]
        lib.check(read and read[0]["import"] == load["id"] and read[0]["bytes_read"] == 3000000,
                  "%s by %s: %s", file, module, read)
    budget = lib.write("svc.yaml", "entries:\n- name: start\n  runs: 1\n  network: false\n"
                       "  limits: {bytes: 5 mb, modules: 500}\n  modules: {aux: {bytes: 1 mb}}\n")
    check = tool("check", "--budget", budget, "--format", "json", "--", lib.system().exe,
                 base + "/main.py")
    lib.check_equal(check.returncode, 1, "%r %r" % (check.stdout, check.stderr))
    results = {c["check"]: c for c in json.loads(check.stdout)["checks"]}
    lib.check_equal({k: c["result"] for k, c in results.items()},
                    {"bytes": "broken", "modules": "ok", "bytes of aux": "broken",
                     "no network": "broken"}, "results")
    lib.check_equal(results["no network"]["module"], "ocr", "who reached for the network")


# --- D: a database module whose chain reaches a heavy package ---------------------------------------

def database():
    return program("improver", {
        "main.py": "import services.a\nimport services.b\nimport database.models\n",
        "services/__init__.py": "", "services/a.py": heavy(2), "services/b.py": heavy(1),
        "database/__init__.py": "", "database/models.py": "from utils import pools\n",
        "utils/__init__.py": "", "utils/pools.py": "import ml.scoring\n",
        "ml/__init__.py": "", "ml/scoring.py": "import fake_torch\nfrom ml import registry\n",
        "ml/registry.py": "import ml.scoring\ntry:\n    import absent_gpu\nexcept ImportError:\n"
                          "    pass\n",
        "fake_torch/__init__.py": "from . import nn\nblock = bytearray(b'x') * 60_000_000\n",
        "fake_torch/nn.py": heavy(150)})


@lib.test()
def test_database():
    """D: the chain from the culprit, circular and failed imports, budgets per package glob."""
    base = database()
    process = traced(base)
    found = check_saving(process, "ml/scoring.py:1", 150, "fake_torch")
    same = {(os.path.basename(s["file"]), s["line"]) for s in found["evidence"]["same"]}
    lib.check(("pools.py", 1) in same, "the chain above it saves the same: %s", same)
    circular = [f for f in process["findings"] if f["rule"] == "circular-import"]
    lib.check_equal([(os.path.basename(f["file"]), f["line"]) for f in circular],
                    [("registry.py", 1)], "circular imports")
    lib.check_equal(process.one("absent_gpu")["result"], "failed", "a failed import")
    budget = lib.write("db.yaml", "entries:\n- name: app\n  runs: 1\n  circular: false\n"
                       "  modules:\n    'services.*': 1 s\n    database.models: {time: 50 ms, "
                       "memory: 30 mb}\n")
    check = tool("check", "--budget", budget, "--format", "json", "--", lib.system().exe,
                 base + "/main.py")
    lib.check_equal(check.returncode, 1, "%r %r" % (check.stdout, check.stderr))
    results = {c["check"]: c for c in json.loads(check.stdout)["checks"]}
    lib.check_equal({k: c["result"] for k, c in results.items()},
                    {"time of services.*": "ok", "time of database.models": "broken",
                     "memory of database.models": "broken", "no circular imports": "broken"},
                    "results")
    why = tool("why", "fake_torch", "--format", "json", "--", lib.system().exe, base + "/main.py")
    chain = json.loads(why.stdout)["processes"][0]["chains"][0]["hops"]
    places = [(os.path.basename(h["importer"]["file"]), h["importer"]["line"]) for h in chain
              if h["importer"]["file"]]
    lib.check_equal(places, [("main.py", 3), ("models.py", 1), ("pools.py", 1), ("scoring.py", 1)],
                    "file and line at each hop")


if __name__ == "__main__":
    lib.main()
