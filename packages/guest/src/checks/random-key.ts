import type { Finding, Text } from '@kannuki/core';
import type { GuestFacts, Volume } from '../facts/model.ts';
import { mountAt } from '../facts/mount-table.ts';
import { deviceOfMount, isResourceDisk } from '../targets/devices.ts';
import { found, nameOf } from './finding.ts';
import { isEncrypted } from './skip.ts';

/** What this machine says of two programs that look after a temporary disk and of hibernation. */
export interface TemporaryDiskManagers {
  /** /etc/waagent.conf has ResourceDisk.Format=y. */
  readonly azureAgentFormats: boolean;
  /** Device number that the kernel looks for a hibernated machine on, /sys/power/resume; null for none. */
  readonly resumeDevice: string | null;
}

/** Swap space that is to get a random key at each boot. */
export function checkSwap(facts: GuestFacts, volume: Volume, managers: TemporaryDiskManagers): Finding[] {
  const { device, fstab } = volume;
  const { path, signature } = device;
  const subject = path;
  const isActive = facts.swaps.some((swap) => swap.path === path || device.links.includes(swap.path));
  const findings: (Finding | undefined)[] = [
    isEncrypted(facts, device)
      ? refuse(subject, `${path} is encrypted already`, `${path} はすでに暗号化されています`, listState)
      : undefined,
    signature?.type !== 'swap'
      ? refuse(
          subject,
          `${path} shows no swap space but ${signature?.type ?? 'nothing'}`,
          `${path} はスワップ領域ではありません (検出: ${signature?.type ?? 'なし'})`,
          { en: 'name the swap partition', ja: 'スワップ パーティションを指定してください' },
        )
      : undefined,
    signature?.type === 'swap' && signature.uuid === null
      ? refuse(subject, `the swap space on ${path} has no UUID`, `${path} のスワップ領域に UUID がありません`, {
          en: '`swapoff` it, run `mkswap` on it, and name the UUID in /etc/fstab',
          ja: '`swapoff` の後 `mkswap` を実行し、その UUID を /etc/fstab に記載してください',
        })
      : undefined,
    !isActive && fstab?.entry?.fileSystem !== 'swap'
      ? refuse(
          subject,
          `${path} is neither switched on nor in /etc/fstab: it may hold what is left of something else`,
          `${path} は有効化されておらず、/etc/fstab にもありません。別の用途の残りである可能性があります`,
          { en: 'enter it in /etc/fstab, and `swapon -a`', ja: '/etc/fstab に記載し、`swapon -a` を実行してください' },
        )
      : undefined,
    device.children.length > 0
      ? refuse(subject, `${path} has other devices on it`, `${path} の上に別のデバイスがあります`, listState)
      : undefined,
    device.readOnly || device.sizeBytes < leastSwapBytes
      ? refuse(subject, `${path} is read-only or too small`, `${path} は読み取り専用か、小さすぎます`, listState)
      : undefined,
    managers.resumeDevice === device.number
      ? refuse(
          subject,
          `this machine hibernates to ${path}; with a key that nobody keeps it would never wake up`,
          `このマシンは ${path} に休止状態を保存します。保管されない鍵では復帰できなくなります`,
          {
            en: 'take `resume=` out of the kernel command line first',
            ja: '先にカーネルのコマンド ラインから `resume=` を外してください',
          },
        )
      : undefined,
  ];
  return findings.filter((finding) => finding !== undefined);
}

const leastSwapBytes = 8 * 1024 * 1024;
const listState: Text = {
  en: '`kannuki disk list` shows its state',
  ja: '`kannuki disk list` で状態を確認してください',
};

function refuse(subject: string, en: string, ja: string, remedy: Text): Finding {
  return found('refuse', 'REQ-090', subject, { en, ja }, remedy);
}

/** The temporary disk of the VM, which is to be made anew under a random key at each boot (REQ-169). */
export function checkTemporary(
  facts: GuestFacts,
  volume: Volume,
  { azureAgentFormats }: TemporaryDiskManagers,
  holdsFiles: boolean,
): Finding[] {
  const { device, fstab } = volume;
  const subject = nameOf(volume);
  const findings: Finding[] = [];
  if (!isResourceDisk(facts, device)) {
    findings.push(
      found(
        'refuse',
        'REQ-169',
        subject,
        { en: `${device.path} is not the temporary disk`, ja: `${device.path} は一時ディスクではありません` },
        { en: 'encrypt it as a data volume', ja: 'データ ボリュームとして暗号化してください' },
      ),
    );
  }
  if (isEncrypted(facts, device)) {
    findings.push(
      refuse(subject, `${device.path} is encrypted already`, `${device.path} はすでに暗号化されています`, listState),
    );
  }
  if (holdsFiles) {
    findings.push(
      found(
        'refuse',
        'REQ-169',
        subject,
        {
          en: `${subject} holds files; from now on everything there is lost at each boot, beginning with these`,
          ja: `${subject} にはファイルがあります。今後、このファイルを含むすべての内容が起動のたびに失われます`,
        },
        { en: 'move away what you need, then add --yes', ja: '必要なものを退避してから --yes を付けてください' },
      ),
    );
  }
  if (azureAgentFormats) {
    findings.push(
      found(
        'warn',
        'REQ-169',
        '/etc/waagent.conf',
        {
          en: 'the Azure agent formats the temporary disk too (ResourceDisk.Format=y) and fails on it once it is encrypted',
          ja: 'Azure エージェントも一時ディスクを初期化する設定です (ResourceDisk.Format=y)。暗号化後は失敗します',
        },
        {
          en: 'set ResourceDisk.Format=n and ResourceDisk.EnableSwap=n, and restart the agent',
          ja: 'ResourceDisk.Format=n と ResourceDisk.EnableSwap=n に設定し、エージェントを再起動してください',
        },
      ),
    );
  }
  if (fstab?.entry?.options.includes('comment=cloudconfig') === true) {
    findings.push(
      found(
        'warn',
        'REQ-169',
        `/etc/fstab:${fstab.lineNumber}`,
        {
          en: 'cloud-init wrote this line and writes it again when the VM becomes a new instance',
          ja: 'この行は cloud-init が書き込んだもので、VM が新しいインスタンスになると再び書き込まれます',
        },
        {
          en: 'put `mounts: [[ephemeral0, null]]` into a file below /etc/cloud/cloud.cfg.d',
          ja: '/etc/cloud/cloud.cfg.d のファイルに `mounts: [[ephemeral0, null]]` と記載してください',
        },
      ),
    );
  }
  return findings;
}

/** Swap files are as safe as the file system that they lie on. */
export function checkSwapFiles(facts: GuestFacts): Finding[] {
  return facts.swaps
    .filter(({ kind }) => kind === 'file')
    .flatMap(({ path }) => {
      const mount = mountAt(facts.mounts, path);
      const device = mount === undefined ? undefined : deviceOfMount(facts, mount);
      if (device === undefined || isEncrypted(facts, device)) return [];
      return [
        found(
          'warn',
          'REQ-090',
          path,
          {
            en: `the swap file lies on ${device.path}, which is not encrypted: pieces of memory can be read from the disk`,
            ja: `スワップ ファイルは暗号化されていない ${device.path} にあります。メモリの内容がディスクから読み取られる可能性があります`,
          },
          {
            en: 'encrypt the volume below it, or use a swap partition instead and encrypt that',
            ja: 'その下のボリュームを暗号化するか、スワップ パーティションに替えて暗号化してください',
          },
        ),
      ];
    });
}
