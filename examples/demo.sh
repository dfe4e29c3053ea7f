#!/bin/sh
# The hospital from its intent to proven configuration, shown to a person: demo.sh [PYTHON]
# Writes only build/hospital; needs neither root nor a server.
set -eu
cd "$(dirname "$0")/.."
python=${1:-python3}
project=examples/hospital
out=build/hospital

step() { printf '\n== %s\n' "$1"; }
ztosc() { printf '$ ztosc %s\n' "$*"; "$python" -m ztosc "$@"; }
excerpt() { printf -- '-- %s\n' "$1"; sed -n "1,$2p" "$1"; }

# The first file, in a stable order, below nodes/*/$1 that has a line like $2.
first() { find "$out"/nodes/*/"$1" -type f -exec grep -lE -- "$2" {} + | LC_ALL=C sort | sed -n 1p; }

step 'Is what was written well-formed?'
ztosc check $project

step 'Does it mean what its authors promise? Every assertion is decided, for every flow.'
ztosc verify $project

step "Do its authors' own examples hold?"
ztosc test $project

step 'Who may do what, and which line says so?'
ztosc why -C $project clinician ehr-web --with user.mfa=true --with device.health=healthy
ztosc why -C $project clinician ehr-web --with user.mfa=true

step 'Build: configuration for every node, proved against the network once more.'
mkdir -p build
ztosc build $project -o $out --locked

step 'What came out (bytes, file)'
find $out -type f -printf '%8s  %P\n' | LC_ALL=C sort -k2

step 'A firewall, and a zone'
excerpt "$(first nftables '^table ')" 30
excerpt "$(first bind '[[:space:]]SOA[[:space:]]')" 20

printf '\nEverything is in %s; its manifest leads each file back to the lines of the intent.\n' "$out"
