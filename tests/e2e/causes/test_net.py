#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The network and other effects of imports: what the modules themselves measure is the truth."""
import contextlib
import os
import socket
import struct
import subprocess
import threading
import time

import lib

LATE_S = 0.25


# took() prints how long it was since clocks(), and how long of that the thread slept at least: it
# was neither on a processor nor waiting for one.
MEASURE = """
import time
def clocks():
    first_ns = time.monotonic_ns()
    with open("/proc/thread-self/schedstat") as file:
        awake_ns = time.thread_time_ns() + int(file.read().split()[1])
    return first_ns, time.monotonic_ns(), awake_ns
def took(begin):
    end = clocks()
    print(end[1] - begin[0], end[0] - begin[1] - (end[2] - begin[2]))
"""


def between(got, least, most, what):
    """Within what was measured outside, each give or take 2 ms."""
    lib.check(got is not None and least - 2000000 <= got <= most + 2000000,
              "%s: %s ns, in truth %s to %s ns", what, got, least, most)


def module(name, text):
    return lib.write("mods/%s.py" % name, text)


def trace_import(name, text, opts=(), env=None):
    """Traces a program whose line 2 imports the module. (stdout, process, load)"""
    module(name, text)
    main = lib.write("mods/main.py", "# the program\nimport %s\n" % name)
    run, doc = lib.trace(lib.system().argv + ["-B", main], opts=opts, env=env)
    lib.check(run.rc == 0, "the target failed: %s", run.err.decode(errors="replace"))
    doc.check_complete()
    process = doc.having(name)[0]
    return run.out.decode(), process, process.one(name)


def check_site(item, load, what):
    lib.check_equal((item["import"], item["module"], os.path.basename(item["file"] or ""),
                     item["line"]), (load["id"], load["module"], "main.py", 2), what)


@contextlib.contextmanager
def server(family=socket.AF_INET, address=("127.0.0.1", 0)):
    """Takes 1,000 bytes, answers 5,000 late."""
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.bind(address)
        listener.listen()

        def serve():
            with contextlib.suppress(OSError):
                while True:
                    conn, _ = listener.accept()
                    got, part = 0, b"x"
                    while part and got < 1000:
                        part = conn.recv(4096)
                        got += len(part)
                    time.sleep(LATE_S)
                    conn.sendall(b"y" * 5000)
                    conn.recv(1)
                    conn.close()

        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()


CLIENT = MEASURE + """
import socket
begin = clocks()
s = socket.socket(%(family)d, socket.SOCK_STREAM)
s.settimeout(%(timeout)s)
s.connect(%(address)r)
s.sendall(b"x" * 1000)
got = 0
while got < 5000:
    got += len(s.recv(65536))
s.close()
took(begin)
"""


@lib.test({"blocking": None, "with-timeout": 30})
def test_late_server(timeout):
    with server() as address:
        out, process, load = trace_import("client", CLIENT % {
            "family": socket.AF_INET, "timeout": timeout, "address": address})
    item, = process["net"]
    lib.check_equal((item["kind"], item["address"], item["sent"], item["received"]),
                    ("connect", "%s:%d" % address, 1000, 5000), "the connection")
    check_site(item, load, "who connected")
    wall_ns, slept_ns = map(int, out.split())
    lib.check(slept_ns >= LATE_S * 0.5e9, "the client hardly slept: %d ns", slept_ns)
    between(item["blocked_ns"], slept_ns, wall_ns, "time blocked")
    lib.check(item["wall_ns"] is not None and item["errno"] is None, "connect: %s", item)
    lib.check(item["wall_ns"] < item["blocked_ns"], "connecting took longer than the whole: %s",
              item)


RESET = """
import socket, time
for _ in range(8):
    begin = time.monotonic_ns()
    s = socket.create_connection(%r)
    s.settimeout(30)
    got = 0
    try:
        s.sendall(b"x")
        while part := s.recv(65536):
            got += len(part)
    except ConnectionResetError:
        pass
    print(s.getsockname()[1], got, time.monotonic_ns() - begin)
    s.close()
"""


@lib.test()
def test_reset_by_peer():
    """What was waited for and received counts though the peer then resets the connection."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        def serve():
            for _ in range(8):
                conn, _ = listener.accept()
                conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                conn.recv(1)
                time.sleep(LATE_S)
                conn.sendall(b"y" * 200)
                conn.close()
        threading.Thread(target=serve, daemon=True).start()
        out, process, _ = trace_import("client", RESET % (listener.getsockname(),))
    truth = [[int(n) for n in line.split()] for line in out.splitlines()]
    lib.check_equal((len(process["net"]), len(truth)), (8, 8), "connections")
    lib.check_equal([n["received"] for n in process["net"]], [t[1] for t in truth], "bytes received")
    for item, (_, _, wall_ns) in zip(process["net"], truth):
        # Of the sleep of the server the client may have missed a part, on a busy machine.
        lib.check(LATE_S * 1e9 / 2 < item["blocked_ns"] <= wall_ns, "blocked %d of %d ns",
                  item["blocked_ns"], wall_ns)


@lib.test()
def test_unix_and_inet6():
    path = lib.workdir() + "/s\x1bock"
    with server(socket.AF_UNIX, path):
        _, process, _ = trace_import("client", CLIENT % {
            "family": socket.AF_UNIX, "timeout": None, "address": path})
    lib.check_equal([n["address"] for n in process["net"]], ["unix:" + path], "unix socket")
    if not os.path.exists("/proc/net/if_inet6") or not open("/proc/net/if_inet6").read():
        raise lib.Skip("no IPv6 here")
    with server(socket.AF_INET6, ("::1", 0)) as address:
        _, process, _ = trace_import("client", CLIENT % {
            "family": socket.AF_INET6, "timeout": None, "address": address})
    lib.check_equal([n["address"] for n in process["net"]], ["[::1]:%d" % address[1]], "IPv6")


REFUSED = """
import socket
for timeout in (None, 5):
    s = socket.socket()
    s.settimeout(timeout)
    try:
        s.connect(("127.0.0.1", %d))
    except ConnectionRefusedError:
        pass
    s.close()
"""


@lib.test()
def test_refused():
    with socket.socket() as probe: # bound and not listening: nobody else gets the port
        probe.bind(("127.0.0.1", 0))
        _, process, _ = trace_import("refused", REFUSED % probe.getsockname()[1])
    lib.check_equal([n["errno"] for n in process["net"]], [111, 111], "errors")


# --- names ---------------------------------------------------------------------------------------

DNS_ADDRESS = "127.0.0.53"


def answer(query):
    """192.0.2.7 for A, nothing for the rest."""
    end = query.index(b"\0", 12) + 5
    is_a = query[end - 4:end - 2] == b"\0\1"
    head = query[:2] + struct.pack("!5H", 0x8180, 1, is_a, 0, 0)
    record = b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4" + socket.inet_aton("192.0.2.7")
    return head + query[12:end] + (record if is_a else b"")


@contextlib.contextmanager
def name_server():
    """A resolver that answers late, for this mount namespace alone; its own times, in ns."""
    lib.private_mounts()
    times = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            sock.bind((DNS_ADDRESS, 53))
        except OSError as error:
            raise lib.Skip("port 53 of %s is taken: %s" % (DNS_ADDRESS, error)) from None

        def serve():
            with contextlib.suppress(OSError):
                while True:
                    query, peer = sock.recvfrom(4096)
                    times.append(time.monotonic_ns())
                    time.sleep(LATE_S / 2)
                    times.append(time.monotonic_ns())
                    sock.sendto(answer(query), peer)

        threading.Thread(target=serve, daemon=True).start()
        conf = lib.write("resolv.conf", "nameserver %s\noptions timeout:5\n" % DNS_ADDRESS)
        names = lib.write("nsswitch.conf", "hosts: dns\n")
        for path, target in ((conf, "/etc/resolv.conf"), (names, "/etc/nsswitch.conf")):
            subprocess.run(["mount", "--bind", path, os.path.realpath(target)], check=True)
        yield times


LOOKUP = """
import socket, time
begin = time.monotonic_ns()
found = socket.getaddrinfo("models.example.test", 443, type=socket.SOCK_STREAM)
print(time.monotonic_ns() - begin)
assert found[0][4] == ("192.0.2.7", 443), found
"""


@lib.test()
def test_name_look_up():
    with name_server() as times:
        out, process, load = trace_import("lookup", LOOKUP)
    found = [n for n in process["net"] if n["kind"] == "dns"]
    lib.check_equal([(n["name"], n["address"]) for n in found],
                    [("models.example.test", DNS_ADDRESS + ":53")], "look-ups")
    check_site(found[0], load, "who asked")
    between(found[0]["wall_ns"], times[-1] - times[0], int(out), "time of the look-up")
    lib.check(found[0]["sent"] > 0 and found[0]["received"] > 0, "%s", found[0])
    lib.check(not any("192.0.2.7" in (n["address"] or "") for n in process["net"]),
              "nothing was sent to the address itself: %s", process["net"])


@lib.test()
def test_findings():
    """The network, a child and a pool of threads at import are told, with the import statement."""
    with server() as address:
        module("wire", CLIENT % {"family": socket.AF_INET, "timeout": None, "address": address})
        _, process, _ = trace_import("effects", "import wire\n" + EFFECTS)
    found = {f["rule"]: f for f in process["findings"]}
    for rule, name, line, count in (("network-at-import", "wire", 1, 1),
                                    ("subprocess-at-import", "effects", 2, 1),
                                    ("thread-pool-at-import", "effects", 2, 5)):
        lib.check(rule in found, "no %s among %s", rule, sorted(found))
        finding = found[rule]
        lib.check_equal((finding["evidence"]["module"], finding["line"],
                         finding["evidence"]["count"]), (name, line, count), rule)
    lib.check(found["network-at-import"]["evidence"]["blocked_ns"] >= LATE_S * 0.9e9, "%s",
              found["network-at-import"])
    lib.check_equal(found["network-at-import"]["evidence"]["blocked_ns"],
                    process["net"][0]["blocked_ns"], "time blocked")


# --- listening -----------------------------------------------------------------------------------

LISTENER = """
import socket
l = socket.socket()
l.bind(("127.0.0.1", 0))
l.listen()
for _ in range(3):
    c = socket.create_connection(l.getsockname())
    a, _ = l.accept()
    a.close(); c.close()
print(l.getsockname()[1])
"""


@lib.test()
def test_listen():
    out, process, load = trace_import("listener", LISTENER)
    item, = [n for n in process["net"] if n["kind"] == "listen"]
    lib.check_equal((item["address"], item["accepted"]), ("127.0.0.1:" + out.strip(), 3), "listen")
    check_site(item, load, "who listens")
    lib.check_equal(len([n for n in process["net"] if n["kind"] == "accept"]), 1, "first accept")
    lib.check_equal(len([n for n in process["net"] if n["kind"] == "connect"]), 3, "connects")


# --- other effects -------------------------------------------------------------------------------

EFFECTS = MEASURE + """
import fcntl, subprocess, threading, time
subprocess.run(["/bin/true"], check=True)
threads = [threading.Thread(target=time.sleep, args=(0.01,)) for _ in range(5)]
[t.start() for t in threads]
[t.join() for t in threads]
begin = clocks()
time.sleep(0.2)
took(begin)
with open(__file__) as file:
    fcntl.flock(file, fcntl.LOCK_EX)
"""


@lib.test()
def test_effects():
    out, process, load = trace_import("effects", EFFECTS)
    item, = [e for e in process["effects"] if e["import"] == load["id"]]
    check_site(item, load, "whose effects")
    lib.check_equal((item["threads"], item["children"], item["sleeps"], item["file_locks"]),
                    (5, 1, 1, 1), "effects")
    wall_ns, slept_ns = map(int, out.split())
    between(item["sleep_ns"], slept_ns, wall_ns, "sleep")
    # The threads' own sleeps are not the import's.
    outside = [e for e in process["effects"] if e["import"] is None]
    lib.check_equal(sum(e["sleeps"] for e in outside), 5, "sleeps of threads")


@lib.test()
def test_quiet():
    """A program that does none of this: empty lists; --no-net: null."""
    _, doc = lib.trace(lib.system().argv + ["-I", "-c", "import json"])
    process = doc.python()
    lib.check_equal(process["net"], [], "net")
    lib.check(not any(e["children"] or e["threads"] for e in process["effects"]), "effects: %s",
              process["effects"])
    _, doc = lib.trace(lib.system().argv + ["-c", "import json"], opts=["--no-net"])
    lib.check(doc.python()["net"] is None and doc.python()["effects"] is None, "not null")


@lib.test()
def test_many_connections():
    """5,000 of them, all told, nothing lost."""
    text = "import socket\nl = socket.create_server(('127.0.0.1', 0))\n" \
           "for _ in range(5000):\n    c = socket.create_connection(l.getsockname())\n" \
           "    l.accept()[0].close()\n    c.close()\n"
    _, process, load = trace_import("many", text)
    found = [n for n in process["net"] if n["import"] == load["id"] and n["kind"] == "connect"]
    lib.check_equal(len(found), 5000, "connections")


if __name__ == "__main__":
    lib.main()
