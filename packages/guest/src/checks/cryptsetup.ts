import type { Finding } from '@kannuki/core';
import type { CryptsetupFact, GuestFacts } from '../facts/model.ts';
import { found } from './finding.ts';

type Version = readonly [number, number, number];

/** Before it, `reencrypt` lacks the resilience and the repairs that the conversion relies on. */
const oldest: Version = [2, 4, 0];
/** Online conversion in these may damage data: release notes of 2.7.5. */
const firstUnsafe: Version = [2, 7, 0];
const firstSafe: Version = [2, 7, 5];

/**
 * Packages of an unsafe version that carry the fix of 2.7.5. RHEL 9 and its rebuilds: cryptsetup.spec 2.7.2-2,
 * "Fix detection of direct-io with suspended devices" (RHEL-39003, RHEL-41238).
 */
const fixedPackages: readonly { readonly pattern: RegExp; readonly isFixed: (release: number) => boolean }[] = [
  { pattern: /^2\.7\.2-(\d{1,4})\.el9/, isFixed: (release) => release >= 2 },
];

/** cryptsetup is there and is a version that converts volumes in use safely (REQ-258). */
export function checkCryptsetup({ cryptsetup }: Pick<GuestFacts, 'cryptsetup'>): Finding[] {
  if (cryptsetup === null) return [missing];
  if (cryptsetup.version === null) return [unknown];
  const { version } = cryptsetup;
  if (isBefore(version, oldest)) return [tooOld(version)];
  const isUnsafe = !isBefore(version, firstUnsafe) && isBefore(version, firstSafe);
  return isUnsafe && !hasFix(cryptsetup) ? [unsafe(version)] : [];
}

function isBefore(version: Version, other: Version): boolean {
  const difference = version.map((part, index) => part - (other[index] ?? 0)).find((part) => part !== 0);
  return (difference ?? 0) < 0;
}

function hasFix({ packageVersion }: CryptsetupFact): boolean {
  return fixedPackages.some(({ pattern, isFixed }) => {
    const release = pattern.exec(packageVersion ?? '')?.[1];
    return release !== undefined && isFixed(Number(release));
  });
}

const rule = 'REQ-258';
const subject = 'cryptsetup';

const missing = found(
  'refuse',
  rule,
  subject,
  { en: 'cryptsetup is not installed', ja: 'cryptsetup がインストールされていません' },
  {
    en: 'install the package cryptsetup (Debian: cryptsetup-bin)',
    ja: 'パッケージ cryptsetup (Debian では cryptsetup-bin) を入れてください',
  },
);

const unknown = found(
  'refuse',
  rule,
  subject,
  {
    en: 'cryptsetup does not tell its version in a known form, so nobody knows whether it is safe',
    ja: 'cryptsetup の版を判別できないため、安全かどうか分かりません',
  },
  {
    en: "install the distribution's own package of cryptsetup",
    ja: 'ディストリビューション標準の cryptsetup パッケージを入れてください',
  },
);

function tooOld(version: Version): Finding {
  return found(
    'refuse',
    rule,
    subject,
    {
      en: `cryptsetup ${version.join('.')} is too old to convert volumes in use; ${oldest.join('.')} or later is needed`,
      ja: `cryptsetup ${version.join('.')} は古く、使用中のボリュームを変換できません。${oldest.join('.')} 以降が必要です`,
    },
    { en: 'upgrade cryptsetup, or the distribution', ja: 'cryptsetup またはディストリビューションを更新してください' },
  );
}

function unsafe(version: Version): Finding {
  return found(
    'refuse',
    rule,
    subject,
    {
      en: `cryptsetup ${version.join('.')} can damage data while it converts volumes in use (2.7.0 to 2.7.4; fixed in 2.7.5)`,
      ja: `cryptsetup ${version.join('.')} には、使用中のボリュームの変換でデータを壊すことがある不具合があります (2.7.0 ～ 2.7.4。2.7.5 で修正済み)`,
    },
    {
      en: 'upgrade cryptsetup to 2.7.5 or later, or to a package of the distribution that has the fix',
      ja: 'cryptsetup を 2.7.5 以降、または修正が取り込まれたパッケージに更新してください',
    },
  );
}
