#!/bin/sh
# On a fresh Debian or Ubuntu machine with npm: installs what is missing, and shows the whole story once. A VM's data
# disk is encrypted in place while a program writes to it, and unlocks by itself after a reboot.
#   ./quickstart.sh [--json] [--keep]     --json: only the report, as the last line of standard output
set -eu
cd "$(dirname "$0")"

packages="qemu-system-x86 qemu-utils mmdebstrap e2fsprogs mtools dosfstools fdisk openssh-client seabios ca-certificates
  grub-pc-bin grub-common util-linux debian-archive-keyring"

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

missing=""
for package in $packages; do
  dpkg-query --show --showformat '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing="$missing $package"
done
if [ -n "$missing" ]; then
  echo "Installing:$missing" >&2
  as_root apt-get update -q >&2
  # shellcheck disable=SC2086
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing >&2
fi
[ -x node_modules/.bin/node ] || npm ci --no-audit --no-fund >&2
npm run --silent build >&2
if [ "$(id -u)" -eq 0 ]; then
  exec node_modules/.bin/node e2e/quickstart/main.ts "$@"
fi
exec sudo --preserve-env=PATH node_modules/.bin/node e2e/quickstart/main.ts "$@"
