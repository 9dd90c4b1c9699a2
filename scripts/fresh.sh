#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# The README's two commands on a machine that has nothing: a new Debian root, a clean clone of HEAD,
# `sudo make demo` and `sudo make test` as root in it. Prints what each took and what it left in the
# tree; the whole log is kept beside the root. Status 1 if a command failed or left something.
#   fresh.sh [SUITE]     bookworm (default) or trixie
# Everything lies below PYIMPORT_FRESH (default /var/tmp/pyimport-fresh); `make clean-caches` removes it.
# PYIMPORT_FRESH_TEST: what runs in place of `make test`.
set -eu -o pipefail

suite=${1:-bookworm}
here=$(cd "$(dirname "$0")/.." && pwd)
base=${PYIMPORT_FRESH:-/var/tmp/pyimport-fresh}
root=$base/$suite
log=$base/$suite.log
MIRROR=${PYIMPORT_MIRROR:-http://deb.debian.org/debian}

[ "$(id -u)" = 0 ] || { echo "fresh.sh: needs root" >&2; exit 1; }
command -v mmdebstrap >/dev/null || { echo "fresh.sh: needs mmdebstrap" >&2; exit 1; }
# What is mounted below goes away with this namespace, however we end.
if [ -z "${FRESH_PRIVATE:-}" ]; then
	exec env FRESH_PRIVATE=1 unshare --mount --propagation private "$0" "$@"
fi

mkdir -p "$base"
rm -rf --one-file-system "$root"
echo "fresh.sh: $suite: making the root (log: $log)"
mmdebstrap --quiet --variant=apt --include=sudo,make,git,ca-certificates \
	--aptopt='Acquire::Check-Valid-Until "false"' --aptopt='Acquire::Retries "3"' \
	"$suite" "$root" "$MIRROR" > "$log" 2>&1 || { tail -5 "$log" >&2; exit 1; }
cp /etc/resolv.conf "$root/etc/resolv.conf"
cat /etc/hosts > "$root/etc/hosts"
echo "127.0.0.1 $(hostname)" >> "$root/etc/hosts"
git clone -q --no-hardlinks "$here" "$root/root/pyimport-bpf"

mkdir -p "$root"/{proc,sys,dev,run}
mount -t proc proc "$root/proc"
mount --rbind /sys "$root/sys" # with the tracing and cgroup file systems
mount --rbind /dev "$root/dev"
mount -t tmpfs -o mode=755 tmpfs "$root/run"

rc=0
step() {
	local began status=0
	began=$(date +%s)
	echo "=== sudo $* ($(date -u +%H:%M:%S))" >> "$log"
	chroot "$root" env -i HOME=/root USER=root LOGNAME=root PATH=/usr/sbin:/usr/bin:/sbin:/bin \
		LANG=C.UTF-8 TERM=dumb SHELL=/bin/bash bash -c \
		'cd ~/pyimport-bpf && time sudo "$@"' bash "$@" < /dev/null >> "$log" 2>&1 || status=$?
	echo "fresh.sh: $suite: sudo $*: status $status, $(($(date +%s) - began)) s wall, $(tail -3 "$log" |
		awk '/^(user|sys)/ { split($2, t, /[ms]/); s += t[1] * 60 + t[2] } END { printf "%d", s }') s CPU"
	[ $status = 0 ] || rc=1
}

step make demo
# shellcheck disable=SC2086
step ${PYIMPORT_FRESH_TEST:-make test}
grep -E '^[0-9]+ passed' "$log" || true
left=$(git -C "$root/root/pyimport-bpf" status --porcelain)
if [ -n "$left" ]; then
	echo "fresh.sh: left in the tree:" >&2
	echo "$left" >&2
	rc=1
fi
exit $rc
