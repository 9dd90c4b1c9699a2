#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What the static binary was linked with, from the map that the linker left.
  sbom.py BINARY MAP          an SPDX 2.3 document
  sbom.py --built-using MAP   the same for a Debian package
Versions are those of the Debian packages that the archives came from."""
import hashlib
import json
import os
import re
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
LICENCES = { # of the parts that are linked, by Debian source package
    "capstone": "BSD-3-Clause", "elfutils": "GPL-2.0-or-later OR LGPL-3.0-or-later",
    "glibc": "LGPL-2.1-or-later", "jansson": "MIT", "libbpf": "LGPL-2.1-only OR BSD-2-Clause",
    "libcap-ng": "LGPL-2.1-or-later", "libdeflate": "MIT", "libmicrohttpd": "LGPL-2.1-or-later", "libxcrypt": "LGPL-2.1-or-later", "libyaml": "MIT", "libzstd": "BSD-3-Clause",
    "ncurses": "X11", "protobuf-c": "BSD-2-Clause", "sqlite3": "blessing", "zlib": "Zlib",
}


def output(*argv):
    return subprocess.run(argv, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def sha256(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def owner(archive):
    """(source package, version) that an archive of this system belongs to."""
    package = ""
    for path in (archive, os.path.realpath(archive), "/usr" + archive, archive.removeprefix("/usr")):
        found = subprocess.run(["dpkg-query", "-S", path], stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, text=True).stdout
        if found:
            package = found.split(": ")[0]
            break
    if not package:
        sys.exit("sbom.py: no package owns %s" % archive)
    return tuple(output("dpkg-query", "-W", "-f", "${source:Package} ${source:Version}", package).split())


def package(name, version, licence, **more):
    return {"SPDXID": "SPDXRef-" + re.sub(r"[^A-Za-z0-9.-]", "-", name), "name": name,
            "versionInfo": version, "downloadLocation": "NOASSERTION", "filesAnalyzed": False,
            "licenseConcluded": "NOASSERTION", "licenseDeclared": licence,
            "copyrightText": "NOASSERTION", **more}


def sources(map_path):
    """(source package, version) of every static library that something was taken from."""
    with open(map_path, encoding="utf-8") as file: # of ld at the start of a line, of lld and mold behind figures
        archives = {os.path.normpath(one) for one in re.findall(r"(/[^ ()\n]+\.a)\(", file.read())}
    found = sorted({owner(one) for one in archives if "/gcc/" not in one})
    if not found:
        sys.exit("sbom.py: no static library in %s" % map_path)
    return found


def main():
    if sys.argv[1] == "--built-using":
        print(", ".join("%s (= %s)" % one for one in sources(sys.argv[2])))
        return
    binary, map_path = sys.argv[1:]
    with open(HERE + "/../VERSION", encoding="utf-8") as file:
        version = file.read().strip()
    digest = sha256(binary)
    ours = package("pyimport-bpf", version, "BSD-2-Clause AND GPL-2.0-only",
                   checksums=[{"algorithm": "SHA256", "checksumValue": digest}])
    parts = []
    for source, its_version in sources(map_path):
        purl = "pkg:deb/debian/%s@%s" % (source, its_version.replace(":", "%3A").replace("+", "%2B"))
        parts.append(package(source, its_version, LICENCES.get(source, "NOASSERTION"), externalRefs=[
            {"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl",
             "referenceLocator": purl}]))
    when = int(os.environ.get("SOURCE_DATE_EPOCH", time.time()))
    relations = [("SPDXRef-DOCUMENT", "DESCRIBES", ours["SPDXID"])]
    relations += [(ours["SPDXID"], "STATIC_LINK", part["SPDXID"]) for part in parts]
    json.dump({
        "spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT",
        "name": "pyimport-bpf-" + version,
        "documentNamespace": "urn:sha256:" + digest,
        "creationInfo": {"created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(when)),
                         "creators": ["Tool: pyimport-bpf packaging/sbom.py"]},
        "packages": [ours, *parts],
        "relationships": [{"spdxElementId": a, "relationshipType": kind, "relatedSpdxElement": b}
                          for a, kind, b in relations],
    }, sys.stdout, indent=2)
    print()


if __name__ == "__main__":
    main()
