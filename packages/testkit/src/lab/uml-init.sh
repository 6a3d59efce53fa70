#!/bin/sh
# First process of a lab machine (user-mode Linux). The host's root is below us, read-only, through hostfs, so the
# machine runs the host's own cryptsetup and file-system tools; everything writable is a tmpfs or one of the lab disks.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
for directory in /tmp /run /mnt /srv /var/lib /boot /root; do mount -t tmpfs -o mode=0755 tmpfs "$directory"; done
mkdir -p /mnt/lab /mnt/node /run/cryptsetup /run/lock /dev/shm /dev/pts
mount -t tmpfs tmpfs /dev/shm

# The kernel's command line carries lab.share=… and so on; values have no spaces.
# shellcheck disable=SC2013
for word in $(cat /proc/cmdline); do
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
for entry in passwd group ld.so.cache ld.so.conf mke2fs.conf os-release nsswitch.conf lvm modprobe.d; do
  [ -e "/etc/$entry" ] && cp -aL "/etc/$entry" /run/etc/ 2>/dev/null
done
ln -s ../proc/self/mounts /run/etc/mtab
touch /run/etc/fstab /run/etc/crypttab
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
