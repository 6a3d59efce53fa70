import type { Finding, Text } from '@kannuki/core';
import type { BlockDevice, GuestFacts, Volume, VolumeGroupFact } from '../facts/model.ts';
import { isOnOsDisk, lastingName } from '../targets/devices.ts';
import { aboveGroup, membersOf, mountedInGroup, physicalVolumeOn } from '../targets/volume-groups.ts';
import { found } from './finding.ts';
import { checkFstab } from './fstab.ts';
import { checkNesting, checkOtherMounts, checkOverOsFolder, checkWritable } from './mounts.ts';
import { checkOpenFiles } from './open-files.ts';

/**
 * What stands in the way of putting dm-crypt below a physical volume of LVM: the group itself, how LVM is set up, and each of the
 * group's volumes, which all have to be let go of for a moment and to come back at boot by themselves.
 */
export function checkPhysicalVolume(facts: GuestFacts, { device }: Volume, stopServices: boolean): Finding[] {
  const physical = physicalVolumeOn(facts, device);
  const group = physical?.group ?? null;
  if (physical === undefined || group === null) return [withoutGroup(device)];
  const volumes = mountedInGroup(facts, group);
  return [
    ...checkGroup(device, group, physical.isDuplicate),
    ...checkNotOs(facts, device, group),
    ...checkAbove(facts, device, group),
    ...checkLvmSetup(facts, device),
    ...checkSwapLines(facts, group),
    ...volumes.flatMap((volume) => [
      ...checkWritable(facts, volume),
      ...checkFstab(facts, volume),
      ...checkNesting(withoutOthers(facts, volumes, volume), volume),
      ...checkOtherMounts(facts, volume),
      ...checkOverOsFolder(facts, volume),
      ...checkOpenFiles(facts, volume, stopServices),
    ]),
  ];
}

/** Volumes of one group go and come back together, the inner ones first and last: one below the other is no harm. */
function withoutOthers(facts: GuestFacts, volumes: readonly Volume[], own: Volume): GuestFacts {
  const others = volumes.filter((volume) => volume !== own);
  const mounts = new Set(others.map(({ mount }) => mount));
  const lines = new Set(others.map(({ fstab }) => fstab));
  return {
    ...facts,
    mounts: facts.mounts.filter((mount) => !mounts.has(mount)),
    fstab: facts.fstab.filter((line) => !lines.has(line)),
  };
}

function withoutGroup({ path }: BlockDevice): Finding {
  return refuse(
    path,
    `${path} is a physical volume of LVM and belongs to no volume group that LVM can see`,
    `${path} は LVM の物理ボリュームですが、属するボリューム グループが見つかりません`,
    { en: 'look at `pvs` and `vgs`; an empty disk is formatted instead', ja: '`pvs` と `vgs` で確認してください' },
  );
}

function checkGroup({ path }: BlockDevice, group: VolumeGroupFact, isDuplicate: boolean): Finding[] {
  const { name, missingCount, isElsewhere } = group;
  const findings: Finding[] = [];
  if (isDuplicate) {
    findings.push(
      refuse(
        path,
        `LVM sees the physical volume on ${path} on another device too: one is a copy or a snapshot`,
        `${path} の物理ボリュームが別のデバイスにも見つかりました。一方は複製またはスナップショットです`,
        {
          en: 'detach the copy, or give it ids of its own with `vgimportclone`',
          ja: '複製を取り外すか、`vgimportclone` で別の ID を付けてください',
        },
      ),
    );
  }
  if (missingCount > 0) {
    findings.push(
      refuse(
        path,
        `${missingCount} physical volumes of the volume group ${name} are missing`,
        `ボリューム グループ ${name} の物理ボリュームが ${missingCount} 個見つかりません`,
        {
          en: 'attach or unlock the missing disks first',
          ja: '先に不足しているディスクを接続またはロック解除してください',
        },
      ),
    );
  }
  if (isElsewhere) {
    findings.push(
      refuse(
        path,
        `the volume group ${name} is exported or shared with other machines`,
        `ボリューム グループ ${name} はエクスポート済み、または他のマシンと共有されています`,
        {
          en: 'import it here (`vgimport`), or encrypt it where it is used by one machine only',
          ja: '`vgimport` でこのマシンに取り込むか、1 台だけが使う構成にしてください',
        },
      ),
    );
  }
  return findings;
}

/** The boot needs the OS before anything can be unlocked by us. */
function checkNotOs(facts: GuestFacts, { path }: BlockDevice, group: VolumeGroupFact): Finding[] {
  if (!membersOf(facts, group).some((member) => isOnOsDisk(facts, member))) return [];
  return [
    refuse(
      path,
      `the volume group ${group.name} holds volumes of the OS, or lies on the OS disk`,
      `ボリューム グループ ${group.name} は OS のボリュームを含むか、OS ディスク上にあります`,
      {
        en: 'name the logical volumes that hold data, or move them to a group of their own',
        ja: 'データの論理ボリュームを指定するか、別のボリューム グループに移してください',
      },
    ),
  ];
}

/** What is made of logical volumes is not ours to take down. */
function checkAbove(facts: GuestFacts, { path }: BlockDevice, group: VolumeGroupFact): Finding[] {
  return aboveGroup(facts, group)
    .filter(({ type }) => type !== 'lvm')
    .map((other) =>
      other.type === 'crypt'
        ? found(
            'refuse',
            'REQ-254',
            path,
            {
              en: `${other.path} is an encrypted logical volume of ${group.name}: encryption above and below LVM are not mixed`,
              ja: `${other.path} は ${group.name} の暗号化済み論理ボリュームです。LVM の上と下の暗号化を混在させることはできません`,
            },
            {
              en: 'encrypt the other logical volumes one by one too, or decrypt this one first',
              ja: '残りも論理ボリュームごとに暗号化するか、先にこのボリュームを復号してください',
            },
          )
        : refuse(
            path,
            `${other.path} lies on a logical volume of ${group.name}`,
            `${other.path} が ${group.name} の論理ボリューム上にあります`,
            { en: `take ${other.path} down for the time being`, ja: `一時的に ${other.path} を停止してください` },
          ),
    );
}

/** LVM must never see the raw disk again, by a name that lasts (README of LVM's filters: lvm.conf(5)). */
function checkLvmSetup(facts: GuestFacts, device: BlockDevice): Finding[] {
  const name = lastingName(device);
  const findings: Finding[] = [];
  if (name?.startsWith('/dev/disk/') !== true) {
    findings.push(
      found(
        'refuse',
        'REQ-043',
        device.path,
        {
          en: `${device.path} has no name below /dev/disk that stays the same, by which LVM could be told to look past it`,
          ja: `${device.path} には /dev/disk 以下の永続的な名前がなく、LVM の検出対象から確実に除外できません`,
        },
        {
          en: 'give the disk a serial number in the settings of the VM, or make a GPT partition for the physical volume',
          ja: 'VM の設定でディスクにシリアル番号を付けるか、GPT パーティション上に物理ボリュームを作成してください',
        },
      ),
    );
  }
  if (facts.lvmUsesDevicesFile) {
    findings.push(
      refuse(
        device.path,
        'LVM uses a devices file (/etc/lvm/devices/system.devices), with which filters have no effect; this version hides raw disks by a filter',
        'LVM がデバイス ファイル (/etc/lvm/devices/system.devices) を使用しているため、フィルターによる除外が効きません',
        {
          en: 'encrypt the logical volumes instead; or set use_devicesfile=0 in /etc/lvm/lvmlocal.conf and move the file away',
          ja: '論理ボリュームを個別に暗号化するか、/etc/lvm/lvmlocal.conf で use_devicesfile=0 とし、このファイルを退避してください',
        },
      ),
    );
  }
  return findings;
}

/** Swap on a logical volume comes up after the unlock; without nofail the boot would wait for it. */
function checkSwapLines(facts: GuestFacts, group: VolumeGroupFact): Finding[] {
  const names = new Set(aboveGroup(facts, group).map(({ kernelName }) => kernelName));
  return facts.fstab
    .filter(({ entry }) => entry !== null && entry.fileSystem === 'swap' && names.has(entry.device ?? ''))
    .filter(({ entry }) => entry?.options.includes('nofail') !== true)
    .map(({ lineNumber, line }) =>
      found(
        'refuse',
        'REQ-042',
        `/etc/fstab:${lineNumber}`,
        {
          en: `the swap space of the group has no nofail, so that a locked disk can hang the boot: ${line.trim().slice(0, 200)}`,
          ja: `スワップの行に nofail がないため、ロックされたディスクがあると起動が止まることがあります: ${line.trim().slice(0, 200)}`,
        },
        { en: 'add nofail to its options', ja: 'オプションに nofail を追加してください' },
      ),
    );
}

function refuse(subject: string, en: string, ja: string, remedy: Text): Finding {
  return found('refuse', 'REQ-090', subject, { en, ja }, remedy);
}
