#!/bin/sh
# Builds grpc_health_probe, by which clusters ask gRPC servers for their health, from the Go module proxy alone, into
# .cache/grpc-health-probe (or $COUNTERSIGN_CACHE/grpc-health-probe). Takes a minute, and nothing when it exists.
#
#   sh scripts/grpc-health-probe.sh

set -eu

name=grpc-health-probe
VERSION=0.4.62
root=$(cd "$(dirname "$0")/.." && pwd)
folder=${COUNTERSIGN_CACHE:-$root/.cache}/grpc-health-probe/v$VERSION
. "$root/scripts/go-program.sh"

[ ! -x "$folder/grpc_health_probe" ] || already_there
start grpc_health_probe
probe=github.com/grpc-ecosystem/grpc-health-probe
require "$probe" "v$VERSION"
build grpc_health_probe "$probe" "-X main.versionTag=v$VERSION"
finish
