#!/bin/sh
# Builds a real istiod, which some tests run, from the Go module proxy alone, and takes Istio's custom
# resource definitions from there, into .cache/istio (or $COUNTERSIGN_CACHE/istio). None is started:
# each test starts its own. Takes 4 to 8 minutes on two cores, some 3 GB of disk meanwhile, and nothing
# when it is there.
#
#   sh scripts/istio.sh

set -eu

# istio.io/istio has no tags there: this commit is what became 1.31. istio.io/api has them.
VERSION=1.31.0
COMMIT=v0.0.0-20260827124520-eed52ebb66ad
API=v1.31.4
root=$(cd "$(dirname "$0")/.." && pwd)
folder=${COUNTERSIGN_CACHE:-$root/.cache}/istio/v$VERSION

if [ -x "$folder/pilot-discovery" ] && [ -f "$folder/crds.yaml" ]; then
  echo "istio: $VERSION is in $folder"
  exit 0
fi
if ! command -v go >/dev/null; then
  echo 'istio: no go on this machine; it builds istiod' >&2
  exit 1
fi

module=$folder/module
mkdir -p "$module"
cd "$module"
unset GOFLAGS
export GOWORK=off CGO_ENABLED=0

api=$(go mod download -json "istio.io/api@$API" | sed -n 's/^.*"Dir": "\(.*\)".*$/\1/p')
if [ ! -f "$api/kubernetes/customresourcedefinitions.gen.yaml" ]; then
  echo "istio: the Go module proxy does not give istio.io/api $API" >&2
  exit 1
fi
install -m 644 "$api/kubernetes/customresourcedefinitions.gen.yaml" "$folder/crds.yaml"

# Istio's own list of modules, so that it is built with what it was made with.
upstream=$(go mod download -json "istio.io/istio@$COMMIT" | sed -n 's/^.*"GoMod": "\(.*\)".*$/\1/p')
if [ ! -f "$upstream" ]; then
  echo "istio: the Go module proxy does not give istio.io/istio $COMMIT" >&2
  exit 1
fi
{
  echo 'module countersign/istio'
  grep '^go ' "$upstream"
  echo "require istio.io/istio $COMMIT"
} >go.mod

echo 'istio: building pilot-discovery'
# Only the linker tells it its version.
go build -mod=mod -trimpath -buildvcs=false -o "$folder/pilot-discovery.part" \
  -ldflags "-s -w -X istio.io/istio/pkg/version.buildVersion=$VERSION" \
  istio.io/istio/pilot/cmd/pilot-discovery
mv "$folder/pilot-discovery.part" "$folder/pilot-discovery"
cd "$folder"
rm -rf "$module"
echo "istio: built $VERSION in $folder"
