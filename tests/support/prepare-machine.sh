#!/usr/bin/env bash
# What the tests need from Debian: as root it is installed, otherwise the one line that installs it is printed.
# With `mail`, `wordpress`, `engines` or `restores`: also what the lane of that name, or `npm run test:faults`, needs.
set -euo pipefail

declare -A package_of=(
  [redis-server]=redis-server
  [chromium]=chromium
  [faketime]=faketime
  [newsboat]=newsboat
  [r2e]=rss2email
  [/usr/lib/python3/dist-packages/feedparser]=python3-feedparser
  [xmllint]=libxml2-utils
  [opendkim]=opendkim
  [openssl]=openssl
  [pdftotext]=poppler-utils
  [/usr/lib/python3/dist-packages/dkim]=python3-dkim
  [/usr/lib/python3/dist-packages/nacl]=python3-nacl
)
if [ "${1:-}" = mail ]; then
  package_of[postfix]=postfix
  package_of[smtp-sink]=postfix
  package_of[spamassassin]=spamassassin
fi
if [ "${1:-}" = wordpress ]; then
  package_of[/usr/share/wordpress/wp-load.php]=wordpress
  package_of[php]=php-cli
  package_of[/usr/sbin/mariadbd]=mariadb-server-core
fi
if [ "${1:-}" = engines ]; then
  package_of[/usr/lib/postgresql]=postgresql
  package_of[/usr/sbin/pgbouncer]=pgbouncer
  package_of[/usr/sbin/haproxy]=haproxy
  package_of[/usr/share/doc/python3-venv]=python3-venv
fi
if [ "${1:-}" = restores ]; then
  package_of[/usr/lib/postgresql]=postgresql
fi

missing=()
for needed in "${!package_of[@]}"; do
  case $needed in
  /*) [ -e "$needed" ] ;;
  *) command -v "$needed" >/dev/null ;;
  esac || missing+=("${package_of[$needed]}")
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
