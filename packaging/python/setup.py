# SPDX-License-Identifier: BSD-2-Clause
"""What pyproject.toml cannot say: a native binary for bin/, and a tag for any Linux that runs it."""
import os

from setuptools import setup
from wheel.bdist_wheel import bdist_wheel


class StaticWheel(bdist_wheel):
    """A static binary needs no libc: both families of tags are true, for every Python 3."""

    def finalize_options(self):
        super().finalize_options()
        self.root_is_pure = False

    def get_tag(self):
        machine = os.uname().machine
        return "py3", "none", "manylinux_2_17_%s.manylinux2014_%s.musllinux_1_1_%s" % (
            machine, machine, machine)


with open("VERSION", encoding="utf-8") as version:
    setup(version=version.read().strip(), data_files=[("bin", ["pyimport-bpf"])],
          cmdclass={"bdist_wheel": StaticWheel})
