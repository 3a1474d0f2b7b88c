#!/usr/bin/env bash
# What the tests need from Debian: as root it is installed, otherwise the one line that installs it is printed.
set -euo pipefail

declare -A package_of=(
  [redis-server]=redis-server
  [chromium]=chromium
)

missing=()
for command in "${!package_of[@]}"; do
  command -v "$command" >/dev/null || missing+=("${package_of[$command]}")
done
[ ${#missing[@]} -eq 0 ] && exit 0

install=(apt-get install -y --no-install-recommends "${missing[@]}")
if [ "$(id -u)" -ne 0 ]; then
  echo "The tests need programs from Debian that are missing here. Install them with:"
  echo "  sudo ${install[*]}"
  exit 1
fi
apt-get update -qq
DEBIAN_FRONTEND=noninteractive "${install[@]}" >/dev/null
