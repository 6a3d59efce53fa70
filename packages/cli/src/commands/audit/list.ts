import { type AuditEntry, readAudit } from '@kannuki/keyvault';
import type { AuditListInput } from '@kannuki/server/local-admin/contract';
import { auditFolder } from '@kannuki/server/vaults/audit-files';
import { InvalidArgumentError } from 'commander';
import { defineCommand } from '../../program/command.ts';
import { number, type Option, text } from '../../program/options.ts';
import { connectAdmin, dataDirectory } from '../server/admin-connection.ts';
import { logOptions } from './log-options.ts';

const longestList = 10_000;
const timeShape = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?(?:Z|[+-]\d\d:\d\d))?$/;

function time(help: { en: string; ja: string }): Option<number | undefined> {
  return {
    ...number('TIME', help),
    parse: (word) => {
      const milliseconds = timeShape.test(word) ? Date.parse(word) : Number.NaN;
      if (!(milliseconds >= 0)) throw new InvalidArgumentError('YYYY-MM-DD or YYYY-MM-DDThh:mm:ssZ');
      return milliseconds;
    },
  };
}

const limit: Option<number | undefined> = {
  ...number('N', {
    en: `the newest N records, up to ${longestList}; default 100`,
    ja: `新しい順に N 件まで (最大 ${longestList})。既定は 100`,
  }),
  parse: (word) => {
    const count = /^\d{1,5}$/.test(word) ? Number(word) : 0;
    if (count < 1 || count > longestList) throw new InvalidArgumentError(`a whole number, 1 to ${longestList}`);
    return count;
  },
};

export const command = defineCommand({
  description: {
    en: 'Lists who asked what of the key vaults and what became of it, oldest first: calls of VMs, and the keys that the server hands to VMs at boot.',
    ja: 'だれがキー コンテナーに何を要求し、どうなったかを古い順に表示します。VM からの呼び出しと、起動時にサーバーが VM に渡したキーを含みます。',
  },
  options: {
    vault: text('NAME', { en: 'only this key vault', ja: 'このキー コンテナーのみ' }),
    operation: text('NAME', { en: 'only this operation, e.g. KeyUnwrap', ja: 'この操作のみ。例: KeyUnwrap' }),
    caller: text('ID', {
      en: 'only this caller: an object id, vm:VM or server:key-volume:VM',
      ja: 'この呼び出し元のみ。オブジェクト ID、vm:VM、または server:key-volume:VM',
    }),
    since: time({ en: 'from this time on (without a time of day: UTC)', ja: 'この時刻以降 (時刻を省略すると UTC)' }),
    until: time({ en: 'before this time', ja: 'この時刻より前' }),
    limit,
    ...logOptions,
  },
  examples: [
    {
      line: 'kannuki audit list --operation KeyUnwrap --since 2026-01-01',
      does: { en: 'keys that were unwrapped this year', ja: '今年ラップ解除されたキー' },
    },
    {
      line: 'kannuki audit list --vault kv1 --query "[?status != `200`]"',
      does: { en: 'refused calls of one vault', ja: '1 つのキー コンテナーで拒否された呼び出し' },
    },
  ],
  async run({ options }, context) {
    const input: AuditListInput = {
      vault: options.vault ?? null,
      operation: options.operation ?? null,
      objectId: options.caller ?? null,
      from: options.since ?? null,
      to: options.until ?? null,
      limit: options.limit ?? 100,
    };
    const folder =
      options.folder ?? (options.offline ? auditFolder(dataDirectory(options.data, context.environment)) : undefined);
    const entries =
      folder === undefined
        ? await connectAdmin(options.data, context.environment).call('audit-list', input)
        : await readAudit(folder, { ...withoutNulls(input), limit: input.limit });
    const titles =
      context.language === 'ja'
        ? ['時刻', '操作', 'キー コンテナー', 'オブジェクト', '呼び出し元', 'アドレス', '結果']
        : ['Time', 'Operation', 'Vault', 'Object', 'Caller', 'Address', 'Result'];
    return {
      data: entries.map((entry) => ({ ...entry, time: new Date(entry.time).toISOString() })),
      table: () => ({
        columns: titles.map((title, index) => ({ title, wrap: index === 3 || index === 4 })),
        rows: entries.map(row),
      }),
    };
  },
});

function row(entry: AuditEntry): readonly string[] {
  return [
    new Date(entry.time).toISOString(),
    entry.operation,
    entry.vault,
    entry.object ?? '-',
    entry.objectId ?? '-',
    entry.address,
    entry.error === null ? String(entry.status) : `${entry.status} ${entry.error}`,
  ];
}

function withoutNulls(
  input: AuditListInput,
): Partial<{ vault: string; operation: string; objectId: string; from: number; to: number }> {
  return Object.fromEntries(Object.entries(input).filter(([, value]) => value !== null));
}
