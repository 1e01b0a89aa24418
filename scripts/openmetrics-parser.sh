#!/bin/sh
# Installs the Python client of Prometheus, which has the reference parser of OpenMetrics, from PyPI into .cache/openmetrics-parser
# (or $COUNTERSIGN_CACHE/openmetrics-parser). Takes seconds, and nothing when it exists.
#
#   sh scripts/openmetrics-parser.sh

set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
list=$root/scripts/openmetrics-parser.txt
version=$(sed -n 's/^prometheus_client==//p' "$list")
folder=${COUNTERSIGN_CACHE:-$root/.cache}/openmetrics-parser/$version

if [ -d "$folder" ]; then
  echo "openmetrics-parser: $version is in $folder"
  exit 0
fi
rm -rf "$folder.part"
python3 -m pip install --quiet --no-deps --disable-pip-version-check --root-user-action=ignore \
  --target "$folder.part" --requirement "$list"
mv "$folder.part" "$folder"
echo "openmetrics-parser: installed $version in $folder"
