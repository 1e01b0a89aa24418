#!/bin/sh
# Builds a real istiod, which some tests run, from the Go module proxy alone, and takes Istio's custom
# resource definitions from there, into .cache/istio (or $COUNTERSIGN_CACHE/istio). None is started:
# each test starts its own. Takes 4 to 8 minutes on two cores, some 3 GB of disk during the build, and nothing
# when it exists.
#
#   sh scripts/istio.sh

set -eu

name=istio
# istio.io/istio has no tags there: this commit became 1.31. istio.io/api has tags.
VERSION=1.31.0
COMMIT=v0.0.0-20260827124520-eed52ebb66ad
API=v1.31.4
root=$(cd "$(dirname "$0")/.." && pwd)
folder=${COUNTERSIGN_CACHE:-$root/.cache}/istio/v$VERSION
. "$root/scripts/go-program.sh"

if [ -x "$folder/pilot-discovery" ] && [ -f "$folder/crds.yaml" ]; then already_there; fi
start istiod

definitions=$(downloaded Dir istio.io/api "$API")/kubernetes/customresourcedefinitions.gen.yaml
[ -f "$definitions" ] || fail "the Go module proxy does not give istio.io/api $API"
install -m 644 "$definitions" "$folder/crds.yaml"

# Istio's own list of modules: the versions that it was released with.
istio=istio.io/istio
require "$istio" "$COMMIT"
build pilot-discovery "$istio/pilot/cmd/pilot-discovery" "-X $istio/pkg/version.buildVersion=$VERSION"
finish
