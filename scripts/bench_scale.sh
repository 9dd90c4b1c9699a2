#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# What reading a capture costs in time and memory as it grows, and whether the shape of the tree
# matters: synthetic captures, no root. Needs a built tree. FORMATS and CASES choose.
set -eu -o pipefail

cd "$(dirname "$0")/.."
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cc -O2 -D_GNU_SOURCE -Iinclude -Iuser tests/bench/generate.c .output/user/event/*.o \
	.output/user/base/*.o -lz -ldeflate -lzstd -o "$dir/generate"
default="1x20000xflat 1x200000xflat 1x200000xdeep 1x200000xtree 2000x500xtree 1x1000000xtree"
printf '%-28s %-10s %8s %8s %8s %9s\n' "processes x loads x shape" format wall CPU MB "B a load"
for case in ${CASES:-$default}; do
	IFS=x read -r processes loads shape <<< "$case"
	"$dir/generate" "$dir/one.cap" "$processes" "$loads" "$shape"
	for format in ${FORMATS:-text json}; do
		python3 - "$case" "$format" "$dir/one.cap" "$((processes * loads))" <<-'END'
			import resource, subprocess, sys, time
			case, format, path, loads = sys.argv[1:]
			start = time.monotonic()
			subprocess.run(["./pyimport-bpf", "report", path, "--format", format],
			               stdout=subprocess.DEVNULL, check=True)
			wall, used = time.monotonic() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
			print("%-28s %-10s %6.1f s %6.1f s %8d %9d" % (case, format, wall,
			      used.ru_utime + used.ru_stime, used.ru_maxrss / 1024,
			      used.ru_maxrss * 1024 / int(loads)))
		END
	done
done
