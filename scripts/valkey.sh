#!/bin/sh
# Unpacks Valkey of the backports of Debian 12, from the mirror that apt uses, into .cache/valkey (or $COUNTERSIGN_CACHE/valkey). It is
# not installed. Where Valkey is installed, and when it was unpacked before, this does nothing.
#
#   sudo sh scripts/valkey.sh

set -eu

SUITE=bookworm-backports
root=$(cd "$(dirname "$0")/.." && pwd)
folder=${COUNTERSIGN_CACHE:-$root/.cache}/valkey/$SUITE
if [ -x "$folder/usr/bin/valkey-server" ] || command -v valkey-server >/dev/null; then
  echo 'valkey: is there'
  exit 0
fi

# What Valkey needs is there with Redis.
mirror=$(apt-get indextargets --format '$(CREATED_BY) $(RELEASE) $(SITE)' | sed -n 's/^Packages bookworm //p' | head -n 1)
if [ -z "$mirror" ]; then
  echo 'valkey: this is not Debian 12; install valkey-server by its own package' >&2
  exit 1
fi
apt=$(mktemp -d)
trap 'rm -rf "$apt"' EXIT
mkdir -p "$apt/lists/partial" "$apt/archives/partial" "$apt/packages"
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $SUITE main" >"$apt/sources.list"
options="-o Dir::Etc::SourceList=$apt/sources.list -o Dir::Etc::SourceParts=/dev/null -o Dir::State::Lists=$apt/lists -o Dir::Cache=$apt -o APT::Sandbox::User=root"
# shellcheck disable=SC2086 # options
apt-get $options update -qq
# shellcheck disable=SC2086
(cd "$apt/packages" && apt-get $options download -qq valkey-tools/$SUITE valkey-server/$SUITE)
part=$folder.part
rm -rf "$part"
mkdir -p "$part"
for package in "$apt/packages"/*.deb; do dpkg-deb --extract "$package" "$part"; done
"$part/usr/bin/valkey-server" --version
mv "$part" "$folder"
echo "valkey: unpacked into $folder"
