import type { Language } from '@kannuki/core';
import { centosNotice, endOfLifeOf, type SupportRules } from '@kannuki/support';
import { defineCommand } from '../../program/command.ts';
import { text } from '../../program/options.ts';
import { configOption, readRules } from './rules.ts';

export const command = defineCommand({
  options: {
    filter: text('TEXT', {
      en: 'only images whose row contains this text',
      ja: 'この文字列を含むイメージだけを表示する',
    }),
    config: configOption,
  },
  examples: [
    { line: 'kannuki support images --filter RHEL', does: { en: 'the images of Red Hat', ja: 'Red Hat のイメージ' } },
    {
      line: 'kannuki support images --query "[?volumes==\'data-only\'].urn" -o tsv',
      does: { en: 'images of which only data disks can be encrypted', ja: 'データ ディスクだけを暗号化できるイメージ' },
    },
  ],
  notes: {
    en: 'Other images can be allowed by the operator, in [[images]] of the configuration (urn, volumes, reason).\n\nNext steps:\n  kannuki support check --urn URN --size SIZE',
    ja: 'その他のイメージは、運用者が設定の [[images]] (urn、volumes、reason) で許可できます。\n\n次のステップ:\n  kannuki support check --urn URN --size SIZE',
  },
  async run({ options }, context) {
    const rows = imageRows(await readRules(options.config, context.environment), context.language);
    const wanted = options.filter?.toLowerCase() ?? '';
    const shown = rows.filter((row) => Object.values(row).join('\n').toLowerCase().includes(wanted));
    return {
      data: shown,
      table: () => ({
        columns: [
          { title: 'Urn' },
          { title: 'Distribution' },
          { title: 'Release' },
          { title: 'Generation' },
          { title: 'Volumes' },
          { title: 'EndOfLife' },
          { title: 'Notice', wrap: true },
        ],
        rows: shown.map((row) => [
          row.urn,
          row.distribution ?? '',
          row.release ?? '',
          row.generation ?? '',
          row.volumes,
          row.endOfLife ?? '',
          row.notice ?? '',
        ]),
      }),
    };
  },
});

interface ImageRow {
  readonly urn: string;
  readonly distribution: string | null;
  readonly release: string | null;
  readonly generation: string | null;
  readonly volumes: string;
  /** Earliest image version, `YYYY-MM`. */
  readonly versionFrom: string | null;
  readonly endOfLife: string | null;
  readonly notice: string | null;
  readonly source: 'table' | 'operator';
}

/** The published table in its order, then the operator's images. */
function imageRows(rules: SupportRules, language: Language): ImageRow[] {
  const table = rules.images.map((image): ImageRow => {
    const { publisher, offer, sku, version } = image.urn;
    return {
      urn: [publisher, offer, sku, version].join(':'),
      distribution: image.distribution,
      release: image.release,
      generation: image.generation,
      volumes: image.volumes,
      versionFrom: image.versionFrom ?? null,
      endOfLife: endOfLifeOf(image, rules)?.endOfLife ?? null,
      // REQ-001: every CentOS row carries the notice.
      notice: publisher === centosNotice.publisher ? `${centosNotice.message[language]}: ${centosNotice.link}` : null,
      source: 'table',
    };
  });
  const added = rules.operatorImages.map(
    (image): ImageRow => ({
      urn: image.urn,
      distribution: null,
      release: null,
      generation: null,
      volumes: image.volumes,
      versionFrom: null,
      endOfLife: image.endOfLife ?? null,
      notice: image.reason,
      source: 'operator',
    }),
  );
  return [...table, ...added];
}
