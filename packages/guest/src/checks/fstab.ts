import type { Finding } from '@kannuki/core';
import { sourceKind } from '@kannuki/formats';
import type { FstabEntry, FstabFact, GuestFacts, Volume } from '../facts/model.ts';
import { lastingName } from '../targets/devices.ts';
import { entriesOf } from '../targets/targets.ts';
import { found, nameOf } from './finding.ts';

/** Lines of fstab that nobody can read, whatever they were for (REQ-044). */
export function checkFstabLines({ fstab }: Pick<GuestFacts, 'fstab'>): Finding[] {
  return fstab
    .filter(({ entry }) => entry === null)
    .map((line) =>
      found(
        'warn',
        'REQ-044',
        at(line),
        {
          en: `this line is no entry of six fields: ${shown(line)}`,
          ja: `6 つのフィールドを持つエントリとして解釈できない行です: ${shown(line)}`,
        },
        {
          en: 'write it as `device mount-point type options dump pass`, or take it out; `findmnt --verify` checks the file',
          ja: '`デバイス マウントポイント 種類 オプション dump pass` の形式に直すか、削除してください。`findmnt --verify` で検証できます',
        },
      ),
    );
}

/** The volume's line of fstab: there, with nofail, with a name that lasts, and right (REQ-041 to REQ-045). */
export function checkFstab(facts: GuestFacts, volume: Volume): Finding[] {
  const { fstab } = volume;
  if (fstab?.entry === null || fstab === null) return [absent(volume)];
  const line = { fact: fstab, entry: fstab.entry, volume };
  return [
    ...checkNofail(line),
    ...checkName(line),
    ...checkFields(line),
    ...checkType(line),
    ...checkPoint(line),
    ...checkDevice(line),
    ...checkOptions(line),
    ...checkSingle(facts, line),
  ];
}

interface Line {
  readonly fact: FstabFact;
  readonly entry: FstabEntry;
  readonly volume: Volume;
}

function at({ lineNumber }: FstabFact): string {
  return `/etc/fstab:${lineNumber}`;
}

/** The line for people: they know it as text. */
function shown({ line }: FstabFact): string {
  return Buffer.from(line.trim().slice(0, 200), 'latin1').toString('utf8');
}

/** What stands in fstab in place of the name there. */
function wantedName({ volume }: Pick<Line, 'volume'>): string {
  const uuid = volume.device.signature?.uuid ?? null;
  return uuid === null ? (lastingName(volume.device) ?? volume.device.path) : `UUID=${uuid}`;
}

function absent(volume: Volume): Finding {
  const { device, mount } = volume;
  const point = mount?.point ?? '/data0';
  const line = `${wantedName({ volume })} ${point.replaceAll(' ', '\\040')} ${device.signature?.type ?? 'auto'} defaults,nofail 0 2`;
  return found(
    'refuse',
    'REQ-041',
    nameOf(volume),
    { en: `${nameOf(volume)} has no line in /etc/fstab`, ja: `${nameOf(volume)} の行が /etc/fstab にありません` },
    { en: `add the line: ${line}`, ja: `次の行を追加してください: ${line}` },
  );
}

function checkNofail({ fact, entry }: Line): Finding[] {
  if (entry.options.includes('nofail')) return [];
  return [
    found(
      'refuse',
      'REQ-042',
      at(fact),
      {
        en: `the line has no nofail, so that a locked disk can hang the boot: ${shown(fact)}`,
        ja: `nofail がないため、ロックされたディスクがあると起動が止まることがあります: ${shown(fact)}`,
      },
      {
        en: `write the options as ${[...entry.options, 'nofail'].join(',')}`,
        ja: `オプションを ${[...entry.options, 'nofail'].join(',')} としてください`,
      },
    ),
  ];
}

/** Names that the kernel gives in the order in which it finds disks (REQ-043). */
function checkName({ fact, entry, volume }: Line): Finding[] {
  if (sourceKind(entry.source) !== 'passing') return [];
  return [
    found(
      'refuse',
      'REQ-043',
      at(fact),
      {
        en: `${entry.source} may be another disk after a reboot: ${shown(fact)}`,
        ja: `${entry.source} は再起動後に別のディスクを指すことがあります: ${shown(fact)}`,
      },
      {
        en: `write ${wantedName({ volume })} in place of ${entry.source}`,
        ja: `${entry.source} の代わりに ${wantedName({ volume })} と書いてください`,
      },
    ),
  ];
}

function checkFields({ fact, entry }: Line): Finding[] {
  if (entry.fieldCount === 6) return [];
  return [
    found(
      'warn',
      'REQ-044',
      at(fact),
      {
        en: `the line has ${entry.fieldCount} of six fields; the others count as ${entry.options.join(',')} ${entry.dump} ${entry.pass}`,
        ja: `フィールドが 6 つではなく ${entry.fieldCount} つです。残りは ${entry.options.join(',')} ${entry.dump} ${entry.pass} として扱われます`,
      },
      { en: 'write all six', ja: '6 つすべてを書いてください' },
    ),
  ];
}

const extFamily = new Set(['ext2', 'ext3', 'ext4']);

function checkType({ fact, entry, volume }: Line): Finding[] {
  const real = volume.device.signature?.type;
  if (real === undefined || entry.fileSystem === real || entry.fileSystem === 'auto') return [];
  // One driver serves all three, so that the volume mounts; the line is wrong all the same.
  const severity = extFamily.has(real) && extFamily.has(entry.fileSystem) ? 'warn' : 'refuse';
  return [
    found(
      severity,
      'REQ-044',
      at(fact),
      {
        en: `the line says ${entry.fileSystem} and ${volume.device.path} holds ${real}`,
        ja: `この行では ${entry.fileSystem} ですが、${volume.device.path} の実際のファイル システムは ${real} です`,
      },
      { en: `write ${real}`, ja: `${real} と書いてください` },
    ),
  ];
}

function checkPoint({ fact, entry, volume }: Line): Finding[] {
  if (!entry.pointExists) {
    return [
      found(
        'refuse',
        'REQ-044',
        at(fact),
        { en: `the mount point ${entry.point} does not exist`, ja: `マウント ポイント ${entry.point} が存在しません` },
        { en: `make it: mkdir -p ${entry.point}`, ja: `作成してください: mkdir -p ${entry.point}` },
      ),
    ];
  }
  const { mount } = volume;
  if (mount === null || mount.point === entry.realPoint) return [];
  return [
    found(
      'refuse',
      'REQ-045',
      at(fact),
      {
        en: `the line says ${entry.point}, and the volume is mounted at ${mount.point}: after a reboot it would be elsewhere`,
        ja: `この行では ${entry.point} ですが、実際は ${mount.point} にマウントされています。再起動後は場所が変わります`,
      },
      {
        en: 'make the line say where the volume is to be, then unmount it and run `mount -a`',
        ja: '行を正しい場所に直し、アンマウントしてから `mount -a` を実行してください',
      },
    ),
  ];
}

/** `mount -a` after an unmount, or a reboot, would mount something else or nothing (REQ-045). */
function checkDevice({ fact, entry, volume }: Line): Finding[] {
  if (entry.device === volume.device.kernelName) return [];
  const now = entry.device === null ? 'no device' : `/dev/${entry.device}`;
  const nowJa = entry.device === null ? '該当するデバイスなし' : `/dev/${entry.device}`;
  return [
    found(
      'refuse',
      'REQ-045',
      at(fact),
      {
        en: `${entry.source} names ${now}, and ${volume.device.path} is mounted at ${entry.point}`,
        ja: `${entry.source} は ${nowJa} を指しますが、${entry.point} には ${volume.device.path} がマウントされています`,
      },
      { en: `write ${wantedName({ volume })} in the line`, ja: `この行に ${wantedName({ volume })} と書いてください` },
    ),
  ];
}

/** Options with which the volume would not come back by itself, or come back at another time than our units think. */
const unfit: Readonly<Record<string, { readonly en: string; readonly ja: string }>> = {
  noauto: { en: 'the volume is not mounted at boot', ja: '起動時にマウントされません' },
  'x-systemd.automount': {
    en: 'the volume would be mounted again while it is being mapped',
    ja: '処理中に自動で再マウントされてしまいます',
  },
  _netdev: {
    en: 'disks that come over the network have another order at boot',
    ja: 'ネットワーク経由のディスクは起動時の順序が異なります',
  },
  bind: { en: 'a bind mount is no volume', ja: 'バインド マウントはボリュームではありません' },
  loop: { en: 'a file is no volume', ja: 'ファイルはボリュームではありません' },
};

function checkOptions({ fact, entry }: Line): Finding[] {
  return entry.options.flatMap((option) => {
    const why = Object.hasOwn(unfit, option) ? unfit[option] : undefined;
    if (why === undefined) return [];
    return [
      found(
        'refuse',
        'REQ-044',
        at(fact),
        { en: `the option ${option} does not fit: ${why.en}`, ja: `オプション ${option} は使えません: ${why.ja}` },
        { en: `take ${option} out of the line`, ja: `この行から ${option} を外してください` },
      ),
    ];
  });
}

/** Two lines for one volume or one place: only one of them can be moved, and the other would bring back the raw disk. */
function checkSingle(facts: GuestFacts, { fact, entry, volume }: Line): Finding[] {
  const samePoint = facts.fstab.filter((other) => other.entry?.realPoint === entry.realPoint);
  const others = new Set([...samePoint, ...entriesOf(facts, volume.device)].filter((other) => other !== fact));
  return [...others].map((other) =>
    found(
      'refuse',
      'REQ-044',
      at(fact),
      {
        en: `${at(other)} is for the same volume or mount point: ${shown(other)}`,
        ja: `${at(other)} も同じボリュームまたはマウント ポイントの行です: ${shown(other)}`,
      },
      { en: 'leave one of the two', ja: 'どちらか一方だけを残してください' },
    ),
  );
}
