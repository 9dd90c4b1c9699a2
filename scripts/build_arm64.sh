#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Builds pyimport-bpf for arm64 on a machine of another kind, into .output/arm64: with clang, lld and
# the libraries of Debian 12's arm64, which are unpacked, not installed.
# Arguments go to make.
set -eu -o pipefail

here=$(cd "$(dirname "$0")/.." && pwd)
CACHE=${PYIMPORT_VM:-/var/tmp/pyimport-vm}
TRIPLET=aarch64-linux-gnu
DEV=(libc6-dev libgcc-12-dev linux-libc-dev libbpf-dev libelf-dev zlib1g-dev libcapstone-dev
	libjansson-dev libmicrohttpd-dev libcurl4-openssl-dev libprotobuf-c-dev libcap-ng-dev libyaml-dev libncurses-dev libsqlite3-dev libdeflate-dev libzstd-dev uthash-dev)
arch=arm64
suite=bookworm
root=$CACHE/$suite-$arch/dev-$(cksum <<< "${DEV[*]}" | cut -d ' ' -f 1)

die() {
	echo "build_arm64.sh: $*" >&2
	exit 2
}

# shellcheck source=tests/vm/guest_packages.sh
. "$here/tests/vm/guest_packages.sh"
for word in clang ld.lld; do
	command -v $word >/dev/null || die "no $word here (apt-get install clang lld)"
done

dev_ready() {
	[ ! -e "$root" ] || return 0
	apt_ready
	rm -rf "$CACHE/dev.tmp"
	mkdir "$CACHE/dev.tmp"
	# shellcheck disable=SC2046
	unpack "$CACHE/dev.tmp" $(with_needs "${DEV[@]}")
	mv "$CACHE/dev.tmp" "$root"
}

mkdir -p "$CACHE"
exec 9> "$CACHE/lock" # one at a time: they share the cache
flock 9
dev_ready
flock -u 9
export PKG_CONFIG_SYSROOT_DIR=$root
export PKG_CONFIG_LIBDIR=$root/usr/lib/$TRIPLET/pkgconfig:$root/usr/share/pkgconfig
exec make -C "$here" --no-print-directory ARCH=arm64 O=.output/arm64 BIN=.output/arm64/pyimport-bpf \
	CC="clang --target=$TRIPLET --sysroot=$root" LDFLAGS=-fuse-ld=lld "$@"
