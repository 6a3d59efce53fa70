#!/bin/sh
# Runs when all packages are installed: $1 is the root of the new system. Everything in here is root of the new system,
# by privilege or in a user namespace, so files get the right owners in both cases.
# Environment: HERE (this folder), CACHE, STAGE (files to lay over the system), OUT, DISK, KERNEL_ARGUMENTS,
# ROOT_UUID, ROOT_OFFSET, ROOT_KIB, BOOT_UUID, BOOT_OFFSET, BOOT_KIB.
set -eu
root=$1

echo 'kannuki: step configure'
find "$CACHE" -maxdepth 1 -name '*.deb' -delete
find "$root/var/cache/apt/archives" -maxdepth 1 -name '*.deb' -exec mv -t "$CACHE" {} +
rm -rf "$root/var/cache/apt/archives" "$root"/var/lib/apt/lists/* "$root"/etc/apt/apt.conf.d/[09]*mmdebstrap
rm -rf "$root"/var/log/*.log "$root"/var/log/apt/*
mkdir -p "$root/var/cache/apt/archives/partial"

fill() {
  sed -e "s|@ROOT_UUID@|$ROOT_UUID|g" -e "s|@BOOT_UUID@|$BOOT_UUID|g" -e "s|@KERNEL_ARGUMENTS@|$KERNEL_ARGUMENTS|g" "$1"
}
cp -R --no-preserve=ownership "$STAGE/." "$root/"
chmod 0755 "$root/usr/bin/kannuki" "$root/usr/lib/kannuki/provision" "$root/usr/lib/kannuki/node"
for file in etc/fstab etc/default/grub; do
  fill "$STAGE/$file" >"$root/$file"
done
chown -R 0:0 "$root/usr/lib/kannuki" "$root/etc/systemd"

printf 'kannuki-vm\n' >"$root/etc/hostname"
printf '127.0.0.1 localhost\n127.0.1.1 kannuki-vm\n::1 localhost ip6-localhost\n' >"$root/etc/hosts"
# The name server of QEMU's user-mode network.
rm -f "$root/etc/resolv.conf"
printf 'nameserver 10.0.2.3\n' >"$root/etc/resolv.conf"
: >"$root/etc/machine-id"
rm -f "$root"/etc/ssh/ssh_host_* "$root/var/lib/dbus/machine-id" "$root/var/lib/systemd/random-seed"

chroot "$root" systemctl --quiet enable systemd-networkd.service ssh.service kannuki-provision.service kannuki-agent.service
# Units that a server with neither screen nor people at it does not need: each would cost every boot some time, and
# where the processor is emulated (no KVM) that time is seconds.
chroot "$root" systemctl --quiet mask \
  getty.target apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service \
  fstrim.timer systemd-pstore.service systemd-update-utmp.service systemd-update-utmp-runlevel.service \
  systemd-binfmt.service proc-sys-fs-binfmt_misc.automount systemd-network-generator.service systemd-firstboot.service \
  systemd-repart.service systemd-pcrphase.service systemd-pcrphase-sysinit.service modprobe@drm.service \
  modprobe@configfs.service modprobe@fuse.service sys-kernel-config.mount sys-fs-fuse-connections.mount \
  dev-hugepages.mount dev-mqueue.mount sys-kernel-debug.mount sys-kernel-tracing.mount

echo 'kannuki: step boot-loader'
mkdir -p "$root/boot/grub/i386-pc"
cp "$root"/usr/lib/grub/i386-pc/*.mod "$root"/usr/lib/grub/i386-pc/*.lst "$root/boot/grub/i386-pc/"
fill "$HERE/grub.cfg" >"$root/boot/grub/grub.cfg"
fill "$HERE/grub-early.cfg" >"$root/boot/grub/early.cfg"
chroot "$root" grub-mkimage --format=i386-pc --output=/boot/grub/core.img --prefix=/grub --config=/boot/grub/early.cfg \
  biosdisk part_gpt ext2 search search_fs_uuid normal configfile linux echo test serial terminal
cp "$root/boot/grub/core.img" "$root/usr/lib/grub/i386-pc/boot.img" "$OUT/"
# shellcheck disable=SC2016 # dpkg-query fills these in itself.
chroot "$root" dpkg-query --show --showformat='${Package} ${Version}\n' >"$OUT/packages"

echo 'kannuki: step file-systems'
# Seen through a mount of its own, the tree has no /proc, /sys and /dev of the running build in it; empty folders lie over
# the places whose content does not belong there. Nothing is removed from the tree itself: the build still works in it.
plain=$OUT/plain
mkdir "$plain" "$OUT/boot" "$OUT/empty"
mkdir -m 1777 "$OUT/empty/tmp"
mkdir "$OUT/empty/boot" "$OUT/empty/run" "$OUT/empty/dev"
mount --bind "$root" "$plain"
cp -a "$plain/boot/." "$OUT/boot/"
for folder in tmp boot run dev; do
  mount --bind "$OUT/empty/$folder" "$plain/$folder"
done
# Named one by one: what mke2fs of this host makes by default may be newer than what GRUB and the kernel inside can read.
features=none,has_journal,ext_attr,resize_inode,dir_index,filetype,extent,64bit,flex_bg,sparse_super,large_file,huge_file
features=$features,dir_nlink,extra_isize,metadata_csum
make_file_system() {
  mke2fs -q -F -t ext4 -b 4096 -I 256 -O "$features" -L "$1" -U "$2" -E "offset=$3,hash_seed=$2,lazy_itable_init=0,lazy_journal_init=0" -d "$5" "$DISK" "$4k"
}
make_file_system boot "$BOOT_UUID" "$BOOT_OFFSET" "$BOOT_KIB" "$OUT/boot"
make_file_system root "$ROOT_UUID" "$ROOT_OFFSET" "$ROOT_KIB" "$plain"
for folder in tmp boot run dev; do
  umount "$plain/$folder"
done
umount "$plain"
rm -rf "${OUT:?}/boot" "${OUT:?}/empty"
rmdir "$plain"
