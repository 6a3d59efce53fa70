/**
 * Whether the first field of an fstab or crypttab line names the same disk after a reboot.
 * `lasting`: by something that is on the disk, or that its place or owner gives it. `passing`: by the order in which the
 * kernel found it. `other`: not a device (tmpfs, network, bind mount).
 */
export type SourceKind = 'lasting' | 'passing' | 'other';

const tag = /^(?:UUID|LABEL|PARTUUID|PARTLABEL|ID)=./;
const kernelName =
  /^\/dev\/(?:(?:sd|vd|xvd|hd|ubd)[a-z]+\d*|dasd[a-z]+\d*|(?:nvme\d+n|mmcblk|nbd|md|dm-|loop|pmem|ram|sr|zd|zram)\d+(?:p\d+)?)$/;

/** fstab(5), udev(7): `/dev/disk/by-*`, `/dev/disk/azure/*`, `/dev/mapper/*` and `/dev/GROUP/VOLUME` are links with lasting names. */
export function sourceKind(source: string): SourceKind {
  if (tag.test(source)) return 'lasting';
  if (!source.startsWith('/dev/')) return 'other';
  return kernelName.test(source) ? 'passing' : 'lasting';
}
