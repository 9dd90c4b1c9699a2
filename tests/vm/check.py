# SPDX-License-Identifier: BSD-2-Clause
"""What must hold on every kernel, run inside the guest by its own Python. Status 0: it held."""
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOOL = os.path.join(HERE, "pyimport-bpf")
LOADER = os.path.join(HERE, "load")
PROGRAM = ["python3", "-c", "import json, decimal, _ctypes"]
BY_SHELL = ["sh", "-c", '"$@"; exit $?', "sh"]
DEEP_CNT = 200  # nested imports; Python's own limit on recursion is met at 140 to 170
failures = []


def run(*words, patience_s=120):
    """Status, standard output, standard error."""
    try:
        done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=patience_s, check=False)
    except subprocess.TimeoutExpired as err:
        return 124, "", "no end after %d s: %s" % (err.timeout, err.stderr)
    return done.returncode, done.stdout, done.stderr


def check(holds, what, detail=""):
    print("%s  %s" % ("ok  " if holds else "FAIL", what))
    if not holds:
        failures.append(what)
        print("      " + str(detail).strip()[-1500:].replace("\n", "\n      "))
    sys.stdout.flush()


def oracle():
    """Modules that -X importtime names, in the same program without us."""
    status, _, err = run(PROGRAM[0], "-X", "importtime", *PROGRAM[1:])
    names = re.findall(r"^import time: *\d+ \| *\d+ \| *(\S+)$", err, re.M)
    check(status == 0 and "json.decoder" in names, "-X importtime works here", err)
    return set(names)


def check_loader(which):
    if os.path.exists(LOADER):
        status, out, err = run(LOADER, which)
        check(status == 0, "site_%s passes the verifier" % which, out + err)
        print(out.rstrip())


def trace(label, options, program):
    """The Python processes of a complete report, or none."""
    status, out, err = run(TOOL, *options, "--format", "json", "--", *program)
    try:
        report = json.loads(out)
    except ValueError as problem:
        check(False, "%s: writes JSON" % label, "%s\nstatus %d\n%s%s" % (problem, status, out, err))
        return []
    check(status == 0, "%s: status 0" % label, err)
    lost = {k: v for k, v in report["loss"].items() if v}
    check(report["complete"] and not lost, "%s: complete" % label, lost)
    return [p for p in report["processes"] if p["is_python"]]


def check_trace(options, wanted, before=()):
    """@before: what starts the program, so that its Python is met while tracing."""
    label = " ".join(["trace", *options, *before[:1]])
    pythons = trace(label, options, [*before, *PROGRAM])
    check(len(pythons) == 1, "%s: one Python process" % label, pythons)
    loads = pythons[0]["imports"] if pythons else []
    missing = sorted(wanted - {load["module"] for load in loads})
    check(not missing, "%s: all of %d modules are in the tree" % (label, len(wanted)),
          "missing: %s" % missing)
    inner = [x for x in loads if x["module"] == "json.decoder"]
    above = {x["id"]: x["module"] for x in loads}
    check(len(inner) == 1 and above.get(inner[0]["parent"]) == "json",
          "%s: json.decoder lies below json" % label, inner)
    check(all(x["self_ns"] is None or x["self_ns"] >= 0 for x in loads),
          "%s: no negative time" % label)
    edge = [x["importer"] for x in inner]
    check(edge and edge[0] and edge[0]["line"], "%s: importer and line" % label, edge)
    check_causes(label, loads)


def check_causes(label, loads):
    """Every group gives figures here, and CPU time and waits are the time a load took."""
    bad = [x["module"] for x in loads if x["result"] == "loaded" and
           abs(x["cpu_ns"] + sum(x["wait_ns"].values()) - x["wall_ns"]) > x["wall_ns"] / 100 + 1e6]
    check(not bad, "%s: CPU time and waits add up" % label, bad)
    opens = {x["module"]: x["self_io"]["opens"] for x in loads
             if x["kind"] == "bytecode" or x["kind"] == "source" and x["module"] != "__main__"}
    check(opens and all(opens.values()), "%s: files of every module" % label, opens)
    rss = sum(x["self_rss"]["anon"] for x in loads)
    check(rss > 100000, "%s: memory" % label, rss)


def check_while_running(label, options, target, answer=None):
    """Traces with these options while `target` starts, or runs on when it is given `answer`."""
    with subprocess.Popen([TOOL, *options, "--format", "json"], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True) as tool:
        said = ""
        for line in tool.stderr:
            said += line
            if "pyimport-bpf: tracing" in line:
                break
        if answer is None:
            target = subprocess.Popen(target, stdout=subprocess.DEVNULL)
            target.wait(timeout=60)
        else:
            target.communicate(answer, timeout=60)
        check(target.returncode == 0, "%s: status of the program" % label, target.returncode)
        tool.send_signal(signal.SIGINT)
        out, err = tool.communicate(timeout=60)
    check(tool.returncode == 0, "%s: status 0" % label, said + err)
    try:
        report = json.loads(out)
    except ValueError as problem:
        check(False, "%s: writes JSON" % label, problem)
        return []
    check(report["complete"], "%s: complete" % label, report["loss"])
    return [x for p in report["processes"] if p["pid"] == target.pid for x in p["imports"]]


def check_attached():
    with subprocess.Popen(["python3", "-c", "input(); import colorsys"], stdin=subprocess.PIPE,
                          text=True) as target:
        time.sleep(2)  # its own start-up is over
        loads = check_while_running("-p", ["-p", str(target.pid)], target, "\n")
    check([x["module"] for x in loads] == ["colorsys"], "-p: what it imports from then on", loads)
    copy = "/tmp/never-seen"
    shutil.copy(os.path.realpath("/usr/bin/python3"), copy)
    os.environ["PYTHONHOME"] = "/usr"
    loads = check_while_running("-a", ["-a"], [copy, "-c", "import colorsys"])
    del os.environ["PYTHONHOME"]
    check({"encodings", "colorsys"} <= {x["module"] for x in loads},
          "-a: a Python never seen, from its first import on", [x["module"] for x in loads])


def check_deep():
    """A chain that needs both halves of the stack of spans, forked at its bottom."""
    os.makedirs("/tmp/deep", exist_ok=True)
    for i in range(DEEP_CNT):
        text = "import d%d\n" % (i + 1)
        if i == DEEP_CNT - 1:
            text = ("import os\npid = os.fork()\nif not pid:\n    import colorsys\n    os._exit(0)\n"
                    "os.waitpid(pid, 0)\n")
        with open("/tmp/deep/d%d.py" % i, "w", encoding="ascii") as file:
            file.write(text)
    pythons = trace("deep", [], ["python3", "-c", "import sys; sys.path.insert(0, '/tmp/deep')\n"
                                 "sys.setrecursionlimit(5000)\nimport d0"])
    check(len(pythons) == 2, "deep: parent and child", pythons)
    bottoms = ["d%d" % (DEEP_CNT - 1), "colorsys"]
    for process, bottom in zip(pythons, bottoms):
        by_id = {x["id"]: x for x in process["imports"]}
        load = next((x for x in process["imports"] if x["module"] == bottom), None)
        chain = []
        while load:
            chain.append(load["module"])
            load = by_id.get(load["parent"])
        nested = [name for name in chain if re.match(r"d\d+$", name)]
        check(len(nested) == DEEP_CNT, "deep: %s lies below all others" % bottom, chain)


def check_refusal():
    """One sentence on what is missing, no report, and the program was not run without us."""
    marker = "/tmp/ran"
    status, out, err = run(TOOL, "--", "python3", "-c", "open(%r, 'w')" % marker)
    lines = [line for line in err.splitlines() if line.strip()]
    check(status not in (0, 124) and status < 128, "refuses with a status", (status, err))
    check(len(lines) == 1, "refuses in one line", err)
    check("task storage" in err, "says that task storage is missing", err)
    check(not out and not os.path.exists(marker), "runs nothing", out)
    print("      " + err.strip())


def main():
    with open(os.path.join(HERE, "verdict"), encoding="ascii") as file:
        verdict = file.read().strip()
    print("kernel %s, %s, Python %s" % (os.uname().release, os.uname().machine,
                                       sys.version.split()[0]))
    status, out, err = run(TOOL, "doctor")
    print(out.rstrip())
    if verdict == "refuses":
        check(status != 0, "doctor says no", out + err)
        check_refusal()
        return
    check(status == 0, "doctor says yes", err)
    check_loader("perf")
    # doctor names what the kernel has; both ways are tried where there are two
    has_multi = re.search(r"^ *ok +uprobe_multi", out, re.M)
    wanted = oracle()
    check_trace([], wanted)
    check_trace([], wanted, BY_SHELL)
    if has_multi:
        check_loader("multi")
        check_trace(["--perf-uprobes"], wanted)
        check_trace(["--perf-uprobes"], wanted, BY_SHELL)
    check_attached()
    check_deep()


main()
sys.exit(1 if failures else 0)
