import type { Finding } from '@kannuki/core';
import type { SupportFacts } from '../facts.ts';
import type { SupportRules } from '../rules/rules.ts';
import { found } from './finding.ts';

/** Can this key wrap the passphrase? REQ-068. No key at all is allowed (REQ-069). */
export function checkKek(facts: SupportFacts, rules: SupportRules): Finding[] {
  const { kekKind, kekBits } = facts;
  if (kekKind === undefined && kekBits === undefined) return [];
  const { kinds, bits } = rules.kek;
  const isRsa = kekKind === undefined || kinds.some((kind) => kind.toLowerCase() === kekKind.toLowerCase());
  const subject = 'KEK';
  if (!isRsa) {
    return [
      found(
        'refuse',
        'REQ-068',
        subject,
        {
          en: `a key of type ${kekKind} cannot wrap the passphrase; it must be ${kinds.join(' or ')}`,
          ja: `種類 ${kekKind} のキーではパスフレーズをラップできません。${kinds.join(' または ')} が必要です`,
        },
        {
          en: `create an RSA key of ${bits[0]} bits or more, in software or in an HSM, or use no KEK`,
          ja: `${bits[0]} ビット以上の RSA キーをソフトウェアまたは HSM で作成するか、KEK を使わないでください`,
        },
      ),
    ];
  }
  if (kekBits === undefined || bits.includes(kekBits)) return [];
  return [
    found(
      'refuse',
      'REQ-068',
      subject,
      {
        en: `an RSA key of ${kekBits} bits is not supported; sizes are ${bits.join(', ')}`,
        ja: `${kekBits} ビットの RSA キーはサポートされていません。使えるサイズは ${bits.join(', ')} です`,
      },
      { en: `create an RSA key of ${bits[0]} bits`, ja: `${bits[0]} ビットの RSA キーを作成してください` },
    ),
  ];
}
