# SPDX-License-Identifier: BSD-2-Clause
"""The table of the README: hits and time in BPF of each profile, counted by the kernel, beside the
ratios of paired runs, also of what else one would use."""
import os
import re
import shutil
import subprocess

import lib

CODE = "import pandas"
PROFILES = ("full", "standard", "loads")
RUNS = 3 # programs of the whole host are counted: the least is nearest to the target's own


def own_copy(python):
    """A file that no other program runs."""
    path = os.path.join(lib.workdir(), "python-of-its-own")
    shutil.copy(python, path)
    return path


def stats(python, profile):
    """(hits of probes, ms in BPF of them, ms in all our programs)"""
    env = lib.clean_env({"PYTHONHOME": "/usr"})
    out = subprocess.run([lib.TOOL, "--profile", profile, "--stats", "--", python, "-B", "-c", CODE],
                         stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=env, check=True)
    text = out.stderr.decode()
    hits = re.search(r"stats: (\d+) probe hits", text)
    site = re.search(r"stats: site_\w+: \d+ runs, ([\d.]+) ms", text)
    every = re.search(r"stats: ([\d.]+) ms in BPF", text)
    return tuple(float(found[1]) if found else float("nan") for found in (hits, site, every))


def bench(python, row):
    """Rows that are counted, not timed."""
    own = own_copy(python)
    for profile in PROFILES:
        runs = [stats(own, profile) for _ in range(RUNS)]
        hits, site, every = (min(values) for values in zip(*runs))
        row("%s: hits of probes" % profile, "%d" % hits, "", "<= %d" % (
            10500 if profile == "full" else 3600))
        row("%s: ms in BPF, of hits / of all" % profile, "%.1f / %.1f" % (site, every),
            "of all: bystanders included", "<= %d" % (6 if profile == "loads" else 20))
