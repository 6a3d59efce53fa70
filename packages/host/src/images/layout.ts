const sectorBytes = 512;
const mib = 1024 * 1024;

export interface Partition {
  readonly offsetBytes: number;
  readonly sizeBytes: number;
  /** GPT partition type. */
  readonly type: string;
  readonly name: string;
  /** Of the partition; of the file system in it where there is one. */
  readonly uuid: string;
}

/** Where things are on an image's disk: GPT, BIOS boot, a separate /boot, and the root file system last so that it can grow. */
export interface Layout {
  readonly diskBytes: number;
  readonly diskUuid: string;
  readonly biosBoot: Partition;
  readonly boot: Partition;
  readonly root: Partition;
}

const linuxFileSystem = '0FC63DAF-8483-4772-8E79-3D69D8477DE4';
/** "Hah!IdontNeedEFI": the place that GRUB's core image has on a GPT disk. */
const biosBootType = '21686148-6449-6E6F-744E-656564454649';
const alignment = mib;
/** Room for the backup GPT (33 sectors), rounded up. */
const tail = mib;

/**
 * Identifiers are fixed, so that equal inputs give an equal table; every VM starts from a copy of the same disk anyway.
 * @param bootMiB size of /boot; an `/boot/luks` header (16 MiB) and two kernels have to fit
 */
export function imageLayout(bootMiB: number, rootMiB: number): Layout {
  const biosBoot = {
    offsetBytes: alignment,
    sizeBytes: mib,
    type: biosBootType,
    name: 'bios-boot',
    uuid: '6b616e6e-756b-4101-8000-000000000001',
  };
  const boot = {
    offsetBytes: biosBoot.offsetBytes + biosBoot.sizeBytes,
    sizeBytes: bootMiB * mib,
    type: linuxFileSystem,
    name: 'boot',
    uuid: '6b616e6e-756b-4101-8000-000000000002',
  };
  const root = {
    offsetBytes: boot.offsetBytes + boot.sizeBytes,
    sizeBytes: rootMiB * mib,
    type: linuxFileSystem,
    name: 'root',
    uuid: '6b616e6e-756b-4101-8000-000000000003',
  };
  const diskBytes = root.offsetBytes + root.sizeBytes + tail;
  return { diskBytes, diskUuid: '6b616e6e-756b-4101-8000-000000000000', biosBoot, boot, root };
}

/** Input of sfdisk(8) that writes this table. */
export function sfdiskScript(layout: Layout): string {
  const lines = [layout.biosBoot, layout.boot, layout.root].map((partition) =>
    [
      `start=${partition.offsetBytes / sectorBytes}`,
      `size=${partition.sizeBytes / sectorBytes}`,
      `type=${partition.type}`,
      `uuid=${partition.uuid}`,
      `name=${partition.name}`,
    ].join(', '),
  );
  return ['label: gpt', `label-id: ${layout.diskUuid}`, 'unit: sectors', ...lines, ''].join('\n');
}
