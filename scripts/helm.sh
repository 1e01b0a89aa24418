#!/bin/sh
# Builds Helm, which renders and checks the chart of deploy/kubernetes, from the Go module proxy alone,
# into .cache/helm (or $COUNTERSIGN_CACHE/helm). Takes three or four minutes on two cores, and nothing
# when it is there.
#
#   sh scripts/helm.sh

set -eu

VERSION=3.22.0
root=$(cd "$(dirname "$0")/.." && pwd)
folder=${COUNTERSIGN_CACHE:-$root/.cache}/helm/v$VERSION

if [ -x "$folder/helm" ]; then
  echo "helm: $VERSION is in $folder"
  exit 0
fi
if ! command -v go >/dev/null; then
  echo 'helm: no go on this machine; it builds Helm' >&2
  exit 1
fi

module=$folder/module
mkdir -p "$module"
cd "$module"
unset GOFLAGS
export GOWORK=off CGO_ENABLED=0

# Helm's own list of modules, so that it is built with what it was made with.
upstream=$(go mod download -json "helm.sh/helm/v3@v$VERSION" | sed -n 's/^.*"GoMod": "\(.*\)".*$/\1/p')
if [ ! -f "$upstream" ]; then
  echo "helm: the Go module proxy does not give helm.sh/helm/v3 v$VERSION" >&2
  exit 1
fi
{
  echo 'module countersign/helm'
  grep '^go ' "$upstream"
  echo "require helm.sh/helm/v3 v$VERSION"
} >go.mod

echo 'helm: building helm'
# Only the linker tells it its version, and for which Kubernetes it renders where none is asked.
helm=helm.sh/helm/v3
minor=$(sed -n 's/^.*k8s\.io\/client-go v0\.\([0-9]*\)\..*$/\1/p' "$upstream")
symbols="-X $helm/internal/version.version=v$VERSION"
for package in chartutil lint/rules; do
  symbols="$symbols -X $helm/pkg/$package.k8sVersionMajor=1 -X $helm/pkg/$package.k8sVersionMinor=$minor"
done
go build -mod=mod -trimpath -buildvcs=false -o "$folder/helm.part" -ldflags "-s -w $symbols" "$helm/cmd/helm"
mv "$folder/helm.part" "$folder/helm"
rm -rf "$module"
echo "helm: built $VERSION in $folder"
