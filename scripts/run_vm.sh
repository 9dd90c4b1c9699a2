#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Boots a Debian kernel under qemu (no KVM, no disk, nothing installed) with Debian's Python and
# our build, runs tests/vm/check.py in it, and exits with its status.
#   run_vm.sh KERNEL     a name of tests/vm/kernels
#   run_vm.sh --list     the names that a build exists for
# Kernels and the guest's packages are kept under PYIMPORT_VM (default /var/tmp/pyimport-vm) and
# fetched once; `rm -r` it for newer ones. The binary under test is PYIMPORT_BPF (default: ours).
set -eu -o pipefail

here=$(cd "$(dirname "$0")/.." && pwd)
CACHE=${PYIMPORT_VM:-/var/tmp/pyimport-vm}
MIRROR=${PYIMPORT_MIRROR:-http://deb.debian.org/debian}
SECURITY=${PYIMPORT_SECURITY_MIRROR:-http://deb.debian.org/debian-security}
ARM64_BIN=${PYIMPORT_BPF_ARM64:-$here/.output/arm64/pyimport-bpf}
TIMEOUT_S=${PYIMPORT_VM_TIMEOUT:-180}
KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg
# What the guest has beside busybox. The libraries are those of the tool's build on Debian 12.
GUEST=(python3 libbpf1 libelf1 libdw1 libjansson4 libcapstone4 libcap-ng0 zlib1g libdeflate0 libyaml-0-2
	libsqlite3-0 libncurses6 libtinfo6)
ROOT=root-$(cksum <<< "${GUEST[*]}" | cut -d ' ' -f 1).gz

die() {
	echo "run_vm.sh: $*" >&2
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
mkdir -p "$CACHE/$arch"
exec 9> "$CACHE/lock" # one at a time: they share the cache, and the machine's processors
flock 9

# An apt of its own for the guest's architecture, with the suites that have what we want. It knows
# of no installed package, so it names everything that a package needs.
APT=(-q -o "APT::Architecture=$arch" -o "APT::Architectures::=$arch" -o APT::Sandbox::User=root
	-o "Dir::Etc::sourcelist=$CACHE/$arch/sources.list" -o Dir::Etc::sourceparts=/dev/null
	-o "Dir::State::lists=$CACHE/$arch/lists" -o "Dir::State::status=$CACHE/$arch/status"
	-o "Dir::Cache=$CACHE/$arch/cache" -o Dir::Etc::preferencesparts=/dev/null
	-o "Dir::Etc::preferences=$CACHE/$arch/preferences" -o Acquire::Check-Valid-Until=false
	-o Acquire::Retries=3 -o APT::Install-Recommends=false -o Acquire::Languages=none)

apt_ready() {
	local suite options="[arch=$arch signed-by=$KEYRING]"
	[ ! -e "$CACHE/$arch/fetched" ] || return 0
	mkdir -p "$CACHE/$arch/lists/partial" "$CACHE/$arch/cache/archives/partial"
	: > "$CACHE/$arch/status"
	{
		for suite in bullseye bookworm bookworm-backports sid; do
			echo "deb $options $MIRROR $suite main"
		done
		for suite in bullseye bookworm; do
			echo "deb $options $SECURITY $suite-security main"
		done
	} > "$CACHE/$arch/sources.list"
	# The guest is Debian 12; the libraries that its backports have newer are what we build with.
	cat > "$CACHE/$arch/preferences" <<-END
		Package: *
		Pin: release n=sid
		Pin-Priority: 50

		Package: libbpf1 libelf1 libdw1
		Pin: release n=bookworm-backports
		Pin-Priority: 990
	END
	apt-get "${APT[@]}" -q update >&2
	touch "$CACHE/$arch/fetched"
}

# Unpacks packages below directory $1.
unpack() {
	local into=$1 work file
	shift
	work=$(mktemp -d "$CACHE/fetch.XXXXXX")
	(cd "$work" && apt-get "${APT[@]}" download "$@" >&2) || die "cannot fetch $*"
	for file in "$work"/*.deb; do
		dpkg-deb -x "$file" "$into"
	done
	rm -r "$work"
}

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
	local root="$CACHE/root.tmp" wanted applet
	[ ! -e "$CACHE/$arch/$ROOT" ] || return 0
	apt_ready
	rm -rf "$root"
	mkdir -p "$root"/{dev,proc,sys,tmp,run,root,etc,var/tmp}
	wanted=$(apt-get "${APT[@]}" -s install "${GUEST[@]}" |
		awk '$1 == "Inst" { v = $3; gsub(/[()]/, "", v); print $2 "=" v }')
	# shellcheck disable=SC2086
	unpack "$root" $wanted busybox-static
	rm -rf "$root"/usr/share/{doc,locale,man,i18n,zoneinfo,perl*} "$root"/usr/lib/*/{gconv,perl*}
	mkdir -p "$root/usr/local/bin"
	for applet in sh mount cat dmesg ls sleep mkdir ps kill; do
		[ -e "$root/bin/$applet" ] || ln -s busybox "$root/bin/$applet"
	done
	echo 'root:x:0:0::/root:/bin/sh' > "$root/etc/passwd"
	pack "$root" > "$CACHE/$arch/$ROOT.tmp"
	mv "$CACHE/$arch/$ROOT.tmp" "$CACHE/$arch/$ROOT"
	rm -r "$root"
}

# Our part: appended as a second archive, which the kernel unpacks over the first.
payload() {
	local dir=$1 loader=$here/.output/vm/load
	[ "$arch" = amd64 ] || loader+=-$arch
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
{ cat "$CACHE/$arch/$ROOT"; pack "$work/tree"; } > "$work/initrd"

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
	[ "$status" != 124 ] || die "$name: nothing after $TIMEOUT_S s"
	die "$name: the guest said no result"
fi
exit "$result"
