#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""CPython's own tests of importing and threading: the same results traced (-a in the background)
and untraced, test by test."""
import os
import xml.etree.ElementTree

import lib

SUITES = ["test_import", "test_importlib", "test_threading"]


def results(python, label):
    """{test: outcome} of one run of the suites."""
    report = "%s/junit-%s.xml" % (lib.workdir(), label)
    tmp = "%s/tmp-%s" % (lib.workdir(), label)
    os.makedirs(tmp)
    lib.run([python, "-m", "test", "--junit-xml", report, "--timeout", "300", *SUITES],
            env={"TMPDIR": tmp, "PYTHONDONTWRITEBYTECODE": None, "PYTHONHASHSEED": None}, cwd=tmp)
    found = {}
    for case in xml.etree.ElementTree.parse(report).iter("testcase"):
        outcome = [child.tag for child in case if child.tag in ("failure", "error", "skipped")]
        found[case.get("name")] = ",".join(outcome) or case.get("result") or "passed"
    lib.check(len(found) > 300, "only %d tests ran", len(found))
    return found


def differing(one, two):
    return {t for t in one.keys() | two.keys() if one.get(t) != two.get(t)}


@lib.test(timeout_s=1200, exclusive=True)
def test_cpython_suite():
    lib.settings.PATIENCE_S = 600
    python = os.path.realpath(lib.system().exe)
    have = lib.run([python, "-c", "import test.test_importlib, test.libregrtest"])
    if have.rc:
        raise lib.Skip("the test suite of %s is not installed" % python)
    plain = results(python, "plain")
    with lib.Tracer("-a") as tracer:
        traced = results(python, "traced")
        tracer.stop()
    lib.check_equal(tracer.rc, 0, "status of the tool")
    doc = tracer.trace()
    lib.check(any("test.test_importlib" in p.names() for p in doc.processes), "the suites were not traced")
    print("%d tests, %d processes traced, losses: %s" % (
        len(plain), len(doc.processes), lib.losses(doc.doc)))
    differ = differing(plain, traced)
    if differ:
        # Only a test that differs between two untraced runs, too, is excused.
        flaky = differing(plain, results(python, "again"))
        print("differ between two untraced runs: %s" % sorted(flaky))
        differ -= flaky
    lib.check(not differ, "results differ when traced: %s",
              {t: (plain.get(t), traced.get(t)) for t in sorted(differ)[:20]})


if __name__ == "__main__":
    lib.main()
