#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Builds the Debian package from what git tracks: deb.sh INTO. packaging/debian becomes debian/ in a
# copy of the tree, since the project's own top level has no such folder.
set -eu -o pipefail

into=$1
here=$(cd "$(dirname "$0")/.." && pwd)
version=$(cat "$here/VERSION")
mkdir -p "$into"
into=$(cd "$into" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
source=$work/pyimport-bpf-$version

mkdir "$source"
(cd "$here" && git ls-files -z | tar --null -T - -c) | tar -C "$source" -x
cp -r "$here/packaging/debian" "$source/debian"
when=${SOURCE_DATE_EPOCH:-$(git -C "$here" log -1 --format=%ct)}
cat > "$source/debian/changelog" <<END
pyimport-bpf ($version-1) unstable; urgency=medium

  * See /usr/share/doc/pyimport-bpf/changelog.gz.

 -- $(sed -n 's/^Maintainer: //p' "$here/packaging/debian/control")  $(date -u -R -d "@$when")
END
# -d: the libraries may come from elsewhere than packages; configure-less builds fail by themselves.
(cd "$source" && DEB_BUILD_OPTIONS=nocheck dpkg-buildpackage -d -b -us -uc) > "$into/build.log" 2>&1 ||
	{ tail -25 "$into/build.log" >&2; exit 1; }
cp "$work"/pyimport-bpf_*.deb "$into/"
ls "$into"/pyimport-bpf_*.deb
