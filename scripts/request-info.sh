#!/bin/sh
# Builds the program that tells what the Kubernetes API server makes of a request line, which some
# tests compare with, from the Go module proxy alone, into .cache/request-info (or
# $COUNTERSIGN_CACHE/request-info). Takes a minute at most, and nothing when it is there.
#
#   sh scripts/request-info.sh

set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
source=$root/test/servers/request-info
# A folder for each state of the source, which go.sum pins in turn.
state=$(cd "$source" && cat go.mod go.sum main.go | sha256sum | cut -c 1-16)
folder=${COUNTERSIGN_CACHE:-$root/.cache}/request-info/$state

if [ -x "$folder/request-info" ]; then
  echo "request-info: it is in $folder"
  exit 0
fi
if ! command -v go >/dev/null; then
  echo 'request-info: no go on this machine; it builds the program' >&2
  exit 1
fi

mkdir -p "$folder"
unset GOFLAGS
cd "$source"
GOWORK=off CGO_ENABLED=0 go build -mod=readonly -trimpath -buildvcs=false -ldflags '-s -w' \
  -o "$folder/request-info.part" .
mv "$folder/request-info.part" "$folder/request-info"
echo "request-info: built in $folder"
