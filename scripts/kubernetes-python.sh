#!/bin/sh
# Installs the Python client of Kubernetes, which some tests run, from PyPI into .cache/kube-python (or
# $COUNTERSIGN_CACHE/kube-python). Takes half a minute, and nothing when it exists.
#
#   sh scripts/kubernetes-python.sh

set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
list=$root/scripts/kubernetes-python.txt
version=$(sed -n 's/^kubernetes==//p' "$list")
folder=${COUNTERSIGN_CACHE:-$root/.cache}/kube-python/$version

if [ -d "$folder" ]; then
  echo "kubernetes-python: $version is in $folder"
  exit 0
fi
rm -rf "$folder.part"
python3 -m pip install --quiet --no-deps --disable-pip-version-check --root-user-action=ignore \
  --target "$folder.part" --requirement "$list"
mv "$folder.part" "$folder"
echo "kubernetes-python: installed $version in $folder"
