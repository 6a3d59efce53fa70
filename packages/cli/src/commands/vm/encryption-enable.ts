import { setTimeout as sleep } from 'node:timers/promises';
import { type AgentProblem, catalogue, type ErrorCode, type Finding, KannukiError, type Severity } from '@kannuki/core';
import type { AdminClient } from '@kannuki/server/local-admin/client';
import type { VmInput } from '@kannuki/server/local-admin/contract';
import { costNotice } from '@kannuki/support';
import { findingsData } from '../../output/findings.ts';
import { defineCommand } from '../../program/command.ts';
import type { CommandContext } from '../../program/context.ts';
import { choice, flag, text } from '../../program/options.ts';
import { connectAdmin } from '../server/admin-connection.ts';
import { lastSegment, vmOptions } from './vm-options.ts';

export const command = defineCommand({
  description: {
    en: 'Asks for the encryption of the data volumes of a VM that are mounted, in place and in use. The passphrases go into the key vault before the first block changes.',
    ja: 'マウントされている VM のデータ ボリュームを、使用中のままその場で暗号化するよう要求します。最初のブロックが変わる前に、パスフレーズはキー コンテナーに保存されます。',
  },
  options: {
    ...vmOptions,
    diskEncryptionKeyvault: text(
      'KV',
      {
        en: 'key vault for the passphrases: name or resource id',
        ja: 'パスフレーズを保存するキー コンテナー: 名前またはリソース ID',
      },
      { required: true },
    ),
    keyEncryptionKey: text('K', {
      en: 'key that wraps them: name, or URL with version',
      ja: 'パスフレーズをラップするキー: 名前、またはバージョン付き URL',
    }),
    keyEncryptionKeyvault: text('KV2', {
      en: 'key vault of that key; default: that of the passphrases',
      ja: 'そのキーのキー コンテナー。既定はパスフレーズと同じ',
    }),
    volumeType: choice(['OS', 'DATA', 'ALL'], { en: 'which volumes', ja: '対象のボリューム' }),
    encryptFormatAll: flag({
      en: 'format the data disks instead (their data is lost)',
      ja: 'データ ディスクをフォーマットして暗号化する (データは失われます)',
    }),
    force: flag({
      en: 'findings about vault, region and subscription only warn',
      ja: 'キー コンテナー、リージョン、サブスクリプションの検出事項を警告にとどめる',
    }),
    stopServices: flag({
      en: 'let the agent stop systemd services with open files for the moment of the unmount',
      ja: '開いているファイルを持つ systemd サービスを、アンマウントの間だけエージェントが停止することを許可する',
    }),
    wait: flag({ en: 'wait for the last block, with progress', ja: '進行状況を表示しながら最後のブロックまで待つ' }),
  },
  examples: [
    {
      line: 'kannuki vm encryption enable -g rg1 -n vm1 --disk-encryption-keyvault kv1 --key-encryption-key kek1 --volume-type DATA --wait',
      does: { en: 'encrypt the data disks of vm1', ja: 'vm1 のデータ ディスクを暗号化する' },
    },
  ],
  notes: costNotice,
  async run({ options }, context) {
    const { resourceGroup, name, keyEncryptionKey, keyEncryptionKeyvault } = options;
    if (options.encryptFormatAll) {
      throw new KannukiError('KNK-SRV-0028', {
        details: { what: '--encrypt-format-all', instead: '--volume-type DATA' },
      });
    }
    if (keyEncryptionKeyvault !== undefined && keyEncryptionKey === undefined) {
      const problem = "'--key-encryption-keyvault': '--key-encryption-key' is required";
      throw new KannukiError('KNK-CLI-0005', { details: { problem, command: 'kannuki vm encryption enable' } });
    }
    const admin = connectAdmin(options.data, context.environment);
    const { findings } = await admin.call('vm-encryption-enable', {
      resourceGroup,
      name,
      vaultName: lastSegment(options.diskEncryptionKeyvault),
      kek: keyEncryptionKey ?? null,
      kekVaultName: keyEncryptionKeyvault === undefined ? null : lastSegment(keyEncryptionKeyvault),
      volumeType: options.volumeType ?? null,
      force: options.force,
      stopServices: options.stopServices,
    });
    for (const { rule, message } of findingsData(findings, 'en'))
      context.detail({ en: `${rule}: ${message}`, ja: `${rule}: ${message}` });
    if (!options.wait) {
      context.say({
        en: "The encryption request was accepted. Please use 'show' command to monitor the progress.",
        ja: "暗号化の要求を受け付けました。進行状況は 'show' コマンドで確認してください。",
      });
      return {};
    }
    await waitForEnd(admin, { resourceGroup, name }, context);
    return {};
  },
});

const pollMilliseconds = 1000;

/** Ends when all that was asked for is encrypted, or when the agent says that something stands in the way. */
async function waitForEnd(admin: AdminClient, vm: VmInput, context: CommandContext): Promise<void> {
  for (;;) {
    const { done, volumes, problems } = await admin.call('vm-encryption-progress', vm);
    for (const { mountPoint, state, ...volume } of volumes) {
      if (mountPoint === null || !(state === 'EncryptionInProgress' || state === 'Encrypted')) continue;
      const { bytesDone, bytesTotal, bytesPerSecond, etaSeconds } = volume;
      context.progress.update({ volume: mountPoint, bytesDone, bytesTotal, bytesPerSecond, etaSeconds });
    }
    const final = problems.find(isFinal);
    if (final !== undefined) throw errorOf(final);
    if (done) return;
    await sleep(pollMilliseconds);
  }
}

/** A refusal stays until somebody changes something; what may pass the agent tries again by itself. */
function isFinal(problem: AgentProblem): boolean {
  return isErrorCode(problem.code) && ['refused', 'usage'].includes(catalogue[problem.code].exit);
}

function errorOf({ target, code, message, remedy, findings }: AgentProblem): KannukiError {
  const both = (text: string): { en: string; ja: string } => ({ en: text, ja: text });
  const found: Finding[] = findings.map((finding) => ({
    rule: finding.rule,
    severity: severityOf(finding.severity),
    subject: finding.subject,
    message: both(finding.message),
    remedy: both(finding.remedy),
  }));
  return new KannukiError(isErrorCode(code) ? code : 'KNK-AGT-0011', {
    details: { target, reason: `${message}; ${remedy}` },
    findings: found,
  });
}

function severityOf(word: string): Severity {
  return word === 'warn' || word === 'note' ? word : 'refuse';
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(catalogue, code);
}
