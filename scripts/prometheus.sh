#!/bin/sh
# Builds Prometheus, and promtool, which checks and tests alert rules, from the Go module proxy alone, into
# .cache/prometheus (or $COUNTERSIGN_CACHE/prometheus). Without the files of its user interface. Takes minutes, and nothing when it exists.
#
#   sh scripts/prometheus.sh

set -eu

name=prometheus
VERSION=3.5.0
MODULE=0.305.0
root=$(cd "$(dirname "$0")/.." && pwd)
folder=${COUNTERSIGN_CACHE:-$root/.cache}/prometheus/v$VERSION
. "$root/scripts/go-program.sh"

[ ! -x "$folder/promtool" ] || [ ! -x "$folder/prometheus" ] || already_there
start Prometheus
prometheus=github.com/prometheus/prometheus
require "$prometheus" "v$MODULE"
build promtool "$prometheus/cmd/promtool" "-X github.com/prometheus/common/version.Version=$VERSION"
build prometheus "$prometheus/cmd/prometheus" "-X github.com/prometheus/common/version.Version=$VERSION"
finish
