# SPDX-License-Identifier: BSD-2-Clause
"""An ordinary user's overlay over a FUSE file system of his own that does not answer, in a user
namespace of his own: python3 slow_fuse.py DIR DEVICE PROGRAM. Says "mounted", executes the program
in the overlay at each line of stdin, says "blocked" when the server has been asked to open it and
does not answer. Status 77: this kernel lets no ordinary user do that."""
import ctypes
import errno
import os
import stat
import struct
import sys

CLONE_NEWNS, CLONE_NEWUSER = 0x20000, 0x10000000
LOOKUP, FORGET, GETATTR, OPEN, READ, STATFS, RELEASE, FLUSH, INIT, OPENDIR, READDIR, RELEASEDIR, \
    ACCESS, INTERRUPT, DESTROY, BATCH_FORGET = 1, 2, 3, 14, 15, 17, 18, 25, 26, 27, 28, 29, 34, \
    36, 38, 42

libc = ctypes.CDLL(None, use_errno=True)


def refuse(what):
    print("%s: %s" % (what, os.strerror(ctypes.get_errno())), flush=True)
    os._exit(77)


def new_namespaces():
    uid, gid = os.getuid(), os.getgid()
    if libc.unshare(CLONE_NEWUSER | CLONE_NEWNS):
        refuse("unshare")
    for name, text in (("setgroups", "deny"), ("uid_map", "0 %d 1" % uid),
                       ("gid_map", "0 %d 1" % gid)):
        with open("/proc/self/" + name, "w") as file:
            file.write(text)


def mount(source, target, kind, options):
    if libc.mount(source.encode(), target.encode(), kind.encode(), 0, options.encode()):
        refuse("mount " + kind)


def attr(node, size):
    mode = stat.S_IFDIR | 0o755 if node == 1 else stat.S_IFREG | 0o755
    return struct.pack("<6Q10I", node, size, (size + 511) // 512, 0, 0, 0, 0, 0, 0, mode, 1, 0, 0,
                       0, 4096, 0)


def serve(device, content, silent):
    """One file called program. What asks for @silent gets no answer."""
    while True:
        try:
            request = os.read(device, 1 << 20)
        except OSError as err:
            if err.errno == errno.ENODEV:
                return
            continue
        _, op, unique, node = struct.unpack_from("<IIQQ", request)
        body, error, out = request[40:], 0, b""
        if op in (FORGET, BATCH_FORGET, INTERRUPT):
            continue
        if op == silent:
            print("blocked", flush=True)
            continue
        if op == INIT:
            major, minor = struct.unpack_from("<II", body)
            out = struct.pack("<IIIIHHIIHH8I", 7, min(minor, 31), 0, 0, 0, 0, 65536, 1, 0, 0,
                              *[0] * 8)
        elif op == LOOKUP:
            if body.rstrip(b"\0") == b"program":
                out = struct.pack("<4Q2I", 2, 0, 0, 0, 0, 0) + attr(2, len(content))
            else:
                error = errno.ENOENT
        elif op == GETATTR:
            out = struct.pack("<QII", 0, 0, 0) + attr(node, len(content) if node == 2 else 0)
        elif op in (OPEN, OPENDIR):
            out = struct.pack("<QII", 0, 0, 0)
        elif op == READ:
            _, offset, size = struct.unpack_from("<QQI", body)
            out = content[offset:offset + size]
        elif op == STATFS:
            out = struct.pack("<5Q4I", 0, 0, 0, 0, 0, 4096, 255, 4096, 0) + bytes(24)
        elif op not in (READDIR, RELEASE, RELEASEDIR, FLUSH, ACCESS, DESTROY):
            error = errno.ENOSYS
        os.write(device, struct.pack("<IiQ", 16 + len(out), -error, unique) + out)


def main():
    base, device_path, program = sys.argv[1:4]
    new_namespaces()
    with open(program, "rb") as file:
        content = file.read()
    for name in ("fuse", "other", "merged"):
        os.makedirs("%s/%s" % (base, name), exist_ok=True)
    device = os.open(device_path, os.O_RDWR)
    mount("slow", base + "/fuse", "fuse",
          "fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other" % device)
    server = os.fork()
    if not server:
        serve(device, content, OPEN)
        os._exit(0)
    mount("overlay", base + "/merged", "overlay", "lowerdir=%s/fuse:%s/other" % (base, base))
    print("mounted", flush=True)
    children = []
    for _ in sys.stdin:
        pid = os.fork()
        if not pid:
            os.close(device) # else the file system would outlive its server
            try:
                os.execv(base + "/merged/program", ["program"])
            except OSError:
                os._exit(1)
        children.append(pid)
    os.close(device)
    os.kill(server, 9) # the file system is gone with it: what waits for it fails
    for pid in [server, *children]:
        os.waitpid(pid, 0)


if __name__ == "__main__":
    main()
