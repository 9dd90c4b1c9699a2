#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# What reading a large capture costs: `import pandas` recorded once (root), multiplied until
# 1,000,000 imports were run, reported. Needs a built tree.
set -eu -o pipefail

cd "$(dirname "$0")/.."
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cc -O2 -D_GNU_SOURCE -Iinclude -Iuser tests/bench/multiply.c .output/user/event/*.o \
	.output/user/base/*.o -lz -ldeflate -lzstd -o "$dir/multiply"
./pyimport-bpf record -o "$dir/one.cap" -- /usr/bin/python3 -c 'import pandas' >/dev/null
count='SELECT sum(count) FROM edge; SELECT count(*) FROM import;'
read -r -d '' runs loads < <(./pyimport-bpf report "$dir/one.cap" --format sqlite > "$dir/one.db"
	sqlite3 "$dir/one.db" "$count" | tr '\n' ' '; printf '\0') || true
copies=$((1000000 / runs + 1))
"$dir/multiply" "$dir/one.cap" "$copies" "$dir/many.cap"
echo "$((copies * runs)) imports run, $((copies * loads)) of them loads," \
	"$(stat -c %s "$dir/many.cap") bytes:"
for format in text json; do
	python3 - "$format" "$dir/many.cap" <<-'END'
		import resource, subprocess, sys, time
		start = time.monotonic()
		subprocess.run(["./pyimport-bpf", "report", sys.argv[2], "--format", sys.argv[1]],
		               stdout=subprocess.DEVNULL, check=True)
		used = resource.getrusage(resource.RUSAGE_CHILDREN)
		print("  %s: %.1f s, %.1f s of CPU, %d MB" % (sys.argv[1], time.monotonic() - start,
		      used.ru_utime + used.ru_stime, used.ru_maxrss / 1024))
	END
done
