#!/bin/sh
# Builds a real Kubernetes API server, its etcd, kube-controller-manager and kubectl, which some tests
# run, from the Go module proxy alone, into .cache/kube (or $COUNTERSIGN_CACHE/kube). None is started:
# each test starts its own. Takes 6 to 11 minutes on two cores, some 6 GB of disk during the build, and nothing
# when all exist.
#
#   sh scripts/kubernetes.sh

set -eu

name=kubernetes
VERSION=1.37.2
root=$(cd "$(dirname "$0")/.." && pwd)
folder=${COUNTERSIGN_CACHE:-$root/.cache}/kube/v$VERSION
. "$root/scripts/go-program.sh"

present=yes
for program in kube-apiserver kube-controller-manager kubectl etcd; do
  [ -x "$folder/$program" ] || present=no
done
[ "$present" = no ] || already_there
start 'the API server'

# k8s.io/kubernetes replaces its own libraries by ./staging, which its module does not contain; replacements do
# not apply to modules that require it. The same libraries are published as v0.N.P, so a module that replaces
# each of them builds the server.
require k8s.io/kubernetes "v$VERSION"
{
  grep '^godebug ' "$upstream" || true
  sed -n "s#^[[:space:]]*\(k8s\.io/[a-z-]*\) => \./staging/.*#replace \1 => \1 v0.${VERSION#1.}#p" "$upstream"
} >>go.mod

minor=${VERSION#1.}
symbols="-X k8s.io/component-base/version.gitVersion=v$VERSION"
symbols="$symbols -X k8s.io/component-base/version.gitMajor=1"
symbols="$symbols -X k8s.io/component-base/version.gitMinor=${minor%%.*}"
for program in kube-apiserver kube-controller-manager kubectl; do
  build "$program" "k8s.io/kubernetes/cmd/$program" "$symbols"
done
# The version that this Kubernetes was released with: Debian's is too old for streaming lists.
build etcd go.etcd.io/etcd/server/v3 "$symbols"
finish
