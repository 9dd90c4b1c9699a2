#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Causes against programs that know the answer: each module measures itself (monotonic clock, CPU
time of the thread, /proc/self/status) and prints the truth; the report must agree within 5 % or
2 ms, for every module and for no other."""
import json
import os
import random
import socket
import subprocess
import threading

from lib.figures import MS, check_sums
import lib

WAITS = ("disk", "lock", "runqueue", "network", "sleep", "child", "other")

SPIN = "import time\n_until = time.thread_time() + %s\nwhile time.thread_time() < _until: pass\n"
# Whoever imports a module measures what that took.
MEASURE = """
import json, sys, time
sys.path.insert(0, %r)
def load(name):
    wall, cpu = time.monotonic_ns(), time.thread_time_ns()
    __import__(name)
    print(json.dumps({"module": name, "wall": time.monotonic_ns() - wall,
                      "cpu": time.thread_time_ns() - cpu}))
"""


def write_module(name, body):
    lib.write("mods/%s.py" % name, body)


def write_main(body):
    lib.write("mods/measure.py", MEASURE % (lib.workdir() + "/mods"))
    return lib.write("main.py", "import sys, time\nsys.path.insert(0, %r)\nfrom measure import load\n%s" %
                     (lib.workdir() + "/mods", body))


def run(interp, names, opts=(), wrap=(), setup=""):
    """Traces loads of the modules; (process, truth by module)."""
    script = write_main(setup + "".join("load(%r)\n" % n for n in names))
    done, doc = lib.trace([*wrap, *interp.argv, script], opts=opts)
    lib.check_equal(done.rc, 0, "status; stderr:\n%s\n" % done.err.decode())
    truth = {t["module"]: t for t in map(json.loads, done.out.decode().splitlines())}
    doc.check_complete()
    process = doc.having(names[0])[0]
    check_sums(process)
    return process, truth


def near(got, truth, what, slack=2 * MS):
    lib.check(got is not None, "%s is null", what)
    lib.check(abs(got - truth) <= max(truth * 0.05, slack), "%s: %.2f ms, truth %.2f ms", what,
              got / MS, truth / MS)


def waits(load):
    return sum(load["wait_ns"].values())


def check_cpu(process, truth):
    for name, own in truth.items():
        near(process.one(name)["cpu_ns"], own["cpu"], "CPU of " + name)


@lib.test(params=lib.core_interpreters, exclusive=True)
@lib.two_clocks
def test_sleep_and_spin(interp):
    interp.prepare()
    write_module("m_sleep", "import time\ntime.sleep(0.2)\n")
    write_module("m_spin", SPIN % 0.2)
    process, truth = run(interp, ["m_sleep", "m_spin"])
    check_cpu(process, truth)
    sleep, spin = process.one("m_sleep"), process.one("m_spin")
    near(sleep["self_wait_ns"]["sleep"], 200 * MS, "sleep of m_sleep")
    near(waits(sleep), truth["m_sleep"]["wall"] - truth["m_sleep"]["cpu"], "waits of m_sleep")
    lib.check_equal(spin["self_wait_ns"]["sleep"], 0, "sleep of m_spin")
    main = process.one("__main__")
    near(main["wait_ns"]["sleep"], 200 * MS, "sleep below __main__")
    near(main["self_wait_ns"]["sleep"], 0, "sleep of __main__ itself")


@lib.test(exclusive=True)
@lib.two_clocks
def test_lock_of_another_thread():
    write_module("m_lock", """import threading, time
_lock, _held = threading.Lock(), threading.Event()
def _hold():
    with _lock:
        _held.set()
        time.sleep(0.2)
_thread = threading.Thread(target=_hold)
_thread.start()
_held.wait()
_lock.acquire()
_thread.join()
""")
    process, truth = run(lib.system(), ["m_lock"], setup="import threading\n")
    load = process.one("m_lock")
    # The holder sleeps 200 ms and is given a CPU when there is one: the module's clock has both.
    waited = truth["m_lock"]["wall"] - truth["m_lock"]["cpu"] - load["self_wait_ns"]["runqueue"]
    near(load["self_wait_ns"]["lock"], waited, "lock", 4 * MS)
    lib.check(load["self_wait_ns"]["lock"] >= 200 * MS, "the lock was held for 200 ms")
    near(waits(load), truth["m_lock"]["wall"] - truth["m_lock"]["cpu"], "waits")
    near(process["causes"]["other_threads"]["wait_ns"]["sleep"], 200 * MS, "the other thread's sleep")


@lib.test(exclusive=True)
@lib.two_clocks
def test_child():
    write_module("m_child", "import subprocess\nsubprocess.run(['sleep', '0.2'])\n")
    write_module("m_pipe", "import subprocess\nsubprocess.run(['sleep', '0.2'], capture_output=True)\n")
    process, truth = run(lib.system(), ["m_child", "m_pipe"], setup="import subprocess, threading\n")
    check_cpu(process, truth)
    for name in ("m_child", "m_pipe"):
        load = process.one(name)
        lib.check(load["self_wait_ns"]["child"] >= 195 * MS, "%s waited %d ns for its child", name,
                  load["self_wait_ns"]["child"])
        near(waits(load), truth[name]["wall"] - truth[name]["cpu"], "waits of " + name)


@lib.test(exclusive=True)
@lib.two_clocks
def test_network():
    server = socket.create_server(("127.0.0.1", 0))

    def answer():
        while True: # the test may begin again
            peer, _ = server.accept()
            peer.recv(1)
            threading.Event().wait(0.2)
            peer.sendall(b"x")
            peer.close()
    threading.Thread(target=answer, daemon=True).start()
    write_module("m_net", "import socket\n_s = socket.create_connection(('127.0.0.1', %d))\n"
                 "_s.sendall(b'x')\n_s.recv(1)\n_s.close()\n" % server.getsockname()[1])
    process, truth = run(lib.system(), ["m_net"], setup="import socket, encodings.idna\n")
    check_cpu(process, truth)
    near(process.one("m_net")["self_wait_ns"]["network"], 200 * MS, "network", 4 * MS)


@lib.test(exclusive=True)
@lib.two_clocks
def test_busy_neighbour():
    cpu = max(os.sched_getaffinity(0))
    write_module("m_starved", SPIN % 0.15)
    lib.needs_command("taskset")
    with subprocess.Popen(["taskset", "-c", str(cpu), lib.SYSTEM, "-c", "while True: pass"]) as busy:
        try:
            process, truth = run(lib.system(), ["m_starved"], wrap=["taskset", "-c", str(cpu)])
        finally:
            busy.kill()
    check_cpu(process, truth)
    own = truth["m_starved"]
    load = process.one("m_starved")
    lib.check(own["wall"] - own["cpu"] > 50 * MS, "the neighbour was not busy: %s", own)
    near(load["self_wait_ns"]["runqueue"], own["wall"] - own["cpu"], "run queue", 3 * MS)


def quota_group():
    """A cgroup that gets a fifth of a CPU: its tasks file."""
    for base, files in (("/sys/fs/cgroup/cpu", {"cpu.cfs_period_us": "50000",
                                                "cpu.cfs_quota_us": "10000"}),
                        ("/sys/fs/cgroup", {"cpu.max": "10000 50000"})):
        path = "%s/pyimport-test-%d" % (base, os.getpid())
        try:
            os.mkdir(path)
        except OSError:
            continue
        try:
            for name, value in files.items():
                with open("%s/%s" % (path, name), "w") as file:
                    file.write(value)
            return path
        except OSError:
            os.rmdir(path)
    raise lib.Skip("no cgroup with a CPU quota can be made here")


@lib.test(exclusive=True)
@lib.two_clocks
def test_quota():
    path = quota_group()
    try:
        write_module("m_quota", SPIN % 0.05)
        process, truth = run(lib.system(), ["m_quota"], wrap=[
            "sh", "-c", "echo $$ > %s/cgroup.procs && exec \"$@\"" % path, "sh"])
    finally:
        os.rmdir(path)
    check_cpu(process, truth)
    own = truth["m_quota"]
    lib.check(own["wall"] > 2 * own["cpu"], "the quota did not bite: %s", own)
    load = process.one("m_quota")
    near(load["self_wait_ns"]["runqueue"], load["self_ns"] - load["self_cpu_ns"], "run queue", 3 * MS)
    # One of the pauses of 40 ms may fall between the module's own look at the clock and the load.
    near(load["self_wait_ns"]["runqueue"], own["wall"] - own["cpu"], "run queue", 43 * MS)


MEMORY = """
import json
def _rss():
    with open('/proc/self/status') as file:
        lines = dict(l.split(':') for l in file if l.startswith('Rss'))
    return {k: int(v.split()[0]) * 1024 for k, v in lines.items()}
_rss()
_before = _rss()
_data = bytearray(%d << 20)
_after = _rss()
told[__name__] = _after['RssAnon'] - _before['RssAnon']
"""


@lib.test(params=lib.core_interpreters, exclusive=True)
def test_memory(interp):
    interp.prepare()
    lib.write("mods/m_inner.py", "from told import told\n" + MEMORY % 100)
    lib.write("mods/m_outer.py", "from told import told\nfirst = bytearray(20 << 20)\nimport m_inner\ndel first\n" +
              MEMORY % 30)
    lib.write("mods/told.py", "told = {}\n")
    script = write_main("import told, m_outer\nprint(json.dumps(told.told))\n".replace(
        "print", "import json\nprint"))
    done, doc = lib.trace([*interp.argv, script])
    doc.check_complete()
    process, truth = doc.having("m_outer")[0], json.loads(done.out)
    page_slack = 1 << 20  # what importing itself takes
    outer, inner = process.one("m_outer"), process.one("m_inner")
    for load in (inner, outer):
        got, own = load["self_rss"]["anon"], truth[load["module"]]
        lib.check(abs(got - own) <= page_slack, "%s: %d bytes, truth %d", load["module"], got, own)
    lib.check(inner["self_rss"]["file"] < page_slack, "file pages of m_inner: %s", inner["self_rss"])
    lib.check_equal(outer["rss_delta"], sum(outer["self_rss"][k] + inner["self_rss"][k]
                                            for k in ("anon", "file")), "outer with inner")
    total = process["causes"]["total"]["rss"]
    for kind in ("anon", "file"):
        parts = sum(i["self_rss"][kind] for i in process.imports)
        parts += process["causes"]["outside"]["rss"][kind]
        parts += process["causes"]["other_threads"]["rss"][kind]
        lib.check_equal(parts, total[kind], "sum of %s" % kind)
    lib.check(130 << 20 < total["peak"] < 200 << 20, "peak %s", total["peak"])


@lib.test(exclusive=True)
@lib.two_clocks
def test_nested_at_random():
    """Forty modules in a random tree; each spins, sleeps and imports in a random order."""
    rng = random.Random(5)
    children = {n: [] for n in range(40)}
    for n in range(1, 40):
        children[rng.randrange(n)].append(n)
    for n, below in children.items():
        steps = [SPIN % rng.uniform(0.002, 0.02), "time.sleep(%f)\n" % rng.uniform(0.002, 0.02),
                 *("load('r%d')\n" % m for m in below)]
        rng.shuffle(steps)
        write_module("r%d" % n, "import time\nfrom measure import load\n" + "".join(steps))
    process, truth = run(lib.system(), ["r0"])
    lib.check_equal(len(truth), 40, "modules measured")
    check_cpu(process, truth)
    for n, below in children.items():
        load, own = process.one("r%d" % n), dict(truth["r%d" % n])
        near(waits(load), own["wall"] - own["cpu"], "waits of r%d" % n)
        for child in below:
            for key in own.keys() - {"module"}:
                own[key] -= truth["r%d" % child][key]
        near(load["self_cpu_ns"], own["cpu"], "own CPU of r%d" % n)
        near(sum(load["self_wait_ns"].values()), own["wall"] - own["cpu"], "own waits of r%d" % n)


@lib.test(exclusive=True)
@lib.two_clocks
def test_threads():
    """What two threads import at once is charged to each one's own modules."""
    write_module("m_one", "import time\ntime.sleep(0.15)\n" + SPIN % 0.05)
    write_module("m_two", SPIN % 0.1 + "time.sleep(0.05)\n")
    script = write_main("""import threading
threads = [threading.Thread(target=load, args=(n,)) for n in ('m_one', 'm_two')]
[t.start() for t in threads]
[t.join() for t in threads]
""")
    done, doc = lib.trace([*lib.system().argv, script])
    truth = {t["module"]: t for t in map(json.loads, done.out.decode().splitlines())}
    doc.check_complete()
    process = doc.having("m_one")[0]
    check_sums(process)
    for name, sleep in (("m_one", 150), ("m_two", 50)):
        load = process.one(name)
        near(load["cpu_ns"], truth[name]["cpu"], "CPU of " + name)
        near(load["self_wait_ns"]["sleep"], sleep * MS, "sleep of " + name)


@lib.test(exclusive=True)
@lib.two_clocks
def test_thread_dies_inside_an_import():
    """Its waits are not lost, and are nobody else's."""
    write_module("m_dies", "import ctypes, time\ntime.sleep(0.1)\nctypes.CDLL(None).pthread_exit(None)\n")
    script = write_main("""import ctypes, threading
import _thread
_thread.start_new_thread(__import__, ('m_dies',))
time.sleep(0.3)
import os
os._exit(0)
""")
    _, doc = lib.trace([*lib.system().argv, script], invariants=False)
    process = doc.having("m_dies")[0]
    load = process.one("m_dies")
    lib.check_equal(load["result"], "unfinished", "result")
    near(load["self_wait_ns"]["sleep"], 100 * MS, "sleep")
    near(process.one("__main__")["self_wait_ns"]["sleep"], 300 * MS, "sleep of main", 5 * MS)


@lib.test(exclusive=True)
def test_groups_switch_off():
    write_module("m_plain", "pass\n")
    for option, fields in (("--no-cpu", ("cpu_ns", "self_cpu_ns", "wait_ns")),
                           ("--no-memory", ("rss_delta", "self_rss"))):
        process, _ = run(lib.system(), ["m_plain"], opts=[option])
        load = process.one("m_plain")
        for field in fields:
            lib.check_equal(load[field], None, "%s with %s" % (field, option))
        for field in {"cpu_ns", "rss_delta"} - set(fields):
            lib.check(load[field] is not None, "%s is null with %s", field, option)


if __name__ == "__main__":
    lib.main()
