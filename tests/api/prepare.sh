#!/usr/bin/env bash
# Schemathesis, as requirements.txt pins it, in an environment of its own.
set -euo pipefail
cd "$(dirname "$0")"

venv=../../node_modules/.cache/schemathesis
cmp -s requirements.txt $venv/requirements.txt && exit 0

if ! python3 -c 'import ensurepip' 2>/dev/null; then
  install=(apt-get install -y --no-install-recommends python3-venv)
  if [ "$(id -u)" -ne 0 ]; then
    echo "The tests need a program from Debian that is missing here. Install it with:"
    echo "  sudo ${install[*]}"
    exit 1
  fi
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive "${install[@]}" >/dev/null
fi
python3 -m venv --clear $venv
$venv/bin/pip install --quiet --disable-pip-version-check -r requirements.txt
cp requirements.txt $venv/
