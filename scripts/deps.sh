#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Installs what building, testing or measuring needs, on Debian 12 and later. Does nothing, and
# needs no root and no network, when everything is there. Tells what it does.
#   deps.sh build | demo | test | bench
set -eu -o pipefail

mode=${1:-build}
export DEBIAN_FRONTEND=noninteractive
BACKPORTS=/etc/apt/sources.list.d/pyimport-bpf-backports.sources

# shellcheck disable=SC1091
. /etc/os-release
codename=${VERSION_CODENAME:-}

fresh=(libbpf-dev bpftool libelf-dev linux-libc-dev)
packages=(clang llvm gcc libc6-dev make pkg-config zlib1g-dev libdeflate-dev libzstd-dev libcapstone-dev
	libjansson-dev libcap-ng-dev libyaml-dev libncurses-dev libsqlite3-dev libmicrohttpd-dev
	libcurl4-openssl-dev libprotobuf-c-dev protobuf-c-compiler libcrypt-dev uthash-dev python3)
case $mode in
build | demo) ;;
test)
	packages+=(python3-dev python3-venv python3-greenlet python3-gevent python3-eventlet
		python3-pandas python3-django python3-fastapi python3-ipython python3-boto3
		gunicorn uvicorn python3-celery
		mmdebstrap debian-archive-keyring curl ca-certificates xz-utils util-linux procps
		podman runc shellcheck cppcheck clang-tidy libclang-rt-dev python3-jsonschema python3-yaml sqlite3 groff git TESTSUITE)
	packages+=(python3-build python3-wheel python3-pytest) # the wheel
	packages+=(qemu-system-x86 cpio) # other kernels
	packages+=(strace chromium python3-websocket graphviz poppler-utils python3-prometheus-client prometheus
		python3-opentelemetry-proto)
	# Programs that embed Python, whatever they are for; their servers are not started.
	packages+=(gdb vim-nox uwsgi-core uwsgi-plugin-python3 apache2 libapache2-mod-wsgi-py3
		postgresql PLPYTHON libcap2-bin sudo)
	command -v npm >/dev/null || packages+=(npm) # elsewhere it comes with nodejs
	;;
bench) packages+=(python3-pandas python3-torch bpftrace strace) ;;
packages)
	packages+=(debhelper lintian dpkg-dev git mmdebstrap ca-certificates busybox-static
		podman runc python3-build python3-wheel python3-pytest python3-venv
		file lld qemu-user-static) # arm64
	;;
*) echo "deps.sh: build, demo, test, bench or packages, not '$mode'" >&2; exit 2 ;;
esac

# gdb needs it, and it must be as new as libelf.
[ "$mode $codename" != "test bookworm" ] || fresh+=(libdebuginfod1)

if ! command -v apt-get >/dev/null; then
	echo "deps.sh: no apt-get here; this is what Debian calls what you need:" >&2
	echo "  ${fresh[*]} ${packages[*]}" >&2
	exit 1
fi

has() {
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# libbpf 1.3 is the oldest with uprobe_multi; Debian 12 has it in its backports only.
is_fresh_enough() {
	local version
	version=$(dpkg-query -W -f '${Version}' libbpf-dev 2>/dev/null) || return 1
	dpkg --compare-versions "${version#*:}" ge 1.3
}

# True if the process ends within 20 seconds.
wait_some() {
	local i
	for ((i = 0; i < 100; i++)); do
		[ -e "/proc/$1" ] || return 0
		sleep .2
	done
	return 1
}

# Tells every 20 seconds how far it is, and all it said if it fails.
quietly() {
	local log pid
	log=$(mktemp)
	"$@" > "$log" 2>&1 &
	pid=$!
	while [ -e /proc/$pid ] && ! wait_some $pid; do
		printf 'deps.sh: %s: %s\n' "$(date +%H:%M:%S)" "$(tail -1 "$log" | cut -c1-70)"
	done
	if ! wait $pid; then
		echo "deps.sh: failed: $*" >&2
		tail -25 "$log" >&2
		rm -f "$log"
		return 1
	fi
	rm -f "$log"
}

apt() {
	quietly apt-get -q -y -o Dpkg::Use-Pty=0 -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300 "$@"
}

need_root() {
	[ "$(id -u)" = 0 ] || {
		echo "deps.sh: not installed: $*; run this with sudo" >&2
		exit 1
	}
}

# Upstream version of a package, of which a pattern of sed is wanted.
version_of() {
	{ dpkg-query -W -f '${Version}' "$1" ||
		apt-cache show --no-all-versions "$1" | sed -n 's/^Version: //p'; } 2>/dev/null |
		sed -n "s/^\\([0-9]*:\\)\\{0,1\\}\\($2\\).*/\\2/p" | head -1
}

# Some packages bear the version of what they belong to.
resolve_versions() {
	local i python postgres
	python=$(version_of python3 '3\.[0-9]*') || true
	postgres=$(version_of postgresql '[0-9]*') || true
	[ -n "$python" ] || return 0 # not before apt-get update
	for i in "${!packages[@]}"; do
		case ${packages[$i]} in
		TESTSUITE) packages[i]=libpython$python-testsuite ;;
		PLPYTHON) packages[i]=postgresql-plpython3-$postgres ;;
		esac
	done
}

# A server that is installed for tests must not start by itself.
POLICY=/usr/sbin/policy-rc.d
forbid_servers() {
	[ ! -e $POLICY ] || return 0
	trap 'rm -f $POLICY' EXIT
	printf '#!/bin/sh\nexit 101\n' > $POLICY
	chmod 755 $POLICY
}

missing=()
find_missing() {
	local package
	missing=()
	for package in "$@"; do
		has "$package" || missing+=("$package")
	done
}

resolve_versions
find_missing "${fresh[@]}"
want_fresh=0
if [ ${#missing[@]} -gt 0 ] || ! is_fresh_enough; then
	want_fresh=1
fi
find_missing "${packages[@]}"
if [ $want_fresh = 0 ] && [ ${#missing[@]} = 0 ]; then
	exit 0
fi
need_root "${missing[@]}" "$([ $want_fresh = 0 ] || echo "${fresh[@]}")"

release=()
if [ "$codename" = bookworm ]; then
	release=(-t bookworm-backports)
	# shellcheck disable=SC2016
	if ! apt-get indextargets --format '$(CODENAME)' | grep -qx bookworm-backports; then
		# shellcheck disable=SC2016
		mirror=$(apt-get indextargets --format '$(CODENAME) $(REPO_URI)' |
			awk '$1 == "bookworm" { print $2; exit }')
		keyring=/usr/share/keyrings/debian-archive-keyring.gpg
		cat > "$BACKPORTS" <<-END
			# Added by scripts/deps.sh of pyimport-bpf: libbpf and bpftool of Debian 12 are too old.
			Types: deb
			URIs: ${mirror:-http://deb.debian.org/debian/}
			Suites: bookworm-backports
			Components: main
			$([ ! -e $keyring ] || echo "Signed-By: $keyring")
		END
	fi
fi
apt update
resolve_versions
if [ $want_fresh = 1 ]; then
	apt install --no-install-recommends "${release[@]}" "${fresh[@]}"
fi

# A suite may have dropped one of the programs that are only workloads: that skips tests.
find_missing "${packages[@]}"
wanted=()
for package in "${missing[@]}"; do
	if apt-cache show --no-all-versions "$package" >/dev/null 2>&1; then
		wanted+=("$package")
	else
		echo "deps.sh: $codename has no package $package; what needs it is skipped" >&2
	fi
done
[ "$mode" != test ] || forbid_servers
[ ${#wanted[@]} = 0 ] || echo "deps.sh: installing ${#wanted[@]} packages and what they need"
[ ${#wanted[@]} = 0 ] || apt install --no-install-recommends "${wanted[@]}"
