#!/bin/sh
# First process of a lab machine (user-mode Linux). The host's root is below us, read-only, through hostfs, so the
# machine runs the host's own cryptsetup and file-system tools; everything writable is a tmpfs or one of the lab disks.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C
mount -t proc proc /proc
# Each program that is started here costs every machine a little, and a torture run has thousands of machines: so all at once.
# A checkout below /root or /tmp is out of sight from here on; the shell has this script open.
mount --all --fstab "${0%/*}/uml-fstab"
mkdir -p /mnt/lab /mnt/node /run/cryptsetup /run/lock /dev/pts

# The kernel's command line carries lab.share=… and so on; values have no spaces.
read -r words </proc/cmdline
for word in $words; do
  case "$word" in
    lab.share=*) share=${word#lab.share=} ;;
    lab.node=*) node=${word#lab.node=} ;;
    lab.modules=*) modules=${word#lab.modules=} ;;
    lab.init=*) script=${word#lab.init=} ;;
  esac
done
mount -t hostfs -o "$share" none /mnt/lab
exec >/mnt/lab/log 2>&1
mount -t hostfs -o "$modules" none /lib/modules
# By a mount of its own: a checkout below /root or /tmp lies under one of our tmpfs.
mount -t hostfs -o "${node%/*}" none /mnt/node

# A small /etc of our own: what the tools read, and nothing of the host's secrets.
mkdir -p /run/etc
set --
for entry in passwd group ld.so.cache ld.so.conf mke2fs.conf os-release nsswitch.conf lvm modprobe.d; do
  [ -e "/etc/$entry" ] && set -- "$@" "/etc/$entry"
done
cp -aL "$@" /run/etc/ 2>/dev/null
ln -s ../proc/self/mounts /run/etc/mtab
: >/run/etc/fstab
: >/run/etc/crypttab
mount --bind /run/etc /etc
# Machines that never had a lab before have no empty folder for the modules; then there is nothing to load and the run fails loudly.
modprobe -a dm-mod dm-crypt dm-log-writes loop vfat nls_cp437 nls_ascii xts || echo "lab: a kernel module is missing"
ip link set lo up 2>/dev/null

"/mnt/node/${node##*/}" --disable-warning=ExperimentalWarning "/mnt/lab/$script"
code=$?
# What the kernel had to say is half of the story of a failure.
[ "$code" -eq 0 ] || dmesg | tail -n 12
echo "$code" >/mnt/lab/exit-code
sync
echo o >/proc/sysrq-trigger
sleep 60
