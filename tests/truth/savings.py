#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Are predicted savings real? For some import statements of real programs: what the finding says,
and by how much the start-up is shorter in a copy of the program without that line. Both are times of
traced runs, from the program's start to its last line. Takes a machine that does nothing else; what
depends on no clock is in tests/e2e/answers/test_advice.py.

usage: savings.py [ROUNDS]"""
import os
import statistics
import sys

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [TESTS, os.path.join(TESTS, "e2e", "answers")]

import lib  # noqa: E402
import test_advice as advice  # noqa: E402

ROUNDS = 10
SHARE_MAX, NS_MAX = 0.10, 5e6  # of what was measured; what differs less is no difference
# A processor of its own, as far as one can have it: what else runs here is no part of the question.
# Our reader is no real-time process: the ring must hold all of a run.
ALONE, OPTS = ["chrt", "-f", "10"], ["--ring", "64mb"]


class Timed:
    """All rounds of one program."""

    def __init__(self):
        self.took, self.imports, self.said = [], [], {}

    def add(self, argv, proof=None):
        took, process = advice.start_up(ALONE + argv, OPTS)
        self.took.append(took)
        self.imports.append(sum(lib.own_ns(i) for i in process.imports
                                if i["via"] != "main" and i["tid"] == process.pid))
        for place in proof.places if proof else ():
            self.said.setdefault(place, []).append(proof.finding(process, place)["saving_ns"])


def median_ms(values):
    return statistics.median(values) / 1e6


def measure(name, proof, rounds):
    """Rounds take turns, so that what changes with time changes all. Returns whether all is well."""
    before, after = Timed(), {place: Timed() for place in proof.places}
    for _ in range(rounds):
        before.add([proof.interp.exe, proof.base + "/main.py"], proof)
        for place in proof.places:
            after[place].add([proof.interp.exe, proof.copies[place] + "/main.py"])
    noise = statistics.median(before.took) / min(before.took) - 1
    print("%s: start-up %.1f ms, median of %d runs; the best was %.0f%% less" % (
        name, median_ms(before.took), rounds, 100 * noise))
    print("  predicted   measured  of it imports  difference  verdict  statement")
    good = True
    for place in proof.places:
        said = median_ms(before.said[place])
        # Each run against its neighbour in time.
        did = median_ms([b - a for b, a in zip(before.took, after[place].took)])
        imports = median_ms([b - a for b, a in zip(before.imports, after[place].imports)])
        real = abs(said - did) <= max(SHARE_MAX * did, NS_MAX / 1e6)
        good &= real
        print("%8.1f ms %7.1f ms %11.1f ms %10.1f%%  %-7s  %s:%d" % (
            said, did, imports, 100 * (said - did) / did if did else 0, "real" if real else "OFF",
            os.path.relpath(place[0], proof.base), place[1]), flush=True)
    return good


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    lib.needs_command("chrt")
    programs = {"eager": advice.eager_proof, "django": advice.django_proof}
    good = True
    for name, make in programs.items():
        os.environ["PYIMPORT_TEST_DIR"] = ""
        good &= measure(name, make(), rounds)
    sys.exit(not good)


if __name__ == "__main__":
    main()
