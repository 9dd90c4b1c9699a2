#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""`agent`: start-ups as metrics, compared with what was started; Prometheus itself reads them."""
import http.client
import json
import os
import re
import shutil
import socket
import subprocess

import lib
from lib.agents import Agent, Cgroup, ask, free_port


SERVICE = """import socket, json, sys
listener = socket.socket(); listener.bind(("127.0.0.1", 0)); listener.listen()
listener.settimeout(1.5)
try:
    listener.accept()
except TimeoutError:
    pass
import colorsys, fractions
sys.stdin.read()
"""


@lib.test()
def test_counts():
    """As many starts as there were, by entry point; failures, late imports and bytes."""
    lib.write("agent_pkg/__init__.py", "")
    lib.write("agent_pkg/run.py", "import colorsys\n")
    script = lib.write("good.py", "import json\n")
    bad = lib.write("bad.py", "import json, not_there\n")
    service = lib.write("service.py", SERVICE)
    python = lib.system().exe
    with Cgroup() as cgroup, Agent(cgroup) as agent:
        running = cgroup.start([python, service], stdin=subprocess.PIPE)
        argvs = 5 * [[python, script]] + 2 * [[python, "-B", "good.py"]] + 3 * [[python, bad]] + \
            4 * [[python, "-um", "agent_pkg.run"]] + 6 * [[python, "-c", "pass"]]
        for argv in argvs:
            cgroup.start(argv).wait()
        lib.wait_until(lambda: agent.sum_of("pyimport_starts_total") >= len(argvs) + 1, "all starts")
        running.stdin.close()
        running.wait()
        lib.wait_until(lambda: agent.sum_of("pyimport_late_imports_total") >= 2, "the late imports")
        got = {dict(labels)["entry"]: value for (name, labels), value in agent.samples().items()
               if name == "pyimport_starts_total" and value}
        lib.check_equal(got, {script: 7, bad: 3, "-m agent_pkg.run": 4, "-c": 6, service: 1}, "starts")
        lib.check_equal(agent.sum_of("pyimport_startup_seconds_count"), 21, "measured start-ups")
        lib.check_equal(agent.sum_of("pyimport_ready_seconds_count", entry=service), 1, "ready")
        lib.check_equal(agent.sum_of("pyimport_failed_starts_total"), 3, "failed starts")
        lib.check_equal(agent.sum_of("pyimport_failed_starts_total", entry=bad), 3, "failed starts of it")
        lib.check_equal(agent.sum_of("pyimport_late_imports_total", entry=service), 2, "late imports")
        lib.check(agent.sum_of("pyimport_read_bytes_total", entry=script) > 0, "nothing was read")
        lib.check_equal(agent.sum_of("pyimport_complete"), 1, "complete")
        sums = [agent.sum_of("pyimport_%s_seconds_sum" % part) for part in ("interpreter", "imports", "startup")]
        lib.check(0 < sums[0] and 0 < sums[1] and sums[0] + sums[1] <= sums[2] + 1e-6, "parts and whole: %r", sums)


HOSTILE = ['a"b.py', "a\nb.py", "a\\b.py", "a\x1b[31m.py", b"a\xff\xfe.py", "a{b}=1,.py", "ü€.py", "x" * 230 + ".py"]


@lib.test()
def test_labels():
    """Names that mean harm, and more of them than there may be: nothing is lost, text stays text."""
    python = lib.system().exe
    with Cgroup() as cgroup, Agent(cgroup, "--max-series", "5") as agent:
        for name in HOSTILE:
            path = os.path.join(lib.workdir().encode(), name if isinstance(name, bytes) else name.encode())
            with open(path, "w", encoding="ascii") as file:
                file.write("pass\n")
            cgroup.start([python.encode(), path]).wait()
        lib.wait_until(lambda: agent.sum_of("pyimport_starts_total") >= len(HOSTILE), "all starts")
        samples = agent.samples()
        entries = {dict(labels)["entry"]: value for (name, labels), value in samples.items()
                   if name == "pyimport_starts_total"}
        lib.check_equal(sum(entries.values()), len(HOSTILE), "starts")
        lib.check_equal((len(entries), entries.get("other")), (6, 3), "entry points, %r" % entries)
        lib.check_equal(samples[("pyimport_agent_other_total", ())], 3, "those that were counted together")
        lib.check(not any(re.search("[\x00-\x1f]", entry) for entry in entries), "control characters: %r", entries)


# Ways to end, most of them in the middle of an import or with children.
ENDS = """import sys, os, json
way = int(sys.argv[1])
if way == 1: os._exit(3)
if way == 2: os.kill(os.getpid(), 9)
if way == 3: os.execv("/bin/true", ["true"])
if way == 4 and os.fork() == 0: import colorsys; os._exit(0)
if way == 5: os.execv(sys.executable, [sys.executable, "-c", "import decimal"])
if way == 6: import ends_inside
"""


@lib.test()
def test_forgets():
    """Of what has ended nothing stays in memory, however it ended; of what runs on, a place for its late imports."""
    python = lib.system().exe
    lib.write("ends_inside.py", "import os\nos._exit(0)\n")
    service, ends = lib.write("service.py", SERVICE), lib.write("ends.py", ENDS)

    def in_memory():
        return [agent.sum_of("pyimport_agent_" + name) for name in ("startups", "processes", "kept_bytes")]
    with Cgroup() as cgroup, Agent(cgroup, "--spool", os.path.join(lib.workdir(), "spool")) as agent:
        running = cgroup.start([python, service], stdin=subprocess.PIPE)
        heaps = []
        for turn in range(3):
            for way in range(7):
                cgroup.start([python, ends, str(way)]).wait()
            lib.wait_until(lambda n=turn: agent.sum_of("pyimport_starts_total") >= 1 + 6 * (n + 1), "all starts")
            lib.wait_until(lambda: in_memory() == [0, 1, 0], "what has ended to be forgotten")
            heaps.append(agent.sum_of("pyimport_agent_heap_bytes"))
        # Seven starts that left 3 kB each would be 21 kB; the first turn makes what stays.
        lib.check(heaps[2] - heaps[1] < 20480, "allocated after each turn: %r", heaps)
        running.communicate(b"")
        lib.wait_until(lambda: in_memory() == [0, 0, 0], "the service to be forgotten")


def captures(spool):
    return sorted(name for name in os.listdir(spool) if name.startswith("start-"))


@lib.test()
def test_spool():
    """What is new or slow is kept as a capture that names who imported; the oldest goes first."""
    python = lib.system().exe
    spool = os.path.join(lib.workdir(), "spool")
    script = lib.write("kept.py", "import json\n")
    with Cgroup() as cgroup:
        with Agent(cgroup, "--spool", spool, "--slow-start", "60s") as agent:
            for _ in range(3):
                cgroup.start([python, script]).wait()
            lib.wait_until(lambda: agent.sum_of("pyimport_starts_total") >= 3, "all starts")
            lib.wait_until(lambda: agent.sum_of("pyimport_agent_spool_files") >= 1, "the spool's figures")
            lib.check_equal(agent.sum_of("pyimport_agent_spool_captures_total"), 1, "captures by its metrics")
        names = captures(spool)
        lib.check(len(names) == 1 and "-new-kept.py-" in names[0], "captures: %r", names)
        path = os.path.join(spool, names[0])
        lib.check_equal((os.stat(spool).st_mode & 0o777, os.stat(path).st_mode & 0o777), (0o700, 0o600), "modes")
        report = json.loads(lib.run([lib.TOOL, "report", path, "--format", "json"]).out)
        lib.check(report["complete"] and len(report["processes"]) == 1, "the capture: %r", report["loss"])
        process = report["processes"][0]
        asked = [load["importer"] for load in process["imports"] if load["module"] == "json"]
        lib.check_equal([(at["file"], at["line"]) for at in asked], [(script, 1)], "who asked")
        others = [lib.write("s%d.py" % i, "pass\n") for i in range(2)]
        lib.write("spool/other.txt", "not ours\n")
        with Agent(cgroup, "--spool", spool, "--slow-start", "1ms", "--spool-files", "2") as agent:
            for name in [script, *others]:
                cgroup.start([python, name]).wait()
            lib.wait_until(lambda: agent.sum_of("pyimport_agent_spool_captures_total") >= 3, "three captures")
        left = captures(spool)
        lib.check_equal((len(left), path in left), (2, False), "captures left: %r" % left)
        lib.check(os.path.exists(os.path.join(spool, "other.txt")), "a file that is no capture was removed")
        # Captures of a clock that was wrong: those of now are kept for all that.
        for name in left:
            os.utime(os.path.join(spool, name), (2 << 30, 2 << 30))
        with Agent(cgroup, "--spool", spool, "--spool-files", "2") as agent:
            second = subprocess.run([lib.TOOL, "agent", "--spool", spool, "--listen", "unix:" + spool + ".sock"],
                                    capture_output=True, text=True)
            lib.check(second.returncode == 1 and "another agent" in second.stderr, "two in one spool: %r", second)
            for name in [script, others[0]]:
                cgroup.start([python, name]).wait()
            lib.wait_until(lambda: agent.sum_of("pyimport_agent_spool_captures_total") >= 2, "two captures")
            agent.proc.kill()
        lib.check_equal(set(captures(spool)) & set(left), set(), "captures of another time")
        with Agent(cgroup, "--spool", spool):  # who was killed keeps nobody out
            lib.check_equal(len(captures(spool)), 2, "captures")
    os.chmod(spool, 0o777)
    refused = subprocess.run([lib.TOOL, "agent", "--spool", spool, "--listen", "unix:" + spool + ".sock"],
                             capture_output=True, text=True)
    lib.check(refused.returncode == 1 and "may be written to by others" in refused.stderr, "refused: %r", refused)


@lib.test()
def test_spool_full():
    """No room for a capture: counted, nothing half written, and starts are counted as ever."""
    spool = os.path.join(lib.workdir(), "full")
    os.mkdir(spool)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k,mode=0700", "full", spool], check=True)
    try:
        with open(os.path.join(spool, "other"), "wb") as file:
            file.write(bytes(64 << 10))
        with Cgroup() as cgroup, Agent(cgroup, "--spool", spool) as agent:
            for name in ("one.py", "two.py"):
                cgroup.start([lib.system().exe, lib.write(name, "import json\n")]).wait()
            lib.wait_until(lambda: agent.sum_of("pyimport_agent_spool_failures_total") >= 2, "the failures")
            lib.check_equal((agent.sum_of("pyimport_starts_total"), agent.sum_of("pyimport_complete"),
                             agent.sum_of("pyimport_agent_spool_captures_total")), (2, 1, 0), "beside them")
            lib.check_equal(captures(spool), [], "captures")
            os.unlink(os.path.join(spool, "other"))
            cgroup.start([lib.system().exe, lib.write("three.py", "import json\n")]).wait()
            lib.wait_until(lambda: agent.sum_of("pyimport_agent_spool_captures_total") >= 1, "one with room")
    finally:
        subprocess.run(["umount", "-l", spool], check=True)


@lib.test()
def test_http():
    """What is answered, and that slow and many clients harm nobody."""
    with Cgroup() as cgroup, Agent(cgroup) as agent:
        lib.check_equal([agent.get(p)[0] for p in ("/healthz", "/readyz", "/metrics", "/", "/../etc/passwd")],
                        [200, 200, 200, 404, 404], "statuses")
        lib.check_equal(os.stat(agent.socket).st_mode & 0o777, 0o600, "mode of the socket")
        plain = agent.get("/metrics", accept="text/plain")
        lib.check(plain[1].startswith("text/plain; version=0.0.4"), "type %r", plain[1])
        if shutil.which("promtool"):
            done = subprocess.run(["promtool", "check", "metrics"], input=plain[2], capture_output=True, text=True)
            lib.check_equal((done.returncode, done.stdout + done.stderr), (0, ""), "promtool")
        slow = [agent.connect() for _ in range(40)]
        for client in slow:
            client.sendall(b"GET /metrics HTTP/1.1\r\nX: ")
        lib.check_equal(agent.get("/metrics")[0], 200, "beside clients that say nothing")
        for raw in (b"\x00\xff\r\n\r\n", b"POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc",
                    b"GET /" + 100000 * b"a" + b" HTTP/1.1\r\n\r\n"):
            with agent.connect() as client:
                try:
                    client.sendall(raw)
                    client.shutdown(socket.SHUT_WR)
                    lib.check(b" 200 " not in client.recv(4096)[:20], "%r was answered", raw[:40])
                except (BrokenPipeError, ConnectionResetError):
                    pass
        for client in slow:
            client.close()
        lib.check_equal(agent.get("/healthz")[0], 200, "after all that")
        second = subprocess.run([lib.TOOL, "agent", "--cgroup", cgroup.path, "--listen", "unix:" + agent.socket],
                                capture_output=True, text=True)
        lib.check(second.returncode == 1 and "cannot listen" in second.stderr, "a second at the same place: %r", second)


@lib.test()
def test_two_and_killed():
    """Two agents see the same; one that is killed holds nothing and leaves its socket to the next."""
    python = lib.system().exe
    with Cgroup() as cgroup, Agent(cgroup) as one:
        with Agent(cgroup) as two:
            for _ in range(3):
                cgroup.start([python, "-c", "import json"]).wait()
            for agent in (one, two):
                lib.wait_until(lambda a=agent: a.sum_of("pyimport_starts_total") >= 3, "the starts")
                lib.check_equal(agent.sum_of("pyimport_starts_total"), 3, "starts")
            two.proc.kill()
            two.proc.wait()
            lib.check_equal(cgroup.start([python, "-c", "import json"]).wait(), 0, "a program after that")
            with Agent(cgroup, listen="unix:" + two.socket) as three:
                three.socket = two.socket
                lib.check_equal(three.get("/readyz")[0], 200, "its successor")


@lib.test()
def test_rules():
    """The alert rules pass their tests, and ask for nothing that the agent does not have."""
    if not shutil.which("promtool"):
        raise lib.Skip("no promtool")
    fleet = os.path.join(lib.settings.REPO, "packaging", "fleet")
    for words in (["check", "rules", "alerts.yml"], ["test", "rules", "alerts_test.yml"]):
        done = subprocess.run(["promtool", *words], cwd=fleet, capture_output=True, text=True)
        lib.check_equal(done.returncode, 0, "promtool %s: %s" % (words, done.stdout + done.stderr))
    with open(os.path.join(lib.settings.REPO, "user/agent/metrics.c"), encoding="utf-8") as file:
        served = set(re.findall(r'"((?:pyimport|process)_\w+?)(?:_total)?["{ ]', file.read()))
    for name in ("alerts.yml", "dashboard.json"):
        with open(os.path.join(fleet, name), encoding="utf-8") as file:
            asked = set(re.findall(r"\b((?:pyimport|process)_\w+?)(?:_bucket|_sum|_count|_total)?(?=[\[{,) ])", file.read()))
        lib.check(len(asked) > 5 and asked <= served, "%s asks for %r", name, sorted(asked - served))


@lib.test()
def test_prometheus():
    """Prometheus reads the metrics, and its answers are the number of starts."""
    if not shutil.which("prometheus"):
        raise lib.Skip("no Prometheus")
    at, own = free_port(), free_port()
    config = lib.write("prometheus.yml", "scrape_configs: [{job_name: pyimport, scrape_interval: 200ms, "
                       "scrape_timeout: 200ms, static_configs: [{targets: ['127.0.0.1:%d']}]}]\n" % at)
    with Cgroup() as cgroup, Agent(cgroup, listen="127.0.0.1:%d" % at):
        with open(os.path.join(lib.workdir(), "prometheus.log"), "w", encoding="utf-8") as log:
            server = subprocess.Popen(["prometheus", "--config.file=" + config, "--web.listen-address=127.0.0.1:%d" % own,
                                       "--storage.tsdb.path=" + os.path.join(lib.workdir(), "tsdb")], stderr=log, stdout=log)
        try:
            for _ in range(12):
                cgroup.start([lib.system().exe, "-c", "import json"]).wait()

            def starts():
                try:
                    found = ask(own, "sum(pyimport_starts_total)")
                    return float(found[0]["value"][1]) if found else 0
                except OSError:
                    return 0
            lib.wait_until(lambda: starts() >= 12, "Prometheus to know")
            lib.check_equal(starts(), 12, "starts by Prometheus")
            half = ask(own, "histogram_quantile(0.5,sum(pyimport_startup_seconds_bucket)by(le))")
            lib.check(0 < float(half[0]["value"][1]) < 300, "median start-up %r", half)
        finally:
            server.kill()
            server.wait()


if __name__ == "__main__":
    lib.main()
