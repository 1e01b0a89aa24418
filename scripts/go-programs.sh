#!/bin/sh
# Builds the small Go programs that some tests run (test/servers/*/go.mod), from the Go module proxy
# alone, into .cache (or $COUNTERSIGN_CACHE): the API server's own parser of request lines, the streaming part of a
# kubelet, the controllers of cert-manager, Grafana's types. Takes some minutes, and nothing when they exist.
#
#   sh scripts/go-programs.sh

set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
unset GOFLAGS
export GOWORK=off CGO_ENABLED=0

for module in "$root"/test/servers/*/go.mod; do
  source=$(dirname "$module")
  name=$(basename "$source")
  # A folder for each version of the source; go.sum pins the modules.
  state=$(cd "$source" && cat go.mod go.sum *.go | sha256sum | cut -c 1-16)
  folder=${COUNTERSIGN_CACHE:-$root/.cache}/$name/$state
  if [ -x "$folder/$name" ]; then
    echo "$name: it is in $folder"
    continue
  fi
  if ! command -v go >/dev/null; then
    echo "$name: no go on this machine; it builds the program" >&2
    exit 1
  fi
  mkdir -p "$folder"
  (cd "$source" && go build -mod=readonly -trimpath -buildvcs=false -ldflags '-s -w' -o "$folder/$name.part" .)
  mv "$folder/$name.part" "$folder/$name"
  echo "$name: built in $folder"
done
