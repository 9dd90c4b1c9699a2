#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# `make lint`: our own rules (lint_rules.py, whose examples are checked first), then shellcheck,
# cppcheck and clang-tidy where they are installed. Silent when all is well; status 1 otherwise.
set -u

cd "$(dirname "$0")/.." || exit 1
rc=0

python3 scripts/lint_rules.py --self-test || rc=1
python3 scripts/lint_rules.py || rc=1

have() {
	command -v "$1" >/dev/null || { echo "lint: no $1 here, not checked with it"; return 1; }
}

if have shellcheck; then
	# shellcheck disable=SC2046
	shellcheck -x $(git -c core.quotePath=false ls-files scripts .ci tests | while read -r file; do
		head -c 40 "$file" | grep -qE '^#!.*\b(ba)?sh\b' && echo "$file"; done) || rc=1
fi
# Neither analyser understands __attribute__((cleanup)): leaks are ASan's business. cppcheck reads no
# system headers; cppcheck.cfg tells it of the macros. That of Debian 13 does not see that what failed
# to be opened or allocated was asked about in another variable.
if have cppcheck; then
	cppcheck --quiet --std=c11 --language=c --force --error-exitcode=1 --inline-suppr -j "$(nproc)" \
		--enable=warning,portability,performance --suppress=missingInclude \
		--suppress=normalCheckLevelMaxBranches --suppress=checkersReport \
		--suppress=memleak --suppress=memleakOnRealloc --suppress=resourceLeak \
		--suppress=nullPointerOutOfMemory --suppress=nullPointerOutOfResources \
		--library=scripts/cppcheck.cfg \
		-D_GNU_SOURCE -D__x86_64__ -DPYIMPORT_VERSION='""' -DPYIMPORT_GITREV='""' \
		-Iinclude -Iuser user || rc=1
fi
if have clang-tidy && [ -z "${NO_TIDY:-}" ]; then
	checks='-*,clang-analyzer-*,-clang-analyzer-security.insecureAPI.DeprecatedOrUnsafeBufferHandling'
	# unix.Malloc: see above, and it forgets that the head of a uthash table has no predecessor.
	# valist.Uninitialized: clang 14 misses the va_start on the line before.
	checks+=',-clang-analyzer-unix.Malloc,-clang-analyzer-valist.Uninitialized'
	checks+=',bugprone-*,-bugprone-easily-swappable-parameters,-bugprone-narrowing-conversions'
	checks+=',-bugprone-reserved-identifier,-bugprone-assignment-in-if-condition'
	checks+=',-bugprone-implicit-widening-of-multiplication-result,-bugprone-branch-clone'
	checks+=',-bugprone-sizeof-expression,-bugprone-multi-level-implicit-pointer-conversion'
	checks+=',-bugprone-suspicious-string-compare'
	# Of Debian 13's clang 19. unix.Stream: as unix.Malloc. A value without a case means nothing here;
	# libcap-ng's flags are an enum.
	checks+=',-clang-analyzer-unix.Stream,-clang-analyzer-optin.core.EnumCastOutOfRange'
	checks+=',-bugprone-switch-missing-default-case,-bugprone-casting-through-void'
	flags='-std=gnu11 -D_GNU_SOURCE -Iinclude -Iuser -I.output -DPYIMPORT_VERSION="" -DPYIMPORT_GITREV=""'
	# Deep analysis follows calls for minutes of processor time; the shallow one finds nearly the same.
	[ -n "${DEEP:-}" ] || flags+=' -Xclang -analyzer-config -Xclang mode=shallow'
	# What was found clean is not looked at again until it, a header or the checks change.
	mkdir -p .output/tidy
	# shellcheck disable=SC2016
	find user -name '*.c' -print0 | FLAGS=$flags CHECKS=$checks TIDY=$(clang-tidy --version) \
		xargs -0 -n 1 -P "$(nproc)" sh -c '
		key=$({ echo "$TIDY $CHECKS $FLAGS"; clang -E $FLAGS "$1"; } 2>/dev/null | sha256sum | cut -c1-32)
		[ ! -e ".output/tidy/$key" ] || exit 0
		clang-tidy --quiet --warnings-as-errors="*" "--checks=$CHECKS" \
			"--header-filter=(user|include)/[^.]*[.]h$" "$1" -- $FLAGS && touch ".output/tidy/$key"' sh \
		2>.output/tidy.err >.output/tidy.out || rc=1
	grep -hE '(warning|error):' .output/tidy.out 2>/dev/null && rc=1
fi
exit $rc
