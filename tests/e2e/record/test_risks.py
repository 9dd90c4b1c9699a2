#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What a module did beyond loading, told where its import is said to be deferrable."""
import os

import lib

# What each module does, and the risks it is to be told with: (kind, count, more).
QUIET = "time.sleep(0.03)\n"
MODULES = {
    "quiet": ("", []),
    "threads": ("for _ in range(3):\n    threading.Thread(target=time.sleep, args=(0.01,)).start()\n",
                [("threads", 3, None)]),
    "child": ("subprocess.run(['/bin/true'], check=True)\n", [("children", 1, None)]),
    # system() ignores SIGINT and SIGQUIT while it waits, and puts back what was.
    "shell": ("os.system('true')\n", [("children", 1, None)]),
    "handlers": ("signal.signal(signal.SIGTERM, lambda *_: None)\n"
                 "signal.signal(signal.SIGHUP, lambda *_: None)\n"
                 "signal.signal(signal.SIGUSR1, signal.SIG_IGN)\n"
                 "signal.signal(signal.SIGUSR2, signal.SIG_DFL)\n",
                 [("signals", 2, ["SIGHUP", "SIGTERM"])]),
    "server": ("s = socket.socket()\ns.bind(('127.0.0.1', 0))\ns.listen()\n"
               "c = socket.create_connection(s.getsockname())\nc.sendall(b'hello')\n",
               [("listen", 1, "127.0.0.1:"), ("network", 1, "127.0.0.1:")]),
    "files": ("with open(sys.argv[1] + '/a.log', 'w') as f:\n    f.write('x')\n"
              "with open(sys.argv[1] + '/b.log', 'a') as f:\n    f.write('x')\n"
              "open(sys.argv[1] + '/a.log').close()\nopen('/dev/null', 'w').close()\n",
              [("files", 2, "/a.log")]),
}


def program():
    """main -> app -> all of them; what they need was imported before."""
    lib.write("risky/main.py", "import os, signal, socket, subprocess, sys, threading, time\n"
              "import encodings.idna\nimport app\n")
    lib.write("risky/app/__init__.py", "".join("import app.%s\n" % name for name in MODULES))
    for name, (text, _) in MODULES.items():
        lib.write("risky/app/%s.py" % name,
                  "import os, signal, socket, subprocess, sys, threading, time\n" + QUIET + text)
    out = os.path.join(lib.workdir(), "out")
    os.mkdir(out)
    return [os.path.join(lib.workdir(), "risky", "main.py"), out]


def risks_of(finding):
    return sorted((r["kind"], r["count"], r.get("signals") or r.get("what"))
                  for r in finding["evidence"]["risks"])


def check_risks(finding, module, expected):
    got = risks_of(finding)
    lib.check_equal([r[:2] for r in got], [r[:2] for r in sorted(expected)], "risks of " + module)
    for (_, _, said), (_, _, known) in zip(got, sorted(expected)):
        if isinstance(known, str):
            lib.check(known in said, "%s: %r, expected %r", module, said, known)
        else:
            lib.check_equal(said, known, "what of " + module)
    for risk in finding["evidence"]["risks"]:
        lib.check(risk["file"].endswith("/app/__init__.py"), "place %r", risk)
        lib.check_equal(risk["line"], list(MODULES).index(risk["module"][4:]) + 1, "line")


@lib.test()
def test_risks():
    done, trace = lib.trace([lib.SYSTEM, *program()])
    lib.check_equal(done.rc, 0, "status, %r" % done.err[-500:])
    trace.check_complete()
    # shell and child leave processes of their own, that import nothing.
    findings = {f["evidence"]["module"]: f for f in trace.python()["findings"]
                if f["rule"] == "deferrable-import"}
    for name, (_, expected) in MODULES.items():
        lib.check("app." + name in findings, "no finding for %s among %s", name, list(findings))
        found = findings["app." + name]
        check_risks(found, name, expected)
        lib.check_equal(found["confidence"], "medium" if expected else "high", name)
    whole = findings["app"]
    lib.check_equal(sorted(r["module"] + r["kind"] for r in whole["evidence"]["risks"]),
                    sorted("app." + name + r[0] for name, (_, risks) in MODULES.items()
                           for r in risks), "risks of the package")


@lib.test()
def test_risks_text():
    done = lib.run([lib.TOOL, "--view", "advice", "--", lib.SYSTEM, *program()])
    lib.check_equal(done.rc, 0, "status")
    text = " ".join(done.out.decode().split())
    for said in ("app.threads (risky/app/__init__.py:2) starts 3 threads",
                 "handles SIGHUP, SIGTERM", "/a.log and 1 more", "starts 1 child process"):
        lib.check(said in text, "%r is not in\n%s", said, text)


if __name__ == "__main__":
    lib.main()
