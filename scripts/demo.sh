#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# `make demo`: traces a real program of this machine and shows the summary.
set -eu

cd "$(dirname "$0")/.."
python=/usr/bin/python3
[ -x $python ] || python=$(command -v python3)
# The heaviest that is here; importable, not only present.
for package in pandas IPython django boto3 numpy; do
	if "$python" -c "import $package" 2>/dev/null; then
		program="import $package"
		break
	fi
done
: "${program:=import json, asyncio, unittest, http.server, email.message, sqlite3, xml.dom.minidom}"
echo "\$ pyimport-bpf -- $python -c '$program'"
exec ./pyimport-bpf -- "$python" -c "$program"
