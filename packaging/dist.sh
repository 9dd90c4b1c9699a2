#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Tarballs for any Linux of this architecture: dist.sh STATIC_BINARY INTO. The same sources and
# libraries give the same bytes.
set -eu -o pipefail

binary=$1 into=$2
here=$(cd "$(dirname "$0")/.." && pwd)
version=$(cat "$here/VERSION")
name=pyimport-bpf-$version-linux-$(uname -m)
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -C "$here" log -1 --format=%ct 2>/dev/null || echo 0)}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
top=$work/$name
mkdir -p "$into" "$top/sbin" "$top/share/man/man8" "$top/share/doc/pyimport-bpf/docs"
install -m 755 "$binary" "$top/sbin/pyimport-bpf"
strip "$top/sbin/pyimport-bpf"
install -m 644 "$here"/man/*.8 "$top/share/man/man8/"
install -m 644 "$here"/{LICENSE,README.md,CHANGELOG.md} "$top/share/doc/pyimport-bpf/"
install -m 644 "$here"/docs/* "$top/share/doc/pyimport-bpf/docs/"
while read -r shell file; do
	install -d "$(dirname "$top/share/$file")"
	"$binary" --completion "$shell" > "$top/share/$file"
done <<-END
	bash bash-completion/completions/pyimport-bpf
	zsh zsh/site-functions/_pyimport_bpf
	fish fish/vendor_completions.d/pyimport-bpf.fish
END
"$here/packaging/sbom.py" "$top/sbin/pyimport-bpf" "$binary.map" > "$into/$name.spdx.json"
install -m 644 "$into/$name.spdx.json" "$top/share/doc/pyimport-bpf/sbom.spdx.json"
tar --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner \
	-C "$work" -c "$name" | gzip -9n > "$into/$name.tar.gz"
(cd "$into" && sha256sum "$name.tar.gz" "$name.spdx.json" > SHA256SUMS)
echo "$into/$name.tar.gz"
