#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Other kernels of Debian, under qemu: tests/vm/check.py inside says what must hold. The rest of
tests/vm/kernels, and arm64, are for `make check-vm`."""
import os
import subprocess

import lib

SCRIPT = os.path.join(lib.REPO, "scripts/run_vm.sh")


@lib.test({name: name for name in ("5.10", "6.1", "6.12")}, timeout_s=600)
def test_kernel(name):
    lib.needs_command("qemu-system-x86_64")
    done = subprocess.run([SCRIPT, name], env={**os.environ, "PYIMPORT_BPF": lib.TOOL},
                          stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8",
                          errors="replace", check=False)
    if done.returncode == 2:
        raise lib.Skip(done.stderr.strip()[-300:])
    lib.check_equal(done.returncode, 0, "status of the guest, which says\n" + done.stdout[-6000:] +
                    done.stderr[-2000:])
    lib.check("\nok    " in done.stdout, "nothing was checked: %s", done.stdout)


if __name__ == "__main__":
    lib.main()
