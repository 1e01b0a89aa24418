#!/bin/sh
# Builds a real Kubernetes API server, its etcd, kube-controller-manager and kubectl, which some tests
# run, from the Go module proxy alone, into .cache/kube (or $COUNTERSIGN_CACHE/kube). None is started:
# each test starts its own. Takes 6 to 11 minutes on two cores, some 6 GB of disk meanwhile, and nothing
# when all is there.
#
#   sh scripts/kubernetes.sh

set -eu

VERSION=1.37.2
root=$(cd "$(dirname "$0")/.." && pwd)
folder=${COUNTERSIGN_CACHE:-$root/.cache}/kube/v$VERSION

present=yes
for program in kube-apiserver kube-controller-manager kubectl etcd; do
  [ -x "$folder/$program" ] || present=no
done
if [ "$present" = yes ]; then
  echo "kubernetes: $VERSION is in $folder"
  exit 0
fi
if ! command -v go >/dev/null; then
  echo 'kubernetes: no go on this machine; it builds the API server' >&2
  exit 1
fi

module=$folder/module
mkdir -p "$module"
cd "$module"
unset GOFLAGS
export GOWORK=off CGO_ENABLED=0

# k8s.io/kubernetes takes its own libraries from ./staging, which its module does not hold, and by
# replacements, which count for nobody who requires it. The same libraries are published, as v0.N.P:
# a module that replaces each with that builds the server.
upstream=$(go mod download -json "k8s.io/kubernetes@v$VERSION" | sed -n 's/^.*"GoMod": "\(.*\)".*$/\1/p')
if [ ! -f "$upstream" ]; then
  echo "kubernetes: the Go module proxy does not give k8s.io/kubernetes v$VERSION" >&2
  exit 1
fi
{
  echo 'module countersign/kubernetes'
  grep '^go ' "$upstream"
  grep '^godebug ' "$upstream" || true
  echo "require k8s.io/kubernetes v$VERSION"
  sed -n "s#^[[:space:]]*\(k8s\.io/[a-z-]*\) => \./staging/.*#replace \1 => \1 v0.${VERSION#1.}#p" "$upstream"
} >go.mod

# build PROGRAM PACKAGE
build() {
  [ ! -x "$folder/$1" ] || return 0
  echo "kubernetes: building $1"
  # Only the linker tells it its version.
  symbols=k8s.io/component-base/version
  minor=${VERSION#1.}
  go build -mod=mod -trimpath -buildvcs=false -o "$folder/$1.part" \
    -ldflags "-s -w -X $symbols.gitVersion=v$VERSION -X $symbols.gitMajor=1 -X $symbols.gitMinor=${minor%%.*}" \
    "$2"
  mv "$folder/$1.part" "$folder/$1"
}
build kube-apiserver k8s.io/kubernetes/cmd/kube-apiserver
build kube-controller-manager k8s.io/kubernetes/cmd/kube-controller-manager
build kubectl k8s.io/kubernetes/cmd/kubectl
# The version that this Kubernetes was made with: Debian's is too old for streaming lists.
build etcd go.etcd.io/etcd/server/v3
rm -rf "$module"
echo "kubernetes: built $VERSION in $folder"
