#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Python inside other programs: linked in, hidden, opened late; real programs that embed it."""
import contextlib
import functools
import glob
import grp
import os
import pwd
import shutil
import socket
import subprocess
import urllib.request

import lib


@functools.cache
def built(name, *flags):
    """A program of targets/ linked with this machine's Python, or a reason to skip."""
    out = lib.workdir() + "/" + name + "".join(flags).replace("/", "")[-40:]
    include = subprocess.run([lib.SYSTEM, "-c", "import sysconfig;"
                              "print(sysconfig.get_path('include'))"], capture_output=True,
                             text=True, check=True).stdout.strip()
    if not os.path.exists(include + "/Python.h"):
        raise lib.Skip("no Python.h: python3-dev is not installed")
    done = subprocess.run(["cc", "-O1", "-no-pie", "-I" + include, "-o", out,
                           "%s/%s.c" % (lib.TARGETS, name), *flags], capture_output=True, text=True)
    lib.check(done.returncode == 0, "cannot build %s: %s", name, done.stderr)
    return out


def static_python(*flags):
    """One file with the interpreter inside."""
    archives = glob.glob("/usr/lib/*/libpython3.*[0-9].a")
    if not archives:
        raise lib.Skip("no static libpython: libpython3-dev is not installed")
    # Debian 13's lacks the functions of sha2, which nobody calls here.
    return built("embed", *flags, archives[0], "-lm", "-lz", "-lexpat",
                 "-Wl,--unresolved-symbols=ignore-in-object-files")


HOME = {"PYTHONHOME": "/usr"}
CODE = "import json, sys; sys.stdout.write('fine')"


def check_tree(doc, pid=None):
    process = doc.pid(pid) if pid else doc.python()
    process.one("encodings")
    lib.check_equal(process.parent(process.one("json"))["module"], "__main__", "parent of json")
    return process


def onefile():
    """A program with a libpython behind its end, and where that begins."""
    found = glob.glob("/usr/lib/*/libpython3.*.so.1.0")
    if not found:
        raise lib.Skip("no shared libpython: libpython3-dev is not installed")
    program = built("onefile")
    at = os.path.getsize(program)
    with open(program, "ab") as out, open(found[0], "rb") as library:
        shutil.copyfileobj(library, out)
    return program, {**HOME, "ONEFILE_AT": str(at)}


@lib.test(params={"%s,%s" % (how, who): (how, who) for how in ("file", "memory")
                  for who in ("launched", "all")}, exclusive=True)
def test_unpacked_at_start(arg):
    """As PyInstaller's: libpython comes out of the program itself, and has no name when it runs."""
    how, who = arg
    program, env = onefile()
    argv = [program, how, "-c", CODE]
    if who == "launched":
        run, doc = lib.trace(argv, env=env)
        pid = None
    else:
        with lib.Tracer("-a") as tracer:
            with lib.Target(argv, env=env) as target:
                run, pid = target.finish(), target.pid
            tracer.stop()
        doc = tracer.trace()
    lib.check_equal((run.rc, run.out), (0, b"fine"), "the program's own result")
    # With -a others' programs are looked at, too, and may not let themselves be probed.
    lib.check_equal({k: v for k, v in lib.losses(doc).items() if k != "unprobed"}, {}, "lost")
    check_tree(doc, pid)


@lib.test(params={"exported": ("-rdynamic", "-s"), "unstripped": ()})
def test_single_file(flags):
    """The interpreter linked into a program of another name, seen through its symbols."""
    program = static_python(*flags)
    run, doc = lib.trace([program, "-c", CODE], env=HOME)
    lib.check_equal((run.rc, run.out), (0, b"fine"), "the program's own result")
    doc.check_complete()
    check_tree(doc)


def check_hidden(run, doc, program):
    lib.check_equal(doc["complete"], False, "complete")
    lib.check_equal(doc["loss"]["unprobed"], 1, "interpreters not probed")
    only, = doc["unprobed"]
    lib.check_equal(only["binary"], program, "which")
    lib.check("symbols" in only["notes"][0], "why: %s", only["notes"])
    lib.check_equal(run.out, b"fine", "output")


@lib.test(params={"held": (), "no-hold": ("--no-hold",), "strict": ("--strict",)})
def test_hidden_symbols(opts):
    """CPython without a symbol to hold on to: one clear line, and never `complete`."""
    program = static_python("-s")
    run, doc = lib.trace([program, "-c", CODE], env=HOME, opts=opts)
    check_hidden(run, doc, program)
    lib.check_equal(run.rc, 4 if "--strict" in opts else 0, "status")


@lib.test()
def test_hidden_started_by_a_script():
    """The same behind a wrapper, where it is met only when it starts."""
    program = static_python("-s")
    run, doc = lib.trace(["/bin/sh", "-c", "%s -c \"$0\"; exit 7" % program, CODE], env=HOME,
                         opts=["--strict"])
    check_hidden(run, doc, program)
    lib.check_equal(run.rc, 4, "status")


@lib.test()
def test_hidden_that_does_not_run():
    """One that lies about and never runs is no loss."""
    static_python("-s")
    run, doc = lib.trace([lib.SYSTEM, "-c", CODE], opts=["--strict"],
                         env={"PATH": lib.workdir() + ":/usr/bin"})
    lib.check_equal((run.rc, run.out), (0, b"fine"), "result")
    doc.check_complete()


@lib.test()
def test_hidden_attach():
    """-p names the reason."""
    program = static_python("-s")
    with lib.Target([program, "-c", "print('up', flush=True); input()"], env=HOME) as target:
        target.expect("up")
        done = subprocess.run([lib.TOOL, "-p", str(target.pid)], capture_output=True,
                              env=lib.clean_env(), timeout=lib.PATIENCE_S)
        lib.check_equal(done.returncode, 3, "status")
        lib.check(b"hides its symbols" in done.stderr, "stderr: %r", done.stderr)


# --- programs of the distribution that embed Python ----------------------------------------------

def program(path, package):
    found = sorted(glob.glob(path))
    if not found:
        raise lib.Skip("%s is not installed" % package)
    return found[-1]


def check_embedded(process, exe):
    lib.check_equal(process["exe"], exe, "the program")
    process.one("encodings")
    lib.check_equal(process.one("colorsys")["result"], "loaded", "colorsys")
    lib.check(process["python"]["version"].startswith("3."), "version %r",
              process["python"]["version"])


@lib.test(params={
    "gdb": ("/usr/bin/gdb", "gdb", ["-nx", "-batch", "-ex", "python import colorsys"]),
    "vim": ("/usr/bin/vim.nox", "vim-nox", ["-Nu", "NONE", "-es", "-c", "py3 import colorsys",
                                            "-c", "qa!"])})
def test_editor(arg):
    """Programs that are linked with libpython, or open it when a script first asks."""
    path, package, argv = arg
    exe = program(path, package)
    run, doc = lib.trace([exe, *argv])
    lib.check_equal(run.rc, 0, "status; stderr: %r" % run.err[-500:])
    doc.check_complete()
    check_embedded(doc.python(), exe)


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def ask(port):
    """The answer of a server, once it is there."""
    answers = []

    def is_there():
        with contextlib.suppress(OSError):
            with urllib.request.urlopen("http://127.0.0.1:%d/" % port, timeout=20) as reply:
                answers.append(reply.read())
        return bool(answers)
    lib.wait_until(is_there, "an answer at port %d" % port)
    return answers[0]


WSGI = """
import colorsys
def application(env, start):
    start("200 OK", [("Content-Type", "text/plain")])
    return [b"fine"]
"""


def serve(argv, port, env=None):
    """A server under -a, until it has answered."""
    log = open(lib.workdir() + "/server.log", "wb")
    with log, lib.Tracer("-a") as tracer:
        server = subprocess.Popen(argv, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                                  cwd=lib.workdir(), env=lib.clean_env(env))
        try:
            lib.check_equal(ask(port), b"fine", "answer")
        finally:
            server.terminate()
            server.wait(timeout=lib.PATIENCE_S)
        tracer.stop()
    return tracer.trace()


@lib.test(exclusive=True)
def test_uwsgi():
    """A server that opens a plugin, which needs libpython."""
    exe = os.path.realpath(program("/usr/bin/uwsgi", "uwsgi-core"))
    program("/usr/lib/uwsgi/plugins/python3*_plugin.so", "uwsgi-plugin-python3")
    port = free_port()
    doc = serve([exe, "--plugin", "python3", "--http-socket", "127.0.0.1:%d" % port,
                 "--wsgi-file", lib.write("app.py", WSGI), "--die-on-term"], port)
    process, = [p for p in doc.having("colorsys") if p["exe"] == exe]
    check_embedded(process, exe)


APACHE = """
ServerRoot %(dir)s
ServerName localhost
PidFile %(dir)s/httpd.pid
Mutex file:%(dir)s
ErrorLog %(dir)s/error.log
Listen 127.0.0.1:%(port)d
LoadModule mpm_event_module %(modules)s/mod_mpm_event.so
LoadModule authz_core_module %(modules)s/mod_authz_core.so
LoadModule wsgi_module %(modules)s/mod_wsgi.so
User %(user)s
Group %(group)s
WSGIScriptAlias / %(dir)s/app.py
<Directory %(dir)s>
Require all granted
</Directory>
"""


@lib.test(exclusive=True)
def test_apache():
    """mod_wsgi: the server loads Python, its workers are forked."""
    exe = program("/usr/sbin/apache2", "apache2")
    module = program("/usr/lib/apache2/modules/mod_wsgi.so", "libapache2-mod-wsgi-py3")
    port = free_port()
    lib.write("app.py", WSGI)
    user = pwd.getpwnam("www-data")
    conf = lib.write("httpd.conf", APACHE % {
        "dir": lib.workdir(), "port": port, "modules": os.path.dirname(module),
        "user": user.pw_name, "group": grp.getgrgid(user.pw_gid).gr_name})
    doc = serve([exe, "-DFOREGROUND", "-f", conf], port)
    workers = [p for p in doc.having("colorsys") if p["exe"] == exe]
    lib.check(workers, "no worker loaded the application; processes: %s",
              [(p["exe"], len(p.imports)) for p in doc.processes])
    lib.check([p for p in doc.having("encodings") if p["exe"] == exe],
              "the first import is not there")


@lib.test(exclusive=True)
def test_postgres():
    """A database: each session is a process of its own that opens plpython3.so when asked."""
    postgres = program("/usr/lib/postgresql/*/bin/postgres", "postgresql")
    program("/usr/lib/postgresql/*/lib/plpython3.so", "postgresql-plpython3")
    home = lib.workdir() + "/db"
    os.mkdir(home)
    shutil.chown(home, "postgres", "postgres")
    tools = os.path.dirname(postgres)
    user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"]
    sql = ("CREATE EXTENSION plpython3u; DO $$ import colorsys $$ LANGUAGE plpython3u;"
           "SELECT 'fi' || 'ne'")
    subprocess.run([*user, tools + "/initdb", "-D", home + "/data", "-A", "trust", "--no-sync"],
                   check=True, stdout=subprocess.DEVNULL, cwd=home)
    log = open(lib.workdir() + "/server.log", "wb")
    with log, lib.Tracer("-a") as tracer:
        server = subprocess.Popen([*user, postgres, "-D", home + "/data", "-k", home, "-h", ""],
                                  stdout=log, stderr=log, cwd=home)
        try:
            lib.wait_until(lambda: glob.glob(home + "/.s.PGSQL.*[0-9]"), "the server's socket")
            asked = []

            def has_answered():
                asked.append(subprocess.run([*user, tools + "/psql", "-h", home, "-At", "-c", sql,
                                             "postgres"], capture_output=True, cwd=home))
                return asked[-1].returncode == 0 or b"starting up" not in asked[-1].stderr
            lib.wait_until(has_answered, "the server")
            lib.check(b"fine" in asked[-1].stdout, "psql said %r %r", asked[-1].stdout,
                      asked[-1].stderr)
        finally:
            server.terminate()
            server.wait(timeout=lib.PATIENCE_S)
        tracer.stop()
    session, = [p for p in tracer.trace().having("colorsys") if p["exe"] == postgres]
    check_embedded(session, postgres)


if __name__ == "__main__":
    lib.main()
