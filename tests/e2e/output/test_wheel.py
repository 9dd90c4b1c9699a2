#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The wheel: installed by pip into a venv, its binary traces and its pytest plugin judges. What
packages say of themselves: tags, versions, what they were built from."""
import base64
import csv
import glob
import hashlib
import json
import os
import re
import shutil
import subprocess
import zipfile

import lib
from lib import action

SUITE = '''
import pytest


def test_within(import_budget):
    run = import_budget(["python", "cli.py"], forbid=["wh_heavy.sub", "wh_nothere"], modules=500,
                        time="60 s")
    assert "wh_heavy" in run.modules and run.how == HOW, run.how


def test_forbidden(import_budget):
    import_budget(["python", "cli.py"], forbid=["wh_heavy"])


def test_not_allowed(import_budget):
    import_budget(["python", "cli.py"], allow=["wh_lib"])


def test_too_many(import_budget):
    import_budget(["python", "cli.py"], modules=3)


def test_too_slow(import_budget):
    import_budget(["python", "cli.py"], time="+100 ms")


@pytest.mark.import_budget(["python", "cli.py"], forbid="wh_lib")
def test_marked():
    pass


@pytest.mark.import_budget(["python", "cli.py"], forbid="wh_nothere")
def test_marked_within():
    pass
'''


def run(*argv, **more):
    return subprocess.run(argv, capture_output=True, text=True, stdin=subprocess.DEVNULL, **more)


def built_wheel(*modules):
    lib.needs_command("make", "cc")
    for module in ("build", "wheel", *modules):
        if run(lib.SYSTEM, "-c", "import " + module).returncode:
            lib.skip("no Python module %s for %s" % (module, lib.SYSTEM))
    made = run("make", "-C", lib.REPO, "--no-print-directory", "wheel")
    lib.check_equal(made.returncode, 0, "make wheel, %s" % made.stderr[-2000:])
    wheel, = glob.glob(lib.REPO + "/.output/wheel/*.whl")
    return wheel


def empty_venv():
    path = lib.workdir() + "/venv"
    made = run(lib.SYSTEM, "-m", "venv", "--system-site-packages", path)
    lib.check_equal(made.returncode, 0, made.stderr)
    return path


def venv_with_wheel():
    wheel, path = built_wheel("pytest", "venv", "ensurepip"), empty_venv()
    made = run(path + "/bin/pip", "install", "--no-index", "--no-deps", wheel)
    lib.check_equal(made.returncode, 0, made.stderr)
    return path


def program(how):
    lib.write("wh_heavy.py", "import time\ntime.sleep(0.2)\n")
    lib.write("wh_lib.py", "import json\nimport wh_heavy\n")
    lib.write("cli.py", "import wh_lib\n")
    lib.write("test_budget.py", SUITE.replace("HOW", repr(how)))


def verdicts(venv, **more):
    done = run(venv + "/bin/python", "-m", "pytest", "-q", "-rA", "-p", "no:cacheprovider",
               "test_budget.py", cwd=lib.workdir(), **more)
    found = {}
    for line in done.stdout.splitlines():
        word, _, rest = line.partition(" test_budget.py::")
        if word in ("PASSED", "FAILED", "ERROR"):
            found[rest.split(" ")[0]] = word
    return found, done.stdout + done.stderr


def check_verdicts(found, text):
    lib.check_equal(found, {
        "test_within": "PASSED", "test_forbidden": "FAILED", "test_not_allowed": "FAILED",
        "test_too_many": "FAILED", "test_too_slow": "FAILED", "test_marked": "ERROR",
        "test_marked_within": "PASSED"}, "verdicts, %s" % text)
    lib.check("wh_heavy is forbidden, and was loaded:" in text, "%s", text)
    lib.check("wh_heavy is not among what is allowed:" in text, "%s", text)


@lib.test(timeout_s=400)
def test_wheel():
    venv = venv_with_wheel()
    done = run(venv + "/bin/pyimport-bpf", "--version")
    lib.check(done.stdout.startswith("pyimport-bpf "), "%r", done)
    done = run(venv + "/bin/python", "-m", "pyimport_bpf", "--version")
    lib.check(done.stdout.startswith("pyimport-bpf "), "%r", done)

    # As root it traces, and a broken limit names the statement.
    program("traced")
    found, text = verdicts(venv)
    check_verdicts(found, text)
    lib.check("wh_lib.py:2  wh_heavy" in text, "no place in %s", text)
    lib.check("cli.py:1" in text, "no chain in %s", text)

    # As nobody it reads a log of -X importtime, and says so.
    program("-X importtime")
    os.chmod(lib.workdir(), 0o777)
    found, text = verdicts(venv, user="nobody", env=dict(os.environ, HOME="/nonexistent"))
    check_verdicts(found, text)
    lib.check("measured by -X importtime (not traced: " in text, "%s", text)


@lib.test(timeout_s=400)
def test_action_installs():
    """The action takes a wheel, or the tarball of a release when its sum is right."""
    wheel, path = built_wheel("venv", "ensurepip"), empty_venv() + "/bin:/usr/bin:/bin"
    made = run(lib.REPO + "/packaging/dist.sh", lib.REPO + "/.output/static/pyimport-bpf", lib.workdir())
    lib.check_equal(made.returncode, 0, made.stderr)
    tarball = made.stdout.split()[-1]
    with open(tarball, "rb") as file:
        digest = hashlib.sha256(file.read()).hexdigest()
    install = action.step("Install")
    for name, package, sha256, status in (("wheel", wheel, "", 0), ("url", "file://" + tarball, digest, 0),
                                          ("tarball", tarball, digest, 0), ("other", tarball, "0" * 64, 1),
                                          ("cut", lib.write("cut.tar.gz", "no tarball"), "", 1)):
        where = lib.workdir() + "/" + name
        os.mkdir(where)
        inputs = action.with_defaults({"package": package, "sha256": sha256})
        done = action.run_step(install, inputs, where, path)
        lib.check_equal(done.returncode, status, "%s: %s" % (name, done))
        if status:
            lib.check_equal(done.stdout.count("::error title=pyimport-bpf::"), 1, done)
            continue
        with open(where + "/path", encoding="utf-8") as file:
            found = shutil.which("pyimport-bpf", path=":".join(file.read().split("\n")))
        said = run(found, "--version").stdout
        lib.check(found.startswith(where) and said in done.stdout, "%s: %s", found, done)


def fields(text):
    return [tuple(line.split(": ", 1)) for line in text.splitlines() if ": " in line]


@lib.test(timeout_s=400)
def test_metadata():
    """The tags are true: the binary needs no libc of any kind. Versions agree, and hashes are right."""
    wheel = built_wheel()
    with open(lib.REPO + "/VERSION", encoding="ascii") as file:
        version = file.read().strip()
    name, its_version, *tags = os.path.basename(wheel).removesuffix(".whl").split("-")
    lib.check_equal((name, its_version), ("pyimport_bpf", version), "file name")
    with zipfile.ZipFile(wheel) as archive:
        info = "pyimport_bpf-%s.dist-info/" % version
        of_wheel = fields(archive.read(info + "WHEEL").decode())
        lib.check(("Version", version) in fields(archive.read(info + "METADATA").decode()), "its version")
        lib.check_equal(sorted(value for key, value in of_wheel if key == "Tag"),
                        sorted("%s-%s-%s" % (tags[0], tags[1], one) for one in tags[2].split(".")), "tags")
        machine = os.uname().machine
        lib.check({"manylinux_2_17_" + machine, "musllinux_1_1_" + machine} <= set(tags[2].split(".")), "%s", tags)
        binary, = [one for one in archive.namelist() if one.endswith("/bin/pyimport-bpf")]
        with open(lib.workdir() + "/binary", "wb") as file:
            file.write(archive.read(binary))
        lib.check(archive.getinfo(binary).external_attr >> 16 & 0o111, "not executable")
        for row in csv.reader(archive.read(info + "RECORD").decode().splitlines()):
            if row[1]:
                digest = base64.urlsafe_b64encode(hashlib.sha256(archive.read(row[0])).digest())
                lib.check_equal(row[1], "sha256=" + digest.decode().rstrip("="), row[0])
    shown = run("readelf", "-lhW", lib.workdir() + "/binary").stdout
    lib.check("LOAD" in shown and "INTERP" not in shown and "DYNAMIC" not in shown, "%s", shown)
    os.chmod(lib.workdir() + "/binary", 0o755)
    said = run(lib.workdir() + "/binary", "--version").stdout
    lib.check(said.startswith("pyimport-bpf %s " % version), "%s", said)


@lib.test()
def test_needs():
    """What the Debian package builds with is what scripts/deps.sh installs and make links."""
    with open(lib.REPO + "/packaging/debian/control", encoding="utf-8") as file:
        control = file.read()
    with open(lib.REPO + "/scripts/deps.sh", encoding="utf-8") as file:
        deps = file.read()
    wanted = re.search(r"^Build-Depends:(.*?)^(?=\S)", control, re.M | re.S).group(1)
    wanted = {one for one in re.findall(r"[a-z0-9.+-]+-dev\b", wanted)}
    installed = " ".join(re.findall(r"^(?:fresh|packages)\+?=\((.*?)\)", deps, re.M | re.S)[:2])
    installed = set(re.findall(r"[a-z0-9.+-]+-dev\b", installed)) - {"linux-libc-dev", "libc6-dev"}
    lib.check_equal(wanted, installed, "libraries")
    licences = run(lib.SYSTEM, "-c", "import sys; sys.path.insert(0, sys.argv[1]); import sbom; "
                   "print(*sbom.LICENCES)", lib.REPO + "/packaging").stdout.split()
    lib.check({"glibc", "libbpf", "elfutils"} <= set(licences), "%s", licences)


@lib.test(timeout_s=400)
def test_sbom():
    """The bill names each package that owns a library in the binary, once, with version and licence."""
    lib.needs_command("make", "cc", "dpkg-query")
    binary = lib.REPO + "/.output/static/pyimport-bpf"
    made = run("make", "-C", lib.REPO, "--no-print-directory", "static")
    lib.check_equal(made.returncode, 0, made.stderr[-2000:])
    done = run(lib.REPO + "/packaging/sbom.py", binary, binary + ".map")
    lib.check_equal(done.returncode, 0, done.stderr)
    doc = json.loads(done.stdout)
    lib.check_equal((doc["spdxVersion"], doc["SPDXID"]), ("SPDX-2.3", "SPDXRef-DOCUMENT"), "kind")
    # What the schema of SPDX 2.3 requires of each object that we write.
    for objects, keys in (
            ([doc], "SPDXID creationInfo dataLicense documentNamespace name spdxVersion"),
            ([doc["creationInfo"]], "created creators"),
            (doc["packages"], "SPDXID downloadLocation name"),
            (doc["relationships"], "spdxElementId relatedSpdxElement relationshipType"),
            ([ref for one in doc["packages"] for ref in one.get("externalRefs", [])],
             "referenceCategory referenceLocator referenceType")):
        lib.check(objects and all(set(keys.split()) <= set(one) for one in objects), "%s", objects)
    lib.check(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", doc["creationInfo"]["created"]), "when")
    parts = {one["name"]: one for one in doc["packages"]}
    lib.check_equal(len(parts), len(doc["packages"]), "a name twice")
    for word in ("glibc", "libbpf", "elfutils", "zlib", "capstone", "jansson", "libcap-ng", "libyaml",
                 "ncurses", "sqlite3", "libdeflate", "libzstd",
                 "libmicrohttpd"):
        lib.check(word in parts, "%s is missing: %s", word, sorted(parts))
    for one in parts.values():
        lib.check(one["versionInfo"] and one["licenseDeclared"] != "NOASSERTION", "%s", one)
        lib.check(re.fullmatch(r"SPDXRef-[A-Za-z0-9.-]+", one["SPDXID"]), "%s", one)
    known = {one["SPDXID"] for one in parts.values()} | {"SPDXRef-DOCUMENT"}
    links = [(one["spdxElementId"], one["relatedSpdxElement"]) for one in doc["relationships"]]
    lib.check({end for link in links for end in link} == known, "%s", links)
    with open(binary, "rb") as file:
        digest = hashlib.sha256(file.read()).hexdigest()
    lib.check_equal(parts["pyimport-bpf"]["checksums"], [{"algorithm": "SHA256", "checksumValue": digest}],
                    "of what")


if __name__ == "__main__":
    lib.main()
