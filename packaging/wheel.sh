#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# A wheel with the static binary and the pytest plugin: wheel.sh STATIC_BINARY INTO. Built by
# Python's own tools, without anything being downloaded.
set -eu -o pipefail

binary=$1 into=$2
here=$(cd "$(dirname "$0")/.." && pwd)
python=${PYTHON:-/usr/bin/python3}
"$python" -c 'import build, wheel' 2>/dev/null ||
	{ echo "wheel.sh: needs python3-build and python3-wheel for $python" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$into"
into=$(cd "$into" && pwd)
cp -r "$here/packaging/python/." "$work/"
cp "$here/VERSION" "$here/LICENSE" "$work/"
install -m 755 "$binary" "$work/pyimport-bpf"
strip "$work/pyimport-bpf"
(cd "$work" && "$python" -m build --wheel --no-isolation --outdir "$into" .) > "$into/build.log" 2>&1 ||
	{ tail -25 "$into/build.log" >&2; exit 1; }
ls "$into"/*.whl
