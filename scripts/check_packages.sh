#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Installs what packaging/ made where it belongs, and traces with it: the Debian package on stock
# Debian 12 and 13, the tarball in an empty root beside busybox, on musl and on Debian 11 to 13, the
# wheel in a venv of Debian 13, a container from scratch; the arm64 binary under qemu. Needs root and
# .output/{static,dist,deb,wheel,arm64}; see `make check-packages`.
set -eu -o pipefail

here=$(cd "$(dirname "$0")/.." && pwd)
CACHE=${PYIMPORT_PACKAGES:-/var/tmp/pyimport-packages}
MIRROR=${PYIMPORT_MIRROR:-http://deb.debian.org/debian}
passed=0 failed=0 skipped=0
work=$(mktemp -d)
trap 'rm -rf --one-file-system "$work"' EXIT
mkdir -p "$CACHE"

verdict() { # name, what happened
	if [ "$2" = ok ]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		sed 's/^/     | /' "$work/log" | tail -25
	fi
	echo "$2 $1"
}

check() { # name, command…
	local name=$1
	shift
	"$@" > "$work/log" 2>&1 & # where a condition waits for a function, no command in it can end it
	if wait $!; then verdict "$name" ok; else verdict "$name" FAIL; fi
}

# A stock suite with a Python, made once.
suite_root() {
	local root=$CACHE/$1
	if [ ! -e "$root/.complete" ]; then
		rm -rf --one-file-system "$root"
		mmdebstrap --quiet --variant=apt --include=python3 --aptopt='APT::Install-Recommends "false"' \
			--aptopt='Acquire::Check-Valid-Until "false"' "$1" "$root" "$MIRROR" >&2
		touch "$root/.complete"
	fi
	echo "$root"
}

# In a root with /proc and /sys, in a mount namespace that ends with it.
inside() { # root, script
	# shellcheck disable=SC2016
	unshare --mount --propagation private sh -c '
		mkdir -p "$0/proc" "$0/sys" "$0/dev"
		mount -t proc proc "$0/proc" && mount --rbind /sys "$0/sys" && mount --rbind /dev "$0/dev" &&
			exec chroot "$0" /bin/sh -euc "$1"' "$1" "$2"
}

budget='version: 1
entries:
- name: json
  limits: {modules: 300}
  forbid: [sqlite3]
'
trace_and_check='
	cd /tmp
	pyimport-bpf -o t.cap --report t.txt -- python3 -c "import json.tool"
	grep -q "json.tool" t.txt && grep -q "^Complete" t.txt
	pyimport-bpf check --budget budget.yaml t.cap
	sed -i "s/sqlite3/json/" budget.yaml
	! pyimport-bpf check --budget budget.yaml t.cap'

deb_on() { # suite
	local root copy=$work/$1
	root=$(suite_root "$1")
	cp -a "$root" "$copy"
	cp "$here"/.output/deb/pyimport-bpf_*.deb "$copy/tmp/"
	printf '%s' "$budget" > "$copy/tmp/budget.yaml"
	inside "$copy" "apt-get install -y /tmp/pyimport-bpf_*.deb
		test -s /usr/share/man/man8/pyimport-bpf.8.gz -o -e /etc/dpkg/dpkg.cfg.d
		pyimport-bpf --version
		$trace_and_check
		apt-get purge -y pyimport-bpf
		test ! -e /usr/sbin/pyimport-bpf" # command -v would be what the shell remembers
}

tarball_on() { # suite
	local root copy=$work/tar-$1
	root=$(suite_root "$1")
	cp -a "$root" "$copy"
	(cd "$here/.output/dist" && sha256sum -c SHA256SUMS)
	tar -C "$copy/usr/local" --strip-components=1 -xzf "$here"/.output/dist/pyimport-bpf-*.tar.gz
	printf '%s' "$budget" > "$copy/tmp/budget.yaml"
	inside "$copy" "$trace_and_check"
}

# pip in a venv of a stock suite; the plugin traces there, passes a budget and breaks one.
wheel_on() { # suite
	local root copy=$work/wheel-$1
	root=$(suite_root "$1")
	cp -a "$root" "$copy"
	cp "$here"/.output/wheel/*.whl "$copy/tmp/"
	printf '%s' "$budget" > "$copy/tmp/budget.yaml"
	cat > "$copy/tmp/test_kept.py" <<-END
		def test_kept(import_budget):
		    run = import_budget(["python", "-c", "import json.tool"], forbid=["sqlite3"], modules=300)
		    assert run.how == "traced", run.why_not
	END
	sed 's/sqlite3/json/' "$copy/tmp/test_kept.py" > "$copy/tmp/test_broken.py"
	inside "$copy" "apt-get update
		apt-get install -y --no-install-recommends python3-venv python3-pytest
		python3 -m venv --system-site-packages /tmp/venv
		/tmp/venv/bin/pip install --no-index --no-deps /tmp/*.whl
		cd /tmp
		PATH=/tmp/venv/bin:\$PATH
		python -m pytest -q test_kept.py
		python -m pytest -q test_broken.py > broken.txt && exit 1
		grep -q 'json is forbidden' broken.txt
		$trace_and_check"
}

# busybox is the whole system: no libc of any kind, no locale, no user database.
busybox_root() {
	local root=$work/busybox
	mkdir -p "$root/bin" "$root/tmp"
	cp "$(command -v busybox)" "$root/bin/busybox"
	ln -s busybox "$root/bin/sh"
	cp "$here/.output/static/pyimport-bpf" "$here/tests/golden/captures/plain.cap" "$root/"
	inside "$root" '/pyimport-bpf report --view tree /plain.cap | /bin/busybox grep -q json.decoder
		/pyimport-bpf doctor'
}

# musl is the only libc there, and what the Python that is traced was built with. It is built once.
on_musl() {
	local root=$CACHE/musl copy=$work/musl
	if [ ! -e "$root/.complete" ]; then
		cp -a "$(suite_root trixie)" "$work/musl-build"
		"$here/scripts/musl_root.sh" "$work/musl-build" "$root"
		touch "$root/.complete"
	fi
	cp -a "$root" "$copy"
	tar -C "$copy/usr/local" --strip-components=1 -xzf "$here"/.output/dist/pyimport-bpf-*.tar.gz
	printf '%s' "$budget" > "$copy/tmp/budget.yaml"
	inside "$copy" "PATH=/bin:/usr/bin:/usr/local/sbin
		$trace_and_check"
}

# The other architecture reads what this one recorded, and says the same. It cannot trace here: the
# kernel is of this one.
static_arm64() {
	local emulator capture view
	emulator=$(command -v qemu-aarch64-static || command -v qemu-aarch64)
	file -b "$here/.output/arm64/static/pyimport-bpf" | grep 'aarch64.*statically linked'
	"$emulator" "$here/.output/arm64/static/pyimport-bpf" --version
	for capture in "$here"/tests/golden/captures/*.cap; do
		for view in summary tree advice; do
			"$emulator" "$here/.output/arm64/static/pyimport-bpf" report --view $view "$capture" \
				> "$work/arm64"
			"$here/pyimport-bpf" report --view $view "$capture" | diff - "$work/arm64"
		done
	done
}

# podman with settings that work in a nested machine, too: explicit limits, cgroupfs, runc.
podman_here() {
	mkdir -p "$work/pod"
	cat > "$work/pod/storage.conf" <<-END
		[storage]
		driver = "overlay"
		graphroot = "$CACHE/podman"
		runroot = "$work/pod/run"
	END
	cat > "$work/pod/containers.conf" <<-END
		[containers]
		default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
		[engine]
		cgroup_manager = "cgroupfs"
		events_logger = "file"
		runtime = "runc"
		tmp_dir = "$work/pod/tmp"
	END
	CONTAINERS_STORAGE_CONF=$work/pod/storage.conf CONTAINERS_CONF=$work/pod/containers.conf \
		podman --runtime runc "$@"
}

# A program of the host, traced from a container that holds nothing but the binary.
scratch_image() {
	local image=localhost/pyimport-bpf-check sleeper
	podman_here build -q -t "$image" -f "$here/packaging/container/Containerfile" "$here/.output/static"
	python3 -c 'import time; time.sleep(8); import json.tool; time.sleep(60)' &
	sleeper=$!
	podman_here run --rm --privileged --pid=host --network=host -v /sys:/sys:ro \
		"$image" -p "$sleeper" -d 20s > "$work/out" || true
	kill "$sleeper"
	podman_here rmi -f "$image"
	cat "$work/out"
	grep -q 'json.tool' "$work/out"
}

check "lintian" lintian --allow-root --fail-on error,warning "$here"/.output/deb/pyimport-bpf_*.deb
for suite in bookworm trixie; do check "deb on $suite" deb_on "$suite"; done
for suite in bullseye bookworm trixie; do check "tarball on $suite" tarball_on "$suite"; done
check "wheel on trixie" wheel_on trixie
check "static binary beside busybox" busybox_root
check "tarball on musl" on_musl
if [ -e "$here/.output/arm64/static/pyimport-bpf" ]; then check "static binary for arm64" static_arm64; fi
if podman_here info > "$work/log" 2>&1; then
	check "image from scratch" scratch_image
else
	skipped=$((skipped + 1))
	echo "skip image from scratch: podman does not run here: $(tail -1 "$work/log")"
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
