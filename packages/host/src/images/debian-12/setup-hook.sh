#!/bin/sh
# Runs before the first package: $1 is the root of the new system. Environment: HERE (this folder), CACHE.
set -eu
cp -R "$HERE/early/." "$1/"
mkdir -p "$1/var/cache/apt/archives"
find "$CACHE" -maxdepth 1 -name '*.deb' -exec cp -t "$1/var/cache/apt/archives" {} +
