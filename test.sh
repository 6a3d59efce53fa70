#!/bin/sh
# Sets everything up and runs every test that CI runs, on a fresh Debian 12 or Ubuntu machine. Needs root (or sudo) for
# packages, loop devices, and the lab.
set -eu
cd "$(dirname "$0")"

packages="user-mode-linux qemu-system-x86 qemu-utils mmdebstrap cryptsetup-bin e2fsprogs xfsprogs dosfstools mtools fdisk
  lvm2 mdadm btrfs-progs openssh-client dmsetup kmod psmisc procps jq openssl shellcheck ca-certificates seabios systemd
  grub-pc-bin grub-common util-linux iproute2 gcc g++ make python3 libc6-dev strace debian-archive-keyring libnss-myhostname softhsm2
  fio"

if [ "$(id -u)" -ne 0 ]; then
  exec sudo --preserve-env=CI,PATH "$0" "$@"
fi

missing=""
for package in $packages; do
  dpkg-query --show --showformat '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing="$missing $package"
done
if [ -n "$missing" ]; then
  apt-get update -q
  # shellcheck disable=SC2086
  DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing
fi
# The lab's kernel looks for its modules there; the folder itself is all that it needs.
mkdir -p /lib/modules

step() {
  printf '\n== %s (%s)\n' "$1" "$(date +%T)"
}

step "packages of npm"
[ -x node_modules/.bin/node ] || npm ci --no-audit --no-fund
step "types, format, lint"
npm run --silent check
step "shell scripts"
git ls-files -z | xargs -0 grep -lE '^#!/bin/(ba)?sh' | xargs shellcheck
step "unit and integration tests"
npm run --silent test
step "the vault service: Azure's SDKs by name and through the proxy"
npm run --silent conformance:keyvault
step "the lab: dm-crypt, power cuts (user-mode Linux); beside it VMs: boot, reboot, key volume (QEMU)"
# A VM keeps one core busy and waits a good deal: by itself it would leave half of a small machine idle.
log=$(mktemp)
npm run --silent test:vm >"$log" 2>&1 &
vms=$!
lab=0
npm run --silent lab || lab=$?
vm=0
wait "$vms" || vm=$?
step "VMs"
cat "$log"
rm "$log"
[ "$lab" -eq 0 ] && [ "$vm" -eq 0 ]
step "done"
