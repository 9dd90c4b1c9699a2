#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Fetches programs that the tests of the exports run and that no package installs without more:
# speedscope and Kubernetes' schemas (npm, of one version, the first checked), promtool (out of Debian's
# package prometheus, whose installation would start a server) and VictoriaMetrics (of Debian 13: that of
# Debian 12 takes no OTLP, and neither does Debian's Prometheus). Does nothing when they are there.
#   test_tools.sh [DIRECTORY]   (/var/tmp/pyimport-tools)
set -eu -o pipefail

dir=${1:-${PYIMPORT_TOOLS:-/var/tmp/pyimport-tools}}
SPEEDSCOPE=1.25.0
SPEEDSCOPE_SHA512=7297fd1d64d97f58a32d7049ae4f3b55eff9e2d9d8c7aae57f48144e1be7de8a24ea1eb784b5d539088c7f8e0f4fe5e8579d3770f7ef7e24f980fe6fa23a7a02

KUBERNETES_MODELS=5.1.0
mkdir -p "$dir"
scratch=$(mktemp -d "$dir/fetch.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
rc=0

get_speedscope() (
	cd "$scratch"
	npm pack --silent --ignore-scripts "speedscope@$SPEEDSCOPE" >/dev/null 2>npm.log || {
		tail -3 npm.log >&2; exit 1; }
	echo "$SPEEDSCOPE_SHA512  speedscope-$SPEEDSCOPE.tgz" | sha512sum --check --quiet || exit 1
	tar xzf "speedscope-$SPEEDSCOPE.tgz"
	rm -rf "$dir/speedscope"
	mv package "$dir/speedscope"
)

# With the libraries that it checks by; nothing of them is run while they are installed.
get_kubernetes() (
	cd "$scratch"
	mkdir kubernetes
	npm install --silent --ignore-scripts --no-audit --no-fund --prefix kubernetes \
		"kubernetes-models@$KUBERNETES_MODELS" >/dev/null 2>npm.log || { tail -3 npm.log >&2; exit 1; }
	rm -rf "$dir/kubernetes"
	mv kubernetes "$dir/kubernetes"
)

get_promtool() (
	cd "$scratch"
	chmod 755 .
	# A package of its own from Debian 13 on.
	{ apt-get -q -q download promtool || apt-get -q -q download prometheus; } >/dev/null 2>apt.log ||
		{ tail -3 apt.log >&2; exit 1; }
	dpkg-deb -x prom*.deb root
	mv root/usr/bin/promtool "$dir/promtool"
)

# By lists of packages of its own; those of this system stay as they are.
get_victoria() (
	cd "$scratch"
	mkdir -p apt/lists/partial apt/cache/archives/partial
	: > apt/status
	echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]" \
		"${PYIMPORT_MIRROR:-http://deb.debian.org/debian} trixie main" > apt/sources.list
	cat > apt/conf <<-END
		Dir::State "$scratch/apt";
		Dir::State::status "$scratch/apt/status";
		Dir::Cache "$scratch/apt/cache";
		Dir::Etc::sourcelist "$scratch/apt/sources.list";
		Dir::Etc::sourceparts "-";
		APT::Sandbox::User "root";
	END
	export APT_CONFIG=$scratch/apt/conf
	{ apt-get -q -q update && apt-get -q -q download victoria-metrics; } >/dev/null 2>apt.log || {
		tail -3 apt.log >&2; exit 1; }
	dpkg-deb -x victoria-metrics_*.deb root
	mv root/usr/bin/victoria-metrics "$dir/victoria-metrics"
)

if [ ! -e "$dir/speedscope/dist/release/index.html" ]; then
	get_speedscope || { echo "test_tools.sh: no speedscope: its tests are skipped" >&2; rc=1; }
fi
if [ ! -e "$dir/kubernetes/node_modules/kubernetes-models" ]; then
	get_kubernetes || { echo "test_tools.sh: no schemas of Kubernetes: their tests are skipped" >&2; rc=1; }
fi
if [ ! -x "$dir/promtool" ]; then
	get_promtool || { echo "test_tools.sh: no promtool: its tests are skipped" >&2; rc=1; }
fi
if [ ! -x "$dir/victoria-metrics" ]; then
	get_victoria || { echo "test_tools.sh: no VictoriaMetrics: its test is skipped" >&2; rc=1; }
fi
exit $rc
