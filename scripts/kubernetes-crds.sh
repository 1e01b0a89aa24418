#!/bin/sh
# Fetches definitions of resources (CRDs) that the chart can render, of cert-manager and of the Prometheus Operator, from
# the Go module proxy alone, into .cache/crds (or $COUNTERSIGN_CACHE/crds). Tests put them into a real API server, which
# then validates these resources. Takes some seconds, and nothing when they exist.
#
#   sh scripts/kubernetes-crds.sh

set -eu

name=kubernetes-crds
CERT_MANAGER=1.21.2
PROMETHEUS_OPERATOR=0.85.0
VERSION=$CERT_MANAGER-$PROMETHEUS_OPERATOR
root=$(cd "$(dirname "$0")/.." && pwd)
folder=${COUNTERSIGN_CACHE:-$root/.cache}/crds/$VERSION
. "$root/scripts/go-program.sh"

# Of cert-manager, which its controllers need, too.
KINDS='certificates certificaterequests issuers'
# Of the Prometheus Operator.
MONITORING='podmonitors servicemonitors prometheusrules'

present=yes
for kind in $KINDS; do
  [ -f "$folder/cert-manager.io_$kind.yaml" ] || present=no
done
for kind in $MONITORING; do
  [ -f "$folder/monitoring.coreos.com_$kind.yaml" ] || present=no
done
[ "$present" = no ] || already_there
final=$folder
folder=$final.part
rm -rf "$folder"
start 'nothing, and downloads the definitions'

# fetch MODULE VERSION FILE: copies a file of a module.
fetch() {
  directory=$(downloaded Dir "$1" "$2")
  [ -f "$directory/$3" ] || fail "the Go module proxy does not give $3 of $1 $2"
  cp "$directory/$3" "$folder/"
}

for kind in $KINDS; do
  fetch github.com/cert-manager/cert-manager "v$CERT_MANAGER" "deploy/crds/cert-manager.io_$kind.yaml"
done
for kind in $MONITORING; do
  fetch github.com/prometheus-operator/prometheus-operator "v$PROMETHEUS_OPERATOR" \
    "example/prometheus-operator-crd/monitoring.coreos.com_$kind.yaml"
done
cd "$folder"
rm -rf "$module"
chmod u+w ./*
rm -rf "$final"
mv "$folder" "$final"
echo "$name: fetched $VERSION into $final"
