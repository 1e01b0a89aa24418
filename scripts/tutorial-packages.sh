#!/bin/sh
# Downloads the Python packages that tutorials install, from PyPI into .cache/tutorials (or $COUNTERSIGN_CACHE/tutorials), so
# that the tests of the tutorials need no registry. Takes ten seconds, and nothing when they are there.
#
#   sh scripts/tutorial-packages.sh

set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
list=$root/scripts/tutorial-packages.txt
python=$(python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')
digest=$(sha256sum "$list" | cut -c 1-12)
folder=${COUNTERSIGN_CACHE:-$root/.cache}/tutorials/$python-$digest

# Debian has what a virtual environment needs in a package of its own.
if ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
  echo 'tutorial-packages: python3 cannot make virtual environments: install python3-venv' >&2
  exit 1
fi
if [ -d "$folder" ]; then
  echo "tutorial-packages: all are in $folder"
  exit 0
fi
rm -rf "$folder.part"
python3 -m pip download --quiet --no-deps --only-binary=:all: --disable-pip-version-check \
  --dest "$folder.part" --requirement "$list"
mv "$folder.part" "$folder"
echo "tutorial-packages: downloaded into $folder"
