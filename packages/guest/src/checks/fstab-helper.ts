import { KannukiError } from '@kannuki/core';

export interface Partition {
  /** File-system UUID, as blkid prints it. */
  readonly uuid: string;
  readonly fileSystem: string;
}

/**
 * Lines of fstab for partitions at /data0, /data1 and so on (REQ-055), one string a line, without newlines.
 * @throws KannukiError KNK-VOL-0101 for what is no UUID: it would not name the partition
 * @example fstabLines([{ uuid: '1a2b-3c4d', fileSystem: 'ext4' }]) // ['UUID=1a2b-3c4d /data0 ext4 defaults,nofail 0 0']
 */
export function fstabLines(partitions: readonly Partition[]): readonly string[] {
  return partitions.map(({ uuid, fileSystem }, index) => {
    if (!/^[0-9A-Za-z-]{1,64}$/.test(uuid) || !/^[a-z0-9]{1,16}$/.test(fileSystem)) {
      throw new KannukiError('KNK-VOL-0101', { details: { program: 'blkid', detail: 'no UUID or no type' } });
    }
    return `UUID=${uuid} /data${index} ${fileSystem} defaults,nofail 0 0`;
  });
}

/**
 * The commands that enter partitions in fstab and prove it. Each works as it stands under sudo: the shell's own `>>` and
 * variables would not have root's rights (REQ-055).
 */
export function fstabHelper(partitions: readonly Partition[]): string {
  const lines = fstabLines(partitions);
  const folders = lines.map((_, index) => `/data${index}`).join(' ');
  return [
    `sudo mkdir -p ${folders}`,
    "sudo tee -a /etc/fstab >/dev/null <<'EOF'",
    ...lines,
    'EOF',
    'sudo mount -a',
    'lsblk',
    '',
  ].join('\n');
}
