# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash disable=SC2154
#
# Debian packages of any architecture, unpacked and not installed: sourced by what boots other
# kernels and builds for other machines. The caller has set $arch, the guest's $suite (bookworm or
# trixie) and $CACHE, and says what went wrong in die().
MIRROR=${PYIMPORT_MIRROR:-http://deb.debian.org/debian}
SECURITY=${PYIMPORT_SECURITY_MIRROR:-http://deb.debian.org/debian-security}
KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg

STATE=$CACHE/$suite-$arch

# An apt of its own for the guest's architecture, with the suites that have what we want. It knows
# of no installed package, so it names everything that a package needs.
APT=(-q -o "APT::Architecture=$arch" -o "APT::Architectures::=$arch" -o APT::Sandbox::User=root
	-o "Dir::Etc::sourcelist=$STATE/sources.list" -o Dir::Etc::sourceparts=/dev/null
	-o "Dir::State::lists=$STATE/lists" -o "Dir::State::status=$STATE/status"
	-o "Dir::Cache=$STATE/cache" -o Dir::Etc::preferencesparts=/dev/null
	-o "Dir::Etc::preferences=$STATE/preferences" -o Acquire::Check-Valid-Until=false
	-o Acquire::Retries=3 -o APT::Install-Recommends=false -o Acquire::Languages=none)

apt_ready() {
	local name options="[arch=$arch signed-by=$KEYRING]"
	mkdir -p "$STATE/lists/partial" "$STATE/cache/archives/partial"
	# Of the guest's suite but for kernels, and the libraries we build with on Debian 12.
	cat > "$STATE/preferences" <<-END
		Package: *
		Pin: release n=sid
		Pin-Priority: 50

		Package: libbpf1 libbpf-dev libelf1 libelf-dev libdw1 libdw-dev linux-libc-dev
		Pin: release n=bookworm-backports
		Pin-Priority: 990
	END
	[ ! -e "$STATE/fetched" ] || return 0
	: > "$STATE/status"
	{
		for name in bullseye bookworm "${suite/bookworm/bookworm-backports}" sid; do
			echo "deb $options $MIRROR $name main"
		done
		for name in bullseye bookworm; do
			echo "deb $options $SECURITY $name-security main"
		done
	} > "$STATE/sources.list"
	apt-get "${APT[@]}" -q update >&2
	touch "$STATE/fetched"
}

# Packages and all they need, with their versions.
with_needs() {
	apt-get "${APT[@]}" -s install "$@" |
		awk '$1 == "Inst" { v = $3; gsub(/[()]/, "", v); print $2 "=" v }'
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
