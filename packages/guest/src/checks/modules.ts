import type { Finding } from '@kannuki/core';
import type { GuestFacts, ModuleFact } from '../facts/model.ts';
import { found } from './finding.ts';

/** What each module is for, in the words of the message. */
const purposes: Readonly<Record<ModuleFact['name'], { readonly en: string; readonly ja: string }>> = {
  dm_crypt: { en: 'encrypts the volumes', ja: 'ボリュームの暗号化に必要です' },
  vfat: { en: 'reads the key volume at boot', ja: '起動時にキー ボリュームを読み取るために必要です' },
};

/** dm-crypt and vfat are there or can be loaded (REQ-038, REQ-102), and nothing forbids to load them (REQ-040). */
export function checkModules(facts: Pick<GuestFacts, 'modules'>): Finding[] {
  return facts.modules.flatMap((module) => [...checkPresence(module), ...checkBlock(module)]);
}

function checkPresence({ name, state }: ModuleFact): Finding[] {
  if (state !== 'missing') return [];
  const shown = name.replaceAll('_', '-');
  return [
    found(
      'refuse',
      'REQ-038',
      shown,
      {
        en: `the kernel module ${shown}, which ${purposes[name].en}, is not loaded, not built in and cannot be loaded`,
        ja: `カーネル モジュール ${shown} は読み込まれておらず、カーネルに組み込まれてもおらず、読み込むこともできません。${purposes[name].ja}`,
      },
      {
        en: `install the package of the running kernel that has ${shown} (linux-modules-extra, kernel-modules), or boot a kernel with it`,
        ja: `${shown} を含む、実行中のカーネル用のパッケージ (linux-modules-extra、kernel-modules など) を入れるか、それを含むカーネルで起動してください`,
      },
    ),
  ];
}

/** A module in the kernel itself cannot be kept out by settings of modprobe. */
function checkBlock({ name, state, blockedBy }: ModuleFact): Finding[] {
  if (blockedBy === null || state === 'built-in') return [];
  const shown = name.replaceAll('_', '-');
  return [
    found(
      'refuse',
      'REQ-040',
      shown,
      {
        en: `hardening keeps the kernel module ${shown} from being loaded (${blockedBy}); after a reboot the volumes would stay locked`,
        ja: `セキュリティ強化の設定 (${blockedBy}) により、カーネル モジュール ${shown} を読み込めません。再起動後、ボリュームのロックを解除できなくなります`,
      },
      {
        en: 'take that line out, then run the command again',
        ja: 'この行を取り除いてから再実行してください',
      },
    ),
  ];
}
