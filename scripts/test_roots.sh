#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Root file systems with the interpreters of other Debian suites, for the tests: made once under
# PYIMPORT_ROOTS (default /var/tmp/pyimport-roots), a suite each, and left alone when they exist.
#   test_roots.sh [--minimal] [--force] [SUITE…]     default: bullseye trixie forky sid
# Suites move: a package that a suite no longer has is left out with a note, never an error.
set -eu -o pipefail

ROOTS=${PYIMPORT_ROOTS:-/var/tmp/pyimport-roots}
MIRROR=${PYIMPORT_MIRROR:-http://deb.debian.org/debian}
want_workloads=1
want_force=0
suites=()

while [ $# -gt 0 ]; do
	case $1 in
	--minimal) want_workloads=0 ;;
	--force) want_force=1 ;;
	-*) echo "test_roots.sh: unknown option $1" >&2; exit 2 ;;
	*) suites+=("$1") ;;
	esac
	shift
done
[ ${#suites[@]} -gt 0 ] || suites=(bullseye trixie forky sid)

[ "$(id -u)" = 0 ] || { echo "test_roots.sh: needs root" >&2; exit 1; }
command -v mmdebstrap >/dev/null || { echo "test_roots.sh: needs mmdebstrap" >&2; exit 1; }
mkdir -p "$ROOTS"

# What we would like to have of each suite; what is not there is dropped by `available`.
wanted() {
	case $1 in
	bullseye) echo python3 ;;
	trixie) echo python3 python3.13 ;;
	forky) echo python3 python3.14 python3.15 ;;
	sid) echo python3 python3.14 python3.15 ;;
	*) echo python3 ;;
	esac
	[ $want_workloads = 1 ] || return 0
	case $1 in
	bullseye) echo python3-greenlet ;;
	trixie) echo python3-django python3-fastapi python3-ipython python3-greenlet python3-pandas ;;
	forky) echo python3-django python3-ipython python3-greenlet ;;
	sid) echo python3-greenlet ;;
	esac
}

# Keeps the names that the suite's index has.
available() {
	local suite=$1 index names
	shift
	index=$(mktemp)
	curl -sfL --retry 3 "$MIRROR/dists/$suite/main/binary-$(dpkg --print-architecture)/Packages.xz" |
		xz -dc | sed -n 's/^Package: //p' | sort -u > "$index"
	for names in "$@"; do
		if grep -qxF "$names" "$index"; then
			echo "$names"
		else
			echo "test_roots.sh: $suite has no $names today, left out" >&2
		fi
	done
	rm -f "$index"
}

make_root() {
	local suite=$1 root=$ROOTS/$1 tmp include log
	if [ $want_force = 0 ] && [ -e "$root/.complete" ]; then
		return 0
	fi
	echo "test_roots.sh: making $root, once"
	tmp=$ROOTS/.$suite.$$
	log=$ROOTS/$suite.log
	# shellcheck disable=SC2046
	include=$(available "$suite" $(wanted "$suite") | paste -sd,)
	# Snapshots and moving suites outlive the Valid-Until of their release files.
	if ! mmdebstrap --quiet --variant=essential --include="$include" \
		--aptopt='Acquire::Check-Valid-Until "false"' --aptopt='Acquire::Retries "3"' \
		--aptopt='APT::Install-Recommends "false"' \
		"$suite" "$tmp" "$MIRROR" > "$log" 2>&1; then
		echo "test_roots.sh: $suite failed, see $log:" >&2
		tail -5 "$log" >&2
		rm -rf --one-file-system "$tmp"
		return 1
	fi
	rm -rf --one-file-system "$tmp/var/cache/apt/archives" "$tmp/usr/share/doc" "$tmp/usr/share/man"
	mkdir -p "$tmp/proc" "$tmp/sys" "$tmp/dev" "$tmp/tmp"
	touch "$tmp/.complete"
	[ ! -e "$root" ] || mv "$root" "$ROOTS/.$suite.old.$$"
	mv "$tmp" "$root"
	rm -rf --one-file-system "$ROOTS/.$suite.old.$$"
	echo "test_roots.sh: $root ready: $(cd "$root/usr/bin" && echo python3.*[0-9])"
}

rc=0
exec 9> "$ROOTS/.lock"
flock 9
for suite in "${suites[@]}"; do
	make_root "$suite" || rc=1
done
exit $rc
