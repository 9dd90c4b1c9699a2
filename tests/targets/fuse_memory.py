# SPDX-License-Identifier: BSD-2-Clause
"""A Python whose sys.modules lies in a file of a FUSE file system that does not answer. It is mounted
as fusermount does; in a user namespace of his own a user could not: the kernel lets root read no memory
there, as it has no number for him.
python3 fuse_memory.py DIR DEVICE: says "mounted"; at a line of stdin puts it there and says
"ready"; its server says "blocked" when somebody reads it; at the next line it is put back, and that is
"unharmed". Status 77: no FUSE."""
import ctypes
import mmap
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/../slow_fuse")
import slow_fuse  # noqa: E402

SIZE = 1 << 16


def main():
    base, device_path = sys.argv[1:3]
    keys = ctypes.c_uint64.from_address(id(sys.modules) + 32) # ma_keys, up to 3.14
    os.makedirs(base + "/memory", exist_ok=True)
    device = os.open(device_path, os.O_RDWR)
    slow_fuse.mount("slow", base + "/memory", "fuse",
                    "fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other" % device)
    server = os.fork()
    if not server:
        slow_fuse.serve(device, bytes(SIZE), slow_fuse.READ)
        os._exit(0)
    os.close(device)
    slow_fuse.libc.mmap.restype = ctypes.c_uint64
    slow_fuse.libc.mmap.argtypes = [ctypes.c_uint64, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
    file = os.open(base + "/memory/program", os.O_RDONLY)
    there = slow_fuse.libc.mmap(0, SIZE, mmap.PROT_READ, mmap.MAP_PRIVATE, file, 0)
    here, write, read = keys.value, os.write, os.read
    write(1, b"mounted\n")
    read(0, 64)
    import os as seen # traced: under -a the first sign of a process that ran before
    keys.value = there
    write(1, b"ready\n")
    read(0, 64)
    keys.value = here
    os.kill(server, 9)
    os.waitpid(server, 0)
    print("unharmed", flush=True)
    del seen


if __name__ == "__main__":
    main()
