#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# The root file system of the container tests' image, as a tar: Debian 12 with its Python. Made once
# under PYIMPORT_IMAGE (default /var/tmp/pyimport-image) and left alone when it exists.
set -eu -o pipefail

IMAGE=${PYIMPORT_IMAGE:-/var/tmp/pyimport-image}
MIRROR=${PYIMPORT_MIRROR:-http://deb.debian.org/debian}

[ "$(id -u)" = 0 ] || { echo "test_image.sh: needs root" >&2; exit 1; }
command -v mmdebstrap >/dev/null || { echo "test_image.sh: needs mmdebstrap" >&2; exit 1; }
mkdir -p "$IMAGE"
exec 9> "$IMAGE/.lock"
flock 9
[ ! -e "$IMAGE/rootfs.tar" ] || exit 0
echo "test_image.sh: making $IMAGE/rootfs.tar, once"
if ! mmdebstrap --quiet --variant=essential --include=python3 \
	--aptopt='Acquire::Check-Valid-Until "false"' --aptopt='Acquire::Retries "3"' \
	--aptopt='APT::Install-Recommends "false"' \
	bookworm "$IMAGE/.rootfs.$$.tar" "$MIRROR" > "$IMAGE/log" 2>&1; then
	echo "test_image.sh: failed, see $IMAGE/log:" >&2
	tail -5 "$IMAGE/log" >&2
	rm -f "$IMAGE/.rootfs.$$.tar"
	exit 1
fi
mv "$IMAGE/.rootfs.$$.tar" "$IMAGE/rootfs.tar"
