import { exitCodes, type Finding } from '@kannuki/core';
import { type AuditProblem, type AuditVerification, verifyAudit } from '@kannuki/keyvault';
import { verifyAuditOffline } from '@kannuki/server/vaults/audit-files';
import { findingsData, findingsTable } from '../../output/findings.ts';
import { defineCommand } from '../../program/command.ts';
import { connectAdmin, dataDirectory } from '../server/admin-connection.ts';
import { logOptions } from './log-options.ts';

/** Reading a log of many gigabytes takes its time. */
const timeoutSeconds = 6 * 3600;

export const command = defineCommand({
  description: {
    en: `Reads the whole audit log and checks that each record follows the one before it, and that the end is there. The MACs need the
key that the server has; of a copy (--folder) only the public chain is checked, which anybody can make anew.`,
    ja: `監査ログ全体を読み、各記録が直前の記録に続いていることと、末尾が失われていないことを検査します。MAC の検査にはサーバーのキーが必要です。
コピー (--folder) では、だれでも作り直せる公開の連鎖のみを検査します。`,
  },
  options: logOptions,
  examples: [
    {
      line: 'kannuki audit verify; echo $?',
      does: { en: 'exit code 0 = whole, 10 = not', ja: '終了コード 0 = 正常、10 = 異常' },
    },
    {
      line: 'kannuki audit verify --offline --data ./data',
      does: { en: 'the log of a server that is stopped', ja: '停止中のサーバーのログ' },
    },
  ],
  async run({ options }, context) {
    const { language } = context;
    const verified = await verify(options, context.environment);
    const findings = verified.problems.map(findingOf);
    const { problems: _, ...rest } = verified;
    return {
      data: { ...rest, findings: findingsData(findings, language) },
      table: () => findingsTable(findings, language),
      summary: summaryOf(verified),
      exitCode: verified.ok ? exitCodes.done : exitCodes.refused,
    };
  },
});

function verify(
  options: { readonly folder: string | undefined; readonly offline: boolean; readonly data: string | undefined },
  environment: Readonly<Record<string, string | undefined>>,
): Promise<AuditVerification> {
  if (options.folder !== undefined) return verifyAudit(options.folder, null, null);
  if (options.offline) return verifyAuditOffline(dataDirectory(options.data, environment));
  return connectAdmin(options.data, environment).call('audit-verify', {}, { timeoutSeconds });
}

function findingOf({ file, line, what }: AuditProblem): Finding {
  return {
    rule: 'AUDIT',
    severity: 'refuse',
    subject: line === null ? file : `${file}:${line}`,
    message: what,
    remedy: {
      en: 'compare with a copy that is kept elsewhere, and find out who could write to the files',
      ja: '別の場所に保管したコピーと比較し、ファイルに書き込めた者を調べてください',
    },
  };
}

function summaryOf({ ok, records, segments, problemCount, keyed }: AuditVerification) {
  if (!ok) {
    return {
      en: `The audit log is not as it was written: ${problemCount} problems in ${records} records.`,
      ja: `監査ログは書き込まれたときの状態ではありません。${records} 件の記録に ${problemCount} 件の問題があります。`,
    };
  }
  return {
    en: `The audit log is whole: ${records} records in ${segments} files${keyed ? '' : ' (public chain only)'}.`,
    ja: `監査ログは正常です。${segments} 個のファイルに ${records} 件の記録があります${keyed ? '' : ' (公開の連鎖のみ)'}。`,
  };
}
