#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# A root like Alpine's: musl is its only libc, busybox its tools, and its Python was built with musl,
# from Debian's source. musl_root.sh DEBIAN INTO: the compilers go into the root DEBIAN.
set -eu -o pipefail

debian=$1 into=$2
# shellcheck disable=SC2016
unshare --mount --propagation private sh -c '
	mount -t proc proc "$0/proc" && mount --rbind /dev "$0/dev" && exec chroot "$0" /bin/bash -euc "$1"' \
	"$debian" '
	sed "s/^deb /deb-src /" /etc/apt/sources.list > /etc/apt/sources.list.d/source.list
	apt-get -q update
	apt-get -q install -y --no-install-recommends gcc libc6-dev musl musl-tools make xz-utils busybox-static
	mkdir -p /build
	cd /build
	apt-get -q source --download-only python3.13
	tar --strip-components=1 -xf python3.13_*.orig.tar.xz
	# Its triplet is that of glibc: none is better.
	printf "%s\n" "#!/bin/sh" "[ \"\$1\" != --print-multiarch ] || exit 1" "exec musl-gcc \"\$@\"" > /usr/local/bin/musl-cc
	chmod 755 /usr/local/bin/musl-cc
	./configure -q CC=musl-cc CFLAGS=-O1 --prefix=/usr --disable-test-modules --without-ensurepip
	make -s -j"$(nproc)" python sharedmods platform'
rm -rf --one-file-system "$into"
mkdir -p "$into"/{bin,lib,tmp,usr/bin,usr/local,usr/lib/python3.13/lib-dynload}
cp "$debian/bin/busybox" "$into/bin/"
for tool in sh cat grep sed; do ln -s busybox "$into/bin/$tool"; done
cp -L "$debian"/lib/ld-musl-*.so.1 "$into/lib/" # its libc, too
cp "$debian/build/python" "$into/usr/bin/python3"
tar -C "$debian/build/Lib" --exclude=./test --exclude=./idlelib --exclude=__pycache__ -c . |
	tar -C "$into/usr/lib/python3.13" -x
cp "$debian"/build/build/lib.*/*.so "$into/usr/lib/python3.13/lib-dynload/"
