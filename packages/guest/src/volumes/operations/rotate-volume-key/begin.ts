import type { Finding } from '@kannuki/core';
import { checkCryptsetup } from '../../../checks/cryptsetup.ts';
import { readCryptsetup } from '../../../facts/cryptsetup-version.ts';
import { readFileSystem } from '../../../facts/file-system.ts';
import type { Journal } from '../../journal.ts';
import { activeMapping } from '../../mapping.ts';
import { readPassphrase } from '../../steps/escrow.ts';
import { mapperPath, openAndEnter } from '../../steps/map.ts';
import { useOf } from '../../uses/uses.ts';
import type { Operation } from '../operation.ts';
import { slotOf } from '../rotate-passphrase/begin.ts';
import { type HeaderNow, headerOf, pendingFindings, refuseFor, refuseForeign } from '../rotation-checks.ts';
import type { NewCipher } from './key-rotation.ts';

export interface KeyRotationRequest {
  /** Left out: the cipher stays. */
  readonly cipher?: NewCipher;
  /** Left out: the size of the sectors stays. */
  readonly sectorSize?: 512 | 4096;
}

/** A new volume key, and with it another cipher or size of sectors: every block is encrypted anew, in use. */
export function rotateVolumeKey({ cipher, sectorSize }: KeyRotationRequest = {}): Operation {
  return {
    name: 'rotate-volume-key',
    async begin(before, context) {
      refuseForeign(before);
      // What the volume holds is compared now: once the new header has taken its place only going on is possible.
      await openAndEnter(before, context);
      // It may have been found to carry LVM or RAID by now, which is on record then.
      const journal = (await context.store.find(before.name)) ?? before;
      const header = await headerOf(journal, context);
      const wanted = sectorSize ?? journal.header.sectorSize;
      refuseFor(journal, [
        ...pendingFindings(journal, header),
        ...slotFindings(journal, header),
        ...(await sectorFindings(journal, wanted)),
        ...checkCryptsetup({ cryptsetup: await readCryptsetup({ root: '/', run: context.run }) }),
      ]);
      using passphrase = await readPassphrase(journal, context.vault);
      const oldSlot = slotOf(header, passphrase);
      const keyRotation = { oldSlot, cipher: cipher ?? null, sectorSize: wanted, madeFrom: null, records: null };
      return { ...journal, keyRotation };
    },
  };
}

/** A slot for the new key needs the slot's own passphrase: we have only ours, so every other slot would be lost. */
function slotFindings(journal: Journal, { slots }: HeaderNow): readonly Finding[] {
  if (slots.length <= 1) return [];
  return [
    {
      rule: 'ROTATE-SLOTS',
      severity: 'refuse',
      subject: useOf(journal).name,
      message: {
        en: `the header has ${slots.length} key slots (${slots.join(', ')}); with a new volume key only the one of the vault's passphrase would be left`,
        ja: `ヘッダーにキー スロットが ${slots.length} 個あります (${slots.join(', ')})。新しいボリューム キーでは、キー コンテナーのパスフレーズのスロットだけが残ります`,
      },
      remedy: {
        en: 'remove the other slots with cryptsetup luksKillSlot, and add them again after the rotation',
        ja: '他のスロットを cryptsetup luksKillSlot で削除し、ローテーション後に追加し直してください',
      },
    },
  ];
}

/** What lies on the mapping was made for its sectors of today: larger ones it could not be mounted over. */
async function sectorFindings(journal: Journal, wanted: number): Promise<readonly Finding[]> {
  if (wanted <= journal.header.sectorSize) return [];
  const subject = useOf(journal).name;
  const mapping = await activeMapping(journal.name);
  const fileSystem = mapping === undefined ? null : await readFileSystem(mapperPath(journal));
  const fits = fileSystem !== null && fileSystem.sectorBytes % wanted === 0 && journal.device.sizeBytes % wanted === 0;
  if (fits) return [];
  const seen = fileSystem === null ? '?' : String(fileSystem.sectorBytes);
  return [
    {
      rule: 'ROTATE-SECTORS',
      severity: 'refuse',
      subject,
      message: {
        en: `sectors of ${wanted} bytes do not fit: the file system uses pieces of ${seen} bytes, the device has ${journal.device.sizeBytes} bytes`,
        ja: `${wanted} バイトのセクターは使用できません: ファイル システムの最小単位は ${seen} バイト、デバイスは ${journal.device.sizeBytes} バイトです`,
      },
      remedy: {
        en: 'leave --sector-size out; the volume must be open for this to be looked at',
        ja: '--sector-size を省略してください。確認にはボリュームが開かれている必要があります',
      },
    },
  ];
}
