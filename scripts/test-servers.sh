#!/bin/sh
# Installs the servers that some tests use (LDAP, Active Directory, RADIUS, Redis, FastCGI), a browser, curl and shells, on
# Debian and Ubuntu. None of them is started: each test starts its own, on a free address, with its own data. Run as root. Does
# nothing when everything is installed.
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
curl
chromium
libnss3-tools
fonts-dejavu-core
zsh
fish
rsyslog
rsyslog-openssl
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
# On older releases the AD controller, like other newer packages, is part of "samba".
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

# invoke-rc.d runs this file; 101 forbids a package to start its server.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  trap 'rm -f "$policy"' EXIT
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
fi
# shellcheck disable=SC2086 -- a list of words
apt-get install -y -qq --no-install-recommends $available
echo "test servers: installed$available"
