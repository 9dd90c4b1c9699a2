#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""`agent`: a configuration read again by SIGHUP, TLS and passwords; what runs meanwhile runs on."""
import base64
import http.client
import http.server
import os
import re
import shutil
import signal
import ssl
import subprocess
import threading

import lib
from lib.agents import Agent, Cgroup, free_port

# htpasswd -B -C 5 -n -b fleet 'first secret', and 'second secret'
FIRST = "fleet:$2y$05$64uxpIMtqux9z7dYDK8CReM7wkl6bNWQR62ttY7gDmlAIXQ99fWhG\n"
SECOND = "fleet:$2y$05$5xgJMsF.A0dfZzhNFTXgRuWCo8Yz0rW2aGSJZBNBaFxPCyQCtCa4i\n"
WEAK = "fleet:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\n"


def reload(agent, count):
    agent.proc.send_signal(signal.SIGHUP)
    lib.wait_until(lambda: agent.sum_of("pyimport_agent_config_reloads_total") >= count, "the configuration to be read")


class Headers(http.server.BaseHTTPRequestHandler):
    """A collector that keeps the headers of what it takes."""
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append(dict(self.headers))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass


@lib.test()
def test_reload():
    """Limits, redaction and the collector change; what is wrong changes nothing; programs run on."""
    collector = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Headers)
    collector.got = []
    threading.Thread(target=collector.serve_forever, daemon=True).start()
    scripts = [lib.write("dir/s%d.py" % i, "import sys\nsys.stdin.read()\nimport json\n") for i in range(3)]
    lib.write("headers", "X-Fleet: two\n")
    config = lib.write("agent.conf", "# a comment\n\nmax-series 1\notlp http://127.0.0.1:1\notlp-interval 100ms\n")
    python = lib.system().exe
    with Cgroup() as cgroup, Agent(cgroup, "--config", config, "--slow-start", "60s") as agent:
        running = cgroup.start([python, scripts[0]], stdin=subprocess.PIPE)
        for script in scripts[:2]:
            cgroup.start([python, script], stdin=subprocess.DEVNULL).wait()
        lib.wait_until(lambda: agent.sum_of("pyimport_starts_total") >= 2, "two starts")
        lib.check_equal(agent.sum_of("pyimport_starts_total", entry="other"), 1, "beyond the limit of one")
        lib.write("agent.conf", "max-series 5\nredact\notlp http://127.0.0.1:%d\notlp-interval 100ms\n"
                  "otlp-headers %s\n" % (collector.server_port, os.path.join(lib.workdir(), "headers")))
        reload(agent, 1)
        lib.check_equal(agent.sum_of("pyimport_agent_config_last_reload_successful"), 1, "a right one")
        cgroup.start([python, scripts[2]], stdin=subprocess.DEVNULL).wait()
        lib.wait_until(lambda: agent.sum_of("pyimport_starts_total") >= 3, "the third start")
        lib.check_equal(agent.sum_of("pyimport_starts_total", entry="s2.py"), 1, "redacted, and below the new limit")
        lib.wait_until(lambda: collector.got, "the new collector to be asked")
        lib.check_equal(collector.got[0].get("X-Fleet"), "two", "its header")
        lib.write("agent.conf", "max-series 7\nno-such-thing 1\n")
        reload(agent, 2)
        lib.check_equal(agent.sum_of("pyimport_agent_config_last_reload_successful"), 0, "a wrong one")
        lib.check_equal(agent.sum_of("pyimport_agent_series_limit"), 5, "the limit behind a wrong one")
        lib.check("agent.conf:2: no such option: 'no-such-thing'" in agent.said(), "said: %s", agent.said())
        lib.write("agent.conf", "otlp http://127.0.0.1:1\nauth-file %s\n" % lib.write("weak", WEAK))
        reload(agent, 3)
        asked = len(collector.got)
        lib.wait_until(lambda: len(collector.got) > asked + 1, "the collector of before, behind wrong users")
        lib.check_equal(running.poll(), None, "what ran all the time")
        running.communicate(b"")
        lib.check_equal(running.returncode, 0, "its status")
        lib.wait_until(lambda: agent.sum_of("pyimport_starts_total") >= 4, "its start")
    collector.shutdown()
    collector.server_close()


@lib.test()
def test_config_refused():
    """A file that is wrong at first, and options that go together."""
    for text, why in (("listen\n", "listen takes a value"), ("redact yes\n", "redact takes no value"),
                      ("max-series many\n", "is not a number of entry points"), ("config x\n", "no such option"),
                      ("budget x\n", "no such option"), ("tls-cert x\n", "go together")):
        path = lib.write("wrong.conf", "# 1\n" + text)
        done = subprocess.run([lib.TOOL, "agent", "--config", path], capture_output=True, text=True)
        lib.check(done.returncode == 2 and why in done.stderr, "%r: %r", text, done)
    weak = lib.write("weak", WEAK)
    done = subprocess.run([lib.TOOL, "agent", "--auth-file", weak], capture_output=True, text=True)
    lib.check(done.returncode == 1 and "bcrypt" in done.stderr, "a weak hash: %r", done)


def capabilities(where):
    """Those that the unit of systemd, or the DaemonSet, gives the agent."""
    with open(os.path.join(lib.settings.REPO, "packaging/fleet", where), encoding="utf-8") as file:
        text = file.read()
    if where.endswith(".service"):
        return re.search("^CapabilityBoundingSet=(.*)$", text, re.M)[1].lower().replace("cap_", "").split()
    return re.search(r"capabilities:.*?add: \[(.*?)\]", text, re.S)[1].lower().replace(",", " ").split()


@lib.test()
def test_capabilities():
    """What the unit and the DaemonSet allow the agent is enough: root with these alone, and no way to more."""
    lib.needs_command("setpriv")
    names = capabilities("pyimport-agent.service")
    lib.check_equal(sorted(names), sorted(capabilities("kubernetes/daemonset.yaml")), "the pod's")
    tool = lib.write("agent.sh", "#!/bin/sh\nexec setpriv --no-new-privs --bounding-set=-all,+%s -- %s \"$@\"\n" %
                     (",+".join(names), lib.TOOL))
    os.chmod(tool, 0o755)
    with Cgroup() as cgroup, Agent(cgroup, "--spool", os.path.join(lib.workdir(), "spool"), tool=tool) as agent:
        with open("/proc/%d/status" % agent.proc.pid, encoding="ascii") as file:
            status = dict(line.split(":", 1) for line in file)
        given = bin(int(status["CapBnd"], 16)).count("1")  # this machine may lack one itself
        lib.check(3 < given <= len(names) and int(status["NoNewPrivs"]) == 1, "%d are given: %r", given, status["CapBnd"])
        for _ in range(3):
            cgroup.start([lib.system().exe, "-c", "import json"]).wait()
        lib.wait_until(lambda: agent.sum_of("pyimport_starts_total") >= 3, "the starts")
        lib.wait_until(lambda: agent.sum_of("pyimport_agent_spool_captures_total") >= 1, "a capture")
        lib.check_equal((agent.sum_of("pyimport_starts_total"), agent.sum_of("pyimport_complete")), (3, 1), "starts")


@lib.test()
def test_unit():
    """systemd knows each line of the unit, and finds it no more exposed than the documentation says."""
    lib.needs_command("systemd-analyze")
    unit = os.path.join(lib.settings.REPO, "packaging/fleet/pyimport-agent.service")
    done = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True)
    lib.check(not re.search("Unknown|Failed to parse|Invalid|ignoring", done.stderr), "verify: %s", done.stderr)
    done = subprocess.run(["systemd-analyze", "security", "--offline=true", unit], capture_output=True, text=True)
    score = re.search(r"exposure level for \S+: ([0-9.]+)", done.stdout)
    lib.check(score and float(score[1]) <= 5.5, "%s", done.stdout[-500:] + done.stderr)


def certify(name):
    """A key and a certificate of its own for 127.0.0.1."""
    key, cert = (os.path.join(lib.workdir(), name + end) for end in (".key", ".crt"))
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                    "-subj", "/CN=" + name, "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cert],
                   check=True, capture_output=True)
    return cert, key


def fetch(port, cert, path, password=None):
    """The status, or None where the certificate is not the one expected."""
    client = http.client.HTTPSConnection("127.0.0.1", port, timeout=lib.settings.PATIENCE_S,
                                         context=ssl.create_default_context(cafile=cert))
    secret = base64.b64encode(b"fleet:" + (password or "").encode()).decode()
    try:
        client.request("GET", path, headers={"Authorization": "Basic " + secret} if password else {})
        return client.getresponse().status
    except (ssl.SSLError, ConnectionError, http.client.HTTPException):
        return None
    finally:
        client.close()


@lib.test()
def test_tls():
    """TLS and a password, both renewed by SIGHUP; a certificate of another key is not taken."""
    if not shutil.which("openssl"):
        raise lib.Skip("no openssl")
    one, two = certify("one"), certify("two")
    cert, key = (shutil.copy(src, os.path.join(lib.workdir(), "used" + end)) for src, end in zip(one, (".crt", ".key")))
    users, port = lib.write("users", "# comment\n" + FIRST), free_port()
    with Cgroup() as cgroup, Agent(cgroup, "--tls-cert", cert, "--tls-key", key, "--auth-file", users, port=port) as agent:
        lib.check_equal([fetch(port, one[0], "/metrics", "first secret"), fetch(port, one[0], "/healthz"),
                         fetch(port, one[0], "/metrics"), fetch(port, one[0], "/metrics", "wrong"),
                         fetch(port, one[0], "/metrics", "first secret"), fetch(port, two[0], "/healthz")],
                        [200, 200, 401, 401, 200, None], "answers")
        with agent.connect() as plain:
            plain.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
            lib.check(b"pyimport" not in plain.recv(4096), "metrics without TLS")
        shutil.copy(two[0], cert)  # and still the other's key
        agent.proc.send_signal(signal.SIGHUP)
        lib.wait_until(lambda: "stays as it was" in agent.said(), "the refusal")
        lib.check_equal(fetch(port, one[0], "/metrics", "first secret"), 200, "behind a wrong pair")
        shutil.copy(two[1], key)
        lib.write("users", SECOND)
        agent.proc.send_signal(signal.SIGHUP)
        lib.wait_until(lambda: fetch(port, two[0], "/metrics", "second secret") == 200, "the new certificate and password")
        lib.check_equal(fetch(port, two[0], "/metrics", "first secret"), 401, "the old password")


if __name__ == "__main__":
    lib.main()
