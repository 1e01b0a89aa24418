#!/bin/sh
# Makes a clean Debian with systemd, in which a test installs the Debian package, by debootstrap from the mirror of Debian,
# into .cache/debian (or $COUNTERSIGN_CACHE/debian). Takes a minute, and nothing when it exists.
#
#   sudo sh scripts/debian-root.sh

set -eu

# The oldest Debian that the package is for; a number of its own for each change below.
SUITE=bookworm
VERSION=1
root=$(cd "$(dirname "$0")/.." && pwd)
folder=${COUNTERSIGN_CACHE:-$root/.cache}/debian/$SUITE-$VERSION
if [ -d "$folder" ]; then
  echo "debian-root: $folder is there"
  exit 0
fi

missing=
command -v debootstrap >/dev/null || missing="$missing debootstrap"
command -v systemd-nspawn >/dev/null || missing="$missing systemd-container"
if [ -n "$missing" ]; then
  apt-get update
  # shellcheck disable=SC2086 # names of packages
  DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing
fi

part=$folder.part
rm -rf "$part"
mkdir -p "$(dirname "$folder")"
# What the package recommends is there, so that apt needs no network.
debootstrap --variant=minbase --include=systemd,systemd-sysv,dbus,logrotate "$SUITE" "$part"
rm -rf "$part/var/cache/apt/archives"/*.deb
mv "$part" "$folder"
echo "debian-root: made $folder"
