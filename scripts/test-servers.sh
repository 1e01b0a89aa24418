#!/bin/sh
# Installs the directory, RADIUS, Redis, FastCGI servers and the browser that some tests run against, on Debian and Ubuntu. None
# of them is started: each test starts its own, on a free address, with data of its own. Run as root;
# may be run again at any time, and then does nothing when everything is there.
#
#   sudo sh scripts/test-servers.sh

set -eu

PACKAGES='
slapd
ldap-utils
samba
samba-ad-dc
samba-ad-provision
samba-dsdb-modules
samba-vfs-modules
winbind
python3-samba
ldb-tools
freeradius
redis-server
lighttpd
lighttpd-mod-openssl
php-cgi
chromium
libnss3-tools
fonts-dejavu-core
'

installed() {
  dpkg-query --show --showformat='${db:Status-Abbrev}' "$1" 2>/dev/null | grep -q '^ii'
}

missing=''
for package in $PACKAGES; do
  installed "$package" || missing="$missing $package"
done
if [ -z "$missing" ]; then
  echo 'test servers: all installed'
  exit 0
fi

export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# On older releases the AD controller is part of "samba", and what else is newer than they are is
# part of it too.
available=''
for package in $missing; do
  if [ -n "$(apt-cache search --names-only "^$package\$")" ]; then
    available="$available $package"
  else
    echo "test servers: this release has no package $package"
  fi
done
if [ -z "$available" ]; then
  exit 0
fi

# invoke-rc.d asks this file, and 101 means no: a package must not start its server.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  trap 'rm -f "$policy"' EXIT
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
fi
# shellcheck disable=SC2086 -- a list of words
apt-get install -y -qq --no-install-recommends $available
echo "test servers: installed$available"
