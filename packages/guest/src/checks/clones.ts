import type { Finding } from '@kannuki/core';
import type { GuestFacts, Volume } from '../facts/model.ts';
import { lastingName } from '../targets/devices.ts';
import { found, nameOf } from './finding.ts';

/** Two devices with one file-system UUID: after a reboot the copy may be mounted in place of the volume (REQ-043). */
export function checkClones(facts: GuestFacts, volume: Volume): Finding[] {
  const { device } = volume;
  const uuid = device.signature?.uuid ?? null;
  // Members of one RAID array have one UUID by design.
  if (uuid === null || device.signature?.usage !== 'filesystem') return [];
  // Whatever something lies on shows the signature of what is on top (mirrors, multipath) and is no copy.
  const copies = facts.devices.filter(
    (other) =>
      other !== device &&
      other.signature?.uuid === uuid &&
      // Members of one btrfs share its UUID by design too.
      !(device.fileSystem?.hasOtherDevices === true && device.signature?.type === 'btrfs') &&
      other.children.length === 0 &&
      !other.parents.includes(device.kernelName),
  );
  return copies.map(({ path }) =>
    found(
      'refuse',
      'REQ-043',
      nameOf(volume),
      {
        en: `${path} has the same file system UUID ${uuid}: it is a copy or a snapshot of ${device.path}`,
        ja: `${path} のファイル システム UUID が同じ (${uuid}) です。${device.path} の複製またはスナップショットです`,
      },
      {
        en: 'detach the copy, or give it a UUID of its own (`tune2fs -U random`, `xfs_admin -U generate`)',
        ja: '複製を取り外すか、別の UUID を付けてください (`tune2fs -U random`、`xfs_admin -U generate`)',
      },
    ),
  );
}

/** After its conversion a disk has no UUID; without another lasting name it is known by kernel name, size and serial only. */
export function checkLastingName(_facts: GuestFacts, volume: Volume): Finding[] {
  const { device } = volume;
  if (lastingName(device) !== null) return [];
  return [
    found(
      'warn',
      'REQ-043',
      nameOf(volume),
      {
        en: `${device.path} has no name below /dev/disk that stays the same; if disks change places it is recognised by its size${device.serial === null ? '' : ' and serial number'} and left locked when that does not fit`,
        ja: `${device.path} には /dev/disk 以下の永続的な名前がありません。ディスクの順序が変わった場合は容量${device.serial === null ? '' : 'とシリアル番号'}で確認し、一致しなければロックしたままにします`,
      },
      {
        en: 'give the disk a serial number in the settings of the VM',
        ja: 'VM の設定でディスクにシリアル番号を付けてください',
      },
    ),
  ];
}
