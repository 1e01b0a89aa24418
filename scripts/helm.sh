#!/bin/sh
# Builds Helm, which renders and checks the chart of deploy/kubernetes, from the Go module proxy alone,
# into .cache/helm (or $COUNTERSIGN_CACHE/helm). Takes three or four minutes on two cores, and nothing
# when it exists.
#
#   sh scripts/helm.sh

set -eu

name=helm
VERSION=3.22.0
root=$(cd "$(dirname "$0")/.." && pwd)
folder=${COUNTERSIGN_CACHE:-$root/.cache}/helm/v$VERSION
. "$root/scripts/go-program.sh"

[ ! -x "$folder/helm" ] || already_there
start Helm

# Helm's own list of modules: the versions that it was released with.
helm=helm.sh/helm/v3
require "$helm" "v$VERSION"

# The Kubernetes version for which it renders by default.
minor=$(sed -n 's/^.*k8s\.io\/client-go v0\.\([0-9]*\)\..*$/\1/p' "$upstream")
symbols="-X $helm/internal/version.version=v$VERSION"
for package in chartutil lint/rules; do
  symbols="$symbols -X $helm/pkg/$package.k8sVersionMajor=1 -X $helm/pkg/$package.k8sVersionMinor=$minor"
done
build helm "$helm/cmd/helm" "$symbols"
finish
