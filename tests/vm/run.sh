#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Boots a Debian kernel under qemu (no KVM, no disk, nothing installed) with Debian's Python and
# our build, runs tests/vm/check.py in it, and exits with its status.
#   run.sh KERNEL     a name of tests/vm/kernels
#   run.sh --list     the names that a build exists for
# Kernels and the guest's packages are kept under PYIMPORT_VM (default /var/tmp/pyimport-vm) and
# fetched once; `rm -r` it for newer ones. The binary under test is PYIMPORT_BPF (default: ours).
# Status 2: it could not be tried here, for the reason that is printed.
set -eu -o pipefail

here=$(cd "$(dirname "$0")/../.." && pwd)
CACHE=${PYIMPORT_VM:-/var/tmp/pyimport-vm}
ARM64_BIN=${PYIMPORT_BPF_ARM64:-$here/.output/arm64/pyimport-bpf}
TIMEOUT_S=${PYIMPORT_VM_TIMEOUT:-180}

die() {
	echo "run.sh: $*" >&2
	exit 2
}

listed() {
	grep -vE '^(#|$)' "$here/tests/vm/kernels"
}

[ $# = 1 ] || die "one kernel, of: $(listed | awk '{ printf "%s ", $1 }')"
if [ "$1" = --list ]; then
	listed | while read -r name arch _; do
		[ "$arch" = arm64 ] && [ ! -x "$ARM64_BIN" ] || echo "$name"
	done
	exit 0
fi
read -r name arch verdict pattern < <(listed | awk -v name="$1" '$1 == name') ||
	die "no kernel $1; there are: $(listed | awk '{ printf "%s ", $1 }')"
case $arch in
amd64) qemu='qemu-system-x86_64' ;;
arm64) qemu='qemu-system-aarch64' ;;
*) die "$name: no way to boot $arch" ;;
esac
for word in "$qemu" apt-get dpkg-deb cpio flock; do
	command -v "$word" >/dev/null ||
		die "no $word here (apt-get install qemu-system-x86 qemu-system-arm cpio)"
done
mkdir -p "$CACHE"

# The guest has, beside busybox, Python and the libraries the tool was linked with: those of this
# machine's Debian, of Debian 12 for arm64 (build_arm64.sh).
# shellcheck disable=SC1091
suite=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
[ "$arch" = amd64 ] || suite=bookworm
GUEST=(python3 libbpf1 libjansson4 libmicrohttpd12 libprotobuf-c1 libcap-ng0 zlib1g libdeflate0 libzstd1 libyaml-0-2 libsqlite3-0 libncurses6
	libtinfo6)
case $suite in
bookworm) GUEST+=(libelf1 libdw1 libcapstone4) ;;
trixie) GUEST+=(libelf1t64 libdw1t64 libcapstone5) ;;
*) die "no guest is known for '$suite', only for Debian 12 and 13" ;;
esac
# shellcheck source=tests/vm/guest_packages.sh
. "$here/tests/vm/guest_packages.sh"
ROOT=$STATE/root-$(cksum <<< "${GUEST[*]}" | cut -d ' ' -f 1).gz
exec 9> "$CACHE/lock" # one at a time: they share the cache, and the machine's processors
flock 9

kernel_ready() {
	local package file
	[ ! -e "$CACHE/kernel-$name" ] || return 0
	apt_ready
	package=$(apt-cache "${APT[@]}" pkgnames linux- | grep -xE "$pattern" | sort -V | tail -1)
	[ -n "$package" ] || die "no package like $pattern today"
	rm -rf "$CACHE/kernel.tmp"
	mkdir "$CACHE/kernel.tmp"
	unpack "$CACHE/kernel.tmp" "$package" # no modules: sid has them in another
	file=$(find "$CACHE/kernel.tmp" -name 'vmlinu[xz]*' -size +1M | head -1)
	[ -n "$file" ] || die "$package holds no kernel"
	mv "$file" "$CACHE/kernel-$name"
	rm -r "$CACHE/kernel.tmp"
}

pack() {
	(cd "$1" && find . -print0 | cpio -0 -o -H newc --quiet --owner=0:0) | gzip -1
}

# The part of the guest that does not change: packages, unpacked and not set up.
root_ready() {
	local root="$CACHE/root.tmp" applet dir
	[ ! -e "$ROOT" ] || return 0
	apt_ready
	rm -rf "$root"
	mkdir -p "$root"/{dev,proc,sys,tmp,run,root,etc,var/tmp}
	if [ "$suite" != bookworm ]; then # from then on base-files has these
		for dir in bin sbin lib lib64; do
			mkdir -p "$root/usr/$dir"
			ln -s "usr/$dir" "$root/$dir"
		done
	fi
	# shellcheck disable=SC2046
	unpack "$root" $(with_needs "${GUEST[@]}") busybox-static
	rm -rf "$root"/usr/share/{doc,locale,man,i18n,zoneinfo,perl*} "$root"/usr/lib/*/{gconv,perl*}
	mkdir -p "$root/usr/local/bin"
	for applet in sh mount cat dmesg ls sleep mkdir ps kill; do
		[ -e "$root/bin/$applet" ] || ln -s busybox "$root/bin/$applet"
	done
	echo 'root:x:0:0::/root:/bin/sh' > "$root/etc/passwd"
	pack "$root" > "$ROOT.tmp"
	mv "$ROOT.tmp" "$ROOT"
	rm -r "$root"
}

# Our part: appended as a second archive, which the kernel unpacks over the first.
payload() {
	local dir=$1 loader=$here/.output/vm/load
	[ "$arch" = amd64 ] || loader=$here/.output/$arch/vm/load
	mkdir -p "$dir/payload"
	cp "$here/tests/vm/check.py" "$dir/payload/"
	install -m 755 "$here/tests/vm/init" "$dir/init"
	install -m 755 "$tool" "$dir/payload/pyimport-bpf"
	[ ! -e "$loader" ] || install -m 755 "$loader" "$dir/payload/load"
	echo "$verdict" > "$dir/payload/verdict"
}

tool=${PYIMPORT_BPF:-$here/pyimport-bpf}
[ "$arch" = amd64 ] || tool=$ARM64_BIN
[ -x "$tool" ] || die "no $tool; build it first"
kernel_ready
root_ready
work=$(mktemp -d "$CACHE/boot.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir "$work/tree"
payload "$work/tree"
{ cat "$ROOT"; pack "$work/tree"; } > "$work/initrd"

common='panic=-1 quiet mitigations=off nokaslr rdinit=/init'
case $arch in
amd64) machine=(-cpu max) console=ttyS0 ;;
arm64) machine=(-M virt -cpu cortex-a57) console=ttyAMA0 ;;
esac
status=0
timeout "$TIMEOUT_S" "$qemu" -accel tcg "${machine[@]}" -smp 1 -m 1024 -nographic -no-reboot \
	-nodefaults -serial stdio -kernel "$CACHE/kernel-$name" -initrd "$work/initrd" \
	-append "console=$console $common" < /dev/null 2>&1 | tr -d '\r' > "$work/log" || status=$?
sed -n 's/.*vm: begin/vm: begin/; /^vm: begin/,$p' "$work/log" | grep -av '^\[ *[0-9.]*\] ' || true
result=$(sed -n 's/^vm: status \([0-9]*\)$/\1/p' "$work/log" | tail -1)
if [ -z "$result" ]; then
	tail -40 "$work/log" >&2
	[ "$status" != 124 ] || echo "run.sh: $name: nothing after $TIMEOUT_S s" >&2
	echo "run.sh: $name: the guest said no result" >&2
	exit 1
fi
exit "$result"
