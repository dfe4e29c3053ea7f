#!/bin/sh
# Installs the Debian packages whose tools judge what we emit; nothing that they bring may start.
# Without root, or without apt, it names what is missing and goes on: the tests that need it then skip, and say so.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
policy=/usr/sbin/policy-rc.d

installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

missing=
for package in $(sed 's/#.*//' "$here/debian-packages.txt"); do
  installed "$package" || missing="$missing $package"
done
[ -n "$missing" ] || { echo "tools: all installed"; exit 0; }

if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
  echo "tools: MISSING, and the tests that need them will be skipped:$missing" >&2
  echo "tools: run as root on Debian to have them installed" >&2
  exit 0
fi

# A policy that answers 101 forbids every start; what stood there before comes back however this ends.
saved=$(mktemp -d)
restore() {
  rm -f "$policy"
  if [ -e "$saved/policy" ] || [ -L "$saved/policy" ]; then mv "$saved/policy" "$policy"; fi
  rm -rf "$saved"
}
trap restore EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
if [ -e "$policy" ] || [ -L "$policy" ]; then mv "$policy" "$saved/policy"; fi
printf '#!/bin/sh\nexit 101\n' >"$policy"
chmod 755 "$policy"

echo "tools: installing$missing"
log=$saved/log
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086  # one word a package
{ apt-get update -qq && apt-get install -qq -y --no-install-recommends $missing; } >"$log" 2>&1 ||
  { tail -20 "$log" >&2; echo "tools: could not install:$missing" >&2; exit 1; }
