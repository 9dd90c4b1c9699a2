#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""`-- COMMAND`: whatever the command is, it runs as if we were not there."""
import contextlib
import json
import os
import pty
import resource
import select
import signal
import subprocess
import tempfile

import lib

ABOUT = """
import json, os, resource, signal, sys
json.dump({
    "argv": [os.fsencode(a).hex() for a in sys.argv[1:]],
    "env": sorted((k, v) for k, v in os.environ.items() if k not in ("_", "SHLVL")),
    "cwd": os.getcwd(), "uid": os.getresuid(), "gid": os.getresgid(), "groups": os.getgroups(),
    "fds": sorted(int(fd) for fd in os.listdir("/proc/self/fd")
                  if os.path.exists("/proc/self/fd/" + fd)),
    "limits": [resource.getrlimit(r) for r in (resource.RLIMIT_NOFILE, resource.RLIMIT_CORE,
               resource.RLIMIT_STACK, resource.RLIMIT_MEMLOCK)],
    "umask": os.umask(0), "nice": os.nice(0),
    "ignored": [s for s in range(1, 65) if s not in (32, 33) and
                signal.getsignal(s) == signal.SIG_IGN],
    "blocked": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])),
    "caps": [l for l in open("/proc/self/status") if l.startswith(("Cap", "NoNewPrivs", "Seccomp"))],
}, sys.stdout)
"""


def about(argv=(), **kwargs):
    script = lib.write("about.py", ABOUT)
    plain = lib.run([lib.system().exe, script, *argv], **kwargs)
    traced, doc = lib.trace([lib.system().exe, script, *argv], **kwargs)
    lib.check_equal((plain.rc, traced.rc), (0, 0), "status, %r" % traced.err)
    one, two = json.loads(plain.out), json.loads(traced.out)
    for key in one:
        lib.check_equal(two[key], one[key], key)
    return doc


@lib.test()
def test_arguments_verbatim():
    argv = ["a b", "", "*", "$HOME", "'", '"', "\\", "two\nlines", "--view", "-p", "é日", "--",
            os.fsdecode(b"\xff\xfe")]
    doc = about(argv)
    got = doc.python()["cmdline"][2:]
    lib.check_equal(got[:12], argv[:12], "cmdline in the report")


@lib.test()
def test_environment_and_state():
    """Environment, directory, descriptors, limits, mask, signals: all inherited unchanged."""
    about(env={"ODD": "x=y z\n", "EMPTY": ""}, cwd="/usr/lib")


@lib.test()
def test_ignored_and_blocked_signals():
    """Dispositions that our caller set reach the command."""
    script = lib.write("about.py", ABOUT)
    report = lib.workdir() + "/r.json"

    def odd_state():
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2])
        resource.setrlimit(resource.RLIMIT_NOFILE, (300, 4000))
        os.umask(0o27)
        os.nice(3)
        os.dup2(1, 7)

    results = []
    for argv in ([], [lib.TOOL, "--format", "json", "--report", report, "--"]):
        done = subprocess.run([*argv, lib.system().exe, script], stdout=subprocess.PIPE,
                              stdin=subprocess.DEVNULL, preexec_fn=odd_state, close_fds=False,
                              env=lib.clean_env(), check=True)
        results.append(json.loads(done.stdout))
    for key in results[0]:
        lib.check_equal(results[1][key], results[0][key], key)


@lib.test()
def test_stdin_and_big_output():
    data = os.urandom(300_000)
    code = ("import sys; d = sys.stdin.buffer.read(); sys.stdout.buffer.write(d[::-1] * 3);"
            "sys.stderr.write('e' * 100000)")
    lib.trace_both([lib.system().exe, "-c", code], stdin=data)


@lib.test()
def test_closed_standard_descriptors():
    """A command started with stdin closed finds it closed."""
    for shell in ("exec 0<&-", "exec 0<&- 1>&-", "exec 2>&-"):
        out = []
        for tool in ("", "%s --format json --report %s/r.json --" % (lib.TOOL, lib.workdir())):
            path = "%s/fds" % lib.workdir()
            code = "import os;open('%s','w').write(str(sorted(f for f in range(3) if " \
                   "os.path.exists('/proc/self/fd/%%d' %% f))))" % path
            lib.write("fds.py", code)
            subprocess.run(["bash", "-c", "%s; exec %s %s %s/fds.py" % (
                shell, tool, lib.system().exe, lib.workdir())], check=True, env=lib.clean_env())
            with open(path) as file:
                out.append(file.read())
            os.unlink(path)
        lib.check_equal(out[1], out[0], shell)


@lib.test(params={"0": 0, "1": 1, "77": 77, "255": 255})
def test_exit_status(status):
    traced, doc = lib.trace_both([lib.system().exe, "-c", "import sys; sys.exit(%d)" % status])
    lib.check_equal(traced.rc, status, "status")
    lib.check_equal(doc.python()["exit"], {"code": status, "signal": None}, "exit in the report")


@lib.test()
def test_command_not_found():
    run = lib.run([lib.TOOL, "--", "no-such-command-here"])
    lib.check_equal(run.rc, 127, "status")
    lib.check(b"no-such-command-here" in run.err and b"not found" in run.err, "%r", run.err)


@lib.test()
def test_command_not_executable():
    path = lib.write("not-executable", "#!/bin/sh\n")
    run = lib.run([lib.TOOL, "--", path])
    lib.check_equal(run.rc, 126, "status, %r" % run.err)


@lib.test()
def test_bad_interpreter_line():
    path = lib.write("bad", "#!/no/such/interpreter\n")
    os.chmod(path, 0o755)
    run = lib.run([lib.TOOL, "--", path])
    lib.check(run.rc in (126, 127), "status %d, %r", run.rc, run.err)


def command(name, text):
    path = lib.write(name, text)
    os.chmod(path, 0o755)
    return path


PYTHON = "import sys\nimport colorsys\nprint(sys.argv[1:], colorsys.__name__)\n"


def wrappers():
    return {name: name for name in ("env", "direct", "env -S", "sh -c", "bash", "exec", "nested",
                                    "env VAR", "timeout", "no shebang", "venv")}


@lib.test(params=wrappers)
def test_wrapper(kind):
    """Shims and scripts: the Python that finally runs is the one in the report."""
    python = lib.system().exe
    target = command("tool.py", "#!%s\n%s" % (python, PYTHON))
    if kind == "env":
        argv = [command("w", "#!/usr/bin/env python3\n" + PYTHON), "x y"]
    elif kind == "direct":
        argv = [target, "x y"]
    elif kind == "env -S":
        argv = [command("w", "#!/usr/bin/env -S python3 -B -s\n" + PYTHON), "x y"]
    elif kind == "sh -c":
        argv = ["sh", "-c", "%s \"$1\"; exit 5" % target, "sh", "x y"]
    elif kind == "bash":
        argv = [command("w", "#!/bin/bash\nset -e\n%s \"$@\"\necho after\n" % target), "x y"]
    elif kind == "exec":
        argv = [command("w", "#!/bin/sh\nexec %s \"$@\"\n" % target), "x y"]
    elif kind == "nested":
        inner = command("inner", "#!/bin/sh\nexec /usr/bin/env %s \"$@\"\n" % target)
        argv = [command("w", "#!/bin/bash\n(%s \"$@\")\n" % inner), "x y"]
    elif kind == "env VAR":
        argv = ["env", "SOME=1", python, target, "x y"]
    elif kind == "timeout":
        argv = ["timeout", "60", target, "x y"]
    elif kind == "no shebang":
        argv = ["sh", command("w", "%s \"$@\"\n" % target), "x y"]
    else:
        home = lib.workdir() + "/venv"
        made = subprocess.run([python, "-m", "venv", "--without-pip", home], capture_output=True)
        if made.returncode:
            raise lib.Skip("python3 -m venv does not work here: %s" % made.stderr[:100])
        argv = [home + "/bin/python", target, "x y"]
    env = {"PATH": "/usr/bin:/bin"}
    traced, doc = lib.trace_both(argv, env=env)
    lib.check(b"['x y'] colorsys" in traced.out, "output %r", traced.out)
    process, = doc.having("colorsys")
    process.one("encodings")
    lib.check_equal(process.one("colorsys")["importer"]["module"], "__main__", "importer")
    doc.check_complete()


@lib.test()
def test_pyenv_shim():
    """pyenv's shims are bash scripts that search and exec."""
    base = os.environ.get("PYENV_ROOT") or os.path.expanduser("~/.pyenv")
    shim = base + "/shims/python3"
    if not os.path.exists(shim):
        raise lib.Skip("no pyenv here")
    _, doc = lib.trace_both([shim, "-c", "import colorsys; print(1)"])
    process, = doc.having("colorsys")
    process.one("encodings")


@lib.test()
def test_other_interpreters():
    """One command that starts several different interpreters, none of which it is itself."""
    chosen = list(lib.core_interpreters().values())
    if len(chosen) < 2:
        raise lib.Skip("only one interpreter here")
    lines = ["%s -c 'import colorsys, sys; print(sys.version_info[:2])'" % " ".join(
        i.prepare().argv) for i in chosen]
    _, doc = lib.trace_both([command("several", "#!/bin/sh\n%s\n" % "\n".join(lines))])
    found = doc.having("colorsys")
    lib.check_equal(sorted(".".join(p["python"]["version"].split(".")[:2]) for p in found),
                    sorted("%d.%d" % i.version[:2] for i in chosen), "versions")
    for process in found:
        process.one("encodings")
        lib.check_equal(process.one("colorsys")["importer"]["line"], 1, "line")


@lib.test()
def test_not_python_at_all():
    """A command without Python: its status, and a report that says so instead of failing."""
    traced, doc = lib.trace_both(["sh", "-c", "echo hello; exit 9"])
    lib.check_equal((traced.rc, traced.out), (9, b"hello\n"), "the command")
    lib.check(not any(p.imports for p in doc.processes), "imports without Python")


@lib.test()
def test_ended_before_looked_at():
    """Over before /proc could be read: its directory is known all the same, it was ours."""
    traced, doc = lib.trace(["true"], cwd="/usr/lib")
    lib.check_equal((traced.rc, doc.processes[0]["cwd"]), (0, "/usr/lib"), "status and directory")


@lib.test()
def test_as_under_sudo():
    """The variables of sudo, though it is no sudo above us that set them: the command runs as whom
    they name."""
    directory = tempfile.mkdtemp(dir=lib.workdir())
    os.chmod(directory, 0o777)
    report = directory + "/report.json"
    script = lib.write("who.py", "import os, json\nprint(json.dumps([os.getresuid(), os.getresgid(),"
                       " os.getgroups(), os.environ.get('USER'), os.environ.get('LOGNAME'),"
                       " [k for k in os.environ if k.startswith('SUDO_')]]))\n"
                       "print([l.split()[1] for l in open('/proc/self/status') if "
                       "l.startswith(('CapEff', 'CapPrm'))])\n")
    env = lib.clean_env({"SUDO_UID": "65534", "SUDO_GID": "65534", "SUDO_USER": "nobody",
                         "SUDO_COMMAND": "x", "USER": "root", "LOGNAME": "root", "HOME": "/root"})
    done = subprocess.run([lib.TOOL, "--format", "json", "--report", report, "--",
                           lib.system().exe, script], env=env, capture_output=True)
    lib.check_equal(done.returncode, 0, "status, %r" % done.stderr)
    lines = done.stdout.decode().splitlines()
    uids, gids, groups, user, logname, _ = json.loads(lines[0])
    lib.check_equal((uids, gids), ([65534] * 3, [65534] * 3), "ids")
    lib.check(0 not in groups, "still in root's group: %s", groups)
    lib.check_equal((user, logname), ("nobody", "nobody"), "USER and LOGNAME")
    lib.check_equal(lines[1], "['0000000000000000', '0000000000000000']", "capabilities")
    with open(report) as file:
        lib.check_invariants(json.load(file))


def read_all(fd):
    data = b""
    with contextlib.suppress(OSError):
        while True:
            ready, _, _ = select.select([fd], [], [], lib.PATIENCE_S)
            if not ready:
                break
            more = os.read(fd, 65536)
            if not more:
                break
            data += more
    return data


def on_terminal(argv, feed=()):
    """Runs argv on a terminal of its own; feed = (text to wait for, bytes to type) pairs."""
    pid, fd = pty.fork()
    if pid == 0:
        os.chdir(lib.workdir())
        os.execvpe(argv[0], argv, lib.clean_env({"TERM": "xterm", "COLUMNS": None}))
    seen = b""
    for text, keys in feed:
        while text not in seen:
            ready, _, _ = select.select([fd], [], [], lib.PATIENCE_S)
            lib.check(ready, "waited for %r, saw %r", text, seen)
            seen += os.read(fd, 4096)
        os.write(fd, keys)
    seen += read_all(fd)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), seen


@lib.test()
def test_terminal():
    """The command has the terminal: isatty, its foreground process group, what is typed."""
    script = lib.write("tty.py", "import os, sys\nprint([os.isatty(f) for f in range(3)],"
                       " os.tcgetpgrp(0) == os.getpgrp(), os.getsid(0) == os.getsid(os.getppid()))\n"
                       "print('asked', flush=True)\nprint('typed', sys.stdin.readline())\n")
    report = lib.workdir() + "/tty.json"
    rc, seen = on_terminal([lib.TOOL, "--format", "json", "--report", report, "--",
                            lib.system().exe, script], [(b"asked", b"hello\n")])
    lib.check_equal(rc, 0, "status, %r" % seen)
    lib.check(b"[True, True, True] True True" in seen, "%r", seen)
    lib.check(b"typed hello" in seen, "%r", seen)


@lib.test()
def test_ctrl_c():
    """Ctrl-C on the terminal reaches the command, whose answer decides; the report comes."""
    script = lib.write("int.py", "import sys, time\nimport colorsys\n"
                       "try:\n    print('wait', flush=True)\n    time.sleep(1000)\nexcept KeyboardInterrupt:\n"
                       "    import plistlib\n    print('interrupted', flush=True)\n    sys.exit(42)\n")
    report = lib.workdir() + "/int.json"
    rc, seen = on_terminal([lib.TOOL, "--format", "json", "--report", report, "--",
                            lib.system().exe, script], [(b"wait", b"\x03")])
    lib.check(b"interrupted" in seen, "%r", seen)
    with open(report) as file:
        doc = lib.Trace(json.load(file))
    lib.check_equal(doc.python().one("colorsys")["result"], "loaded", "colorsys")
    lib.check_equal(rc, 42, "status, %r" % seen[-500:])


@lib.test(params={s.name: s for s in (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1,
                                      signal.SIGQUIT)})
def test_signal_passed_on(number):
    """A signal sent to the tool alone reaches the command."""
    script = lib.write("sig.py", "import os, signal, sys, time\ndef got(n, f):\n"
                       "    os.write(1, b'got %%d\\n' %% n)\n    sys.exit(33)\n"
                       "signal.signal(%d, got)\nprint('up', flush=True)\n"
                       # One long sleep could begin between the signal and Python's look at it.
                       "while True:\n    time.sleep(.05)\n" % number)
    report = lib.workdir() + "/r.json"
    proc = subprocess.Popen([lib.TOOL, "--format", "json", "--report", report, "--",
                             lib.system().exe, script], stdout=subprocess.PIPE,
                            stderr=subprocess.DEVNULL, env=lib.clean_env(), start_new_session=True)
    lib.check_equal(proc.stdout.readline(), b"up\n", "the command")
    proc.send_signal(number)
    out, _ = proc.communicate(timeout=lib.PATIENCE_S)
    lib.check_equal((out, proc.returncode), (b"got %d\n" % number, 33), "the command")
    with open(report) as file:
        lib.check_invariants(json.load(file))


@lib.test()
def test_report_on_stdout_apart():
    """--format json without --report: the document alone is on stdout."""
    done = subprocess.run([lib.TOOL, "--format", "json", "--", lib.system().exe, "-c",
                           "import sys; print('noise'); sys.stderr.write('more')"],
                          capture_output=True, env=lib.clean_env())
    doc = json.loads(done.stdout)
    lib.check_invariants(doc)
    lib.check(b"noise" in done.stderr and b"more" in done.stderr, "%r", done.stderr)


@lib.test()
def test_zipapp():
    """python app.pyz: __main__ comes out of the archive."""
    lib.write("app/__main__.py", "import zipped_part\nprint(zipped_part.VALUE)\n")
    lib.write("app/zipped_part.py", "VALUE = 8\n")
    archive = lib.workdir() + "/app.pyz"
    subprocess.run([lib.system().exe, "-m", "zipapp", lib.workdir() + "/app", "-o", archive, "-p",
                    "/usr/bin/env python3"], check=True)
    for argv in ([lib.system().exe, archive], [archive], [lib.system().exe, lib.workdir() + "/app"]):
        traced, doc = lib.trace_both(argv, env={"PATH": "/usr/bin:/bin"})
        process = doc.python()
        main = process.one("__main__")
        lib.check_equal(main["via"], "main", "via")
        lib.check((main["file"] or "").endswith("__main__.py"), "file %r", main["file"])
        load = process.one("zipped_part")
        lib.check_equal(process.parent(load)["id"], main["id"], "parent")
        lib.check_equal(load["importer"]["line"], 1, "line")
        lib.check_equal(load["kind"], "zip" if archive in argv else "source", "kind")


@lib.test(params={"-c": ["-c", "import colorsys"], "stdin": ["-"], "-i": ["-i", "-c", "pass"]})
def test_program_text(arg):
    """-c, a program on stdin, interactive: __main__ or its imports are there."""
    traced, doc = lib.trace_both([lib.system().exe, *arg], stdin=b"import colorsys\nprint(1)\n")
    process = doc.python()
    lib.check_equal(process.one("colorsys")["importer"]["line"], 1, "line")


if __name__ == "__main__":
    lib.main()
