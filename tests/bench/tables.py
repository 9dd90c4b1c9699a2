# SPDX-License-Identifier: BSD-2-Clause
"""How many entries of a process's BPF maps are in use, by bpf(2): for soak.py."""
import ctypes
import errno
import os
import platform
import struct

NR_BPF = {"x86_64": 321, "aarch64": 280}[platform.machine()]
MAP_GET_FD_BY_ID, OBJ_GET_INFO_BY_FD, MAP_LOOKUP_BATCH = 14, 15, 24
HASH, ARRAY, LRU_HASH = 1, 2, 9
BATCH = 4096

libc = ctypes.CDLL(None, use_errno=True)


def bpf(command, attr):
    """The result, or -errno; @attr is changed."""
    got = libc.syscall(NR_BPF, command, attr, len(attr))
    return got if got >= 0 else -ctypes.get_errno()


def map_info(fd):
    """(type, key size, value size, entries, name)"""
    info = ctypes.create_string_buffer(88)
    attr = ctypes.create_string_buffer(struct.pack("<IIQ", fd, len(info), ctypes.addressof(info)), 128)
    if bpf(OBJ_GET_INFO_BY_FD, attr) < 0:
        return None
    kind, _, key, value, entries, _ = struct.unpack_from("<6I", info)
    return kind, key, value, entries, info.raw[24:40].split(b"\0")[0].decode()


def used(fd, kind, key, value):
    """Entries of a hash; of an array those that do not begin with eight zero bytes: slots in use."""
    keys, values = ctypes.create_string_buffer(BATCH * key), ctypes.create_string_buffer(BATCH * value)
    at, found, begin = ctypes.create_string_buffer(max(key, 4)), 0, 0
    while True:
        attr = ctypes.create_string_buffer(struct.pack(
            "<QQQQIIQQ", begin, ctypes.addressof(at), ctypes.addressof(keys), ctypes.addressof(values),
            BATCH, fd, 0, 0), 128)
        got = bpf(MAP_LOOKUP_BATCH, attr)
        if got < 0 and got != -errno.ENOENT:
            return None
        count = struct.unpack_from("<I", attr, 32)[0]
        begin = ctypes.addressof(at)
        if kind == ARRAY:
            found += sum(values.raw[i * value:i * value + 8] != bytes(8) for i in range(count))
        else:
            found += count
        if got:
            return found


def of_process(pid, names):
    """{name: entries in use} of those of its maps that are so called; None: cannot be told."""
    found = dict.fromkeys(names)
    for number in os.listdir("/proc/%d/fdinfo" % pid):
        try:
            with open("/proc/%d/fdinfo/%s" % (pid, number), encoding="ascii", errors="replace") as file:
                ids = [int(line.split()[1]) for line in file if line.startswith("map_id")]
        except FileNotFoundError: # closed meanwhile: not one of a map
            continue
        for map_id in ids:
            fd = bpf(MAP_GET_FD_BY_ID, ctypes.create_string_buffer(struct.pack("<I", map_id), 128))
            if fd < 0:
                continue
            info = map_info(fd)
            if info and info[4] in found and info[0] in (HASH, ARRAY, LRU_HASH):
                found[info[4]] = used(fd, *info[:3])
            os.close(fd)
    return found
