#!/bin/sh
# Installs the Debian packages whose tools judge what we emit; nothing that they bring may start. With `machine`, those of the tests in a
# machine of its own too.
# Without root, or without apt, it names what is missing and goes on: the tests that need it then skip, and say so.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
policy=/usr/sbin/policy-rc.d

machine=${1:-}

installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

# The kernel of the tests' machine: unpacked beneath build/, so that no boot loader and no initramfs of this machine ever hears of it.
kernel=$here/../build/kernel
unpack_kernel() {
  [ "$machine" = machine ] || return 0
  [ "$(uname -m)" = x86_64 ] || { echo "tools: no kernel for the tests' machine on $(uname -m)" >&2; return 0; }
  for found in "$kernel"/boot/vmlinuz-*; do [ -e "$found" ] && [ -e "$kernel/complete" ] && return 0; done
  name=$(apt-cache depends linux-image-cloud-amd64 2>/dev/null | sed -n 's/^ *Depends: *\(linux-image-.*\)/\1/p' | head -1)
  [ -n "$name" ] || { echo "tools: MISSING: no package linux-image-cloud-amd64; tests behind kernel VRFs will be skipped" >&2; return 0; }
  echo "tools: unpacking $name"
  rm -rf "$kernel"
  mkdir -p "$kernel/deb"
  (cd "$kernel/deb" && apt-get download -qq "$name" >/dev/null 2>&1) && dpkg-deb --fsys-tarfile "$kernel"/deb/*.deb |
    tar -x -C "$kernel" --wildcards './boot/vmlinuz-*' './lib/modules/*/modules.*' './lib/modules/*/kernel/arch' \
      './lib/modules/*/kernel/crypto' './lib/modules/*/kernel/lib' './lib/modules/*/kernel/net' './lib/modules/*/kernel/fs/fuse' \
      './lib/modules/*/kernel/fs/overlayfs' './lib/modules/*/kernel/drivers/net' './lib/modules/*/kernel/drivers/virtio' \
      './lib/modules/*/kernel/drivers/char' &&
    for version in "$kernel"/lib/modules/*; do depmod -b "$kernel" "${version##*/}"; done && touch "$kernel/complete" ||
    echo "tools: MISSING: could not unpack $name; tests behind kernel VRFs will be skipped" >&2
  rm -rf "$kernel/deb"
}

missing=
listed() {
  cat "$here/debian-packages.txt"
  [ "$machine" != machine ] || cat "$here/machine-packages.txt"
}
for package in $(listed | sed 's/#.*//'); do
  installed "$package" || missing="$missing $package"
done
if [ -z "$missing" ]; then
  echo "tools: all installed"
  [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null || unpack_kernel
  exit 0
fi

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
unpack_kernel
