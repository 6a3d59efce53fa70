import { stat } from 'node:fs/promises';
import type { Finding, SecretBytes } from '@kannuki/core';
import { type Luks2HeaderContent, reencryptionProgress, reencryptKeyslot } from '@kannuki/formats';
import { activeMapping } from '../volumes/mapping.ts';
import { guardCopyOf } from '../volumes/recovery-guard.ts';
import { judgeHeader, type PresentHeader } from './present-header.ts';
import { refusal, refuseIfAny } from './refusal.ts';
import type { RebuildSubject } from './subject.ts';

/** Everything that speaks against a rebuild; nothing has changed yet. @throws KannukiError KNK-VOL-0201 with findings */
export async function refuseNeedlessRebuild(
  subject: RebuildSubject,
  present: PresentHeader,
  passphrase: SecretBytes,
): Promise<void> {
  const findings: Finding[] = [];
  if ((await activeMapping(subject.name)) !== undefined) findings.push(stillOpen(subject));
  if (present.state === 'good') findings.push(headerIsGood(subject));
  else {
    const copy = guardCopyOf(subject.header);
    const guard = await judgeHeader(copy, subject.luksUuid, passphrase);
    if (guard.state === 'good') findings.push(guardIsGood(subject, copy));
    if (present.state === 'locked-out') findings.push(...(await workAreaIsGone(subject, present.content)));
  }
  refuseIfAny('KNK-VOL-0201', subject.name, findings);
}

function stillOpen({ name }: RebuildSubject): Finding {
  return refusal(
    name,
    {
      en: `${name} is open: as long as it is, the data can be used and copied`,
      ja: `${name} は開いています。開いている間はデータを使用およびコピーできます`,
    },
    {
      en: `copy what is precious, unmount it, \`cryptsetup close ${name}\`, then run the command again`,
      ja: `重要なデータをコピーし、アンマウントして \`cryptsetup close ${name}\` を実行してから、もう一度実行してください`,
    },
  );
}

function headerIsGood({ header }: RebuildSubject): Finding {
  return refusal(
    header,
    {
      en: 'the header is good: the passphrase from the vault opens it',
      ja: 'ヘッダーは正常です。キー コンテナーのパスフレーズで開けます',
    },
    {
      en: '`kannuki disk unlock` opens the volume; if one of the two copies is damaged, that mends it too',
      ja: '`kannuki disk unlock` でボリュームを開けます。2 つの複製の一方が壊れていても、その際に修復されます',
    },
  );
}

function guardIsGood(subject: RebuildSubject, copy: string): Finding {
  return refusal(
    subject.header,
    {
      en: `a good copy of the header lies beside it (${copy}), newer than every record`,
      ja: `ヘッダーの正常なコピー (${copy}) があり、どのレコードよりも新しいものです`,
    },
    {
      en: '`kannuki disk unlock` puts it back by itself and opens the volume',
      ja: '`kannuki disk unlock` が自動的に戻してボリュームを開きます',
    },
  );
}

/** A piece was under work, and its copy in the work area was cut off with the end of the file. */
async function workAreaIsGone(subject: RebuildSubject, content: Luks2HeaderContent): Promise<readonly Finding[]> {
  const { needsRecovery } = reencryptionProgress(content.metadata, subject.device.sizeBytes);
  const area = reencryptKeyslot(content.metadata)?.[1].area;
  if (!needsRecovery || area === undefined) return [];
  const { size } = await stat(subject.header);
  if (BigInt(size) >= area.offset + area.size) return [];
  return [
    refusal(
      subject.header,
      {
        en: 'a piece of the disk was being converted, and its copy in the header file is cut off',
        ja: 'ディスクの一部が変換中でしたが、ヘッダー ファイル内のその控えが失われています',
      },
      {
        en: 'move the header file away and run the command again: then the disk itself is searched for the boundary',
        ja: 'ヘッダー ファイルを別の場所に移して再実行してください。ディスク自体から境界を探します',
      },
    ),
  ];
}
